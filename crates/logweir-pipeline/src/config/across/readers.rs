//! Pipelines that read the same files.

use super::identity::Identity;
use super::patterns::{Exclude, Include};
use crate::config::problem::Report;
use crate::config::text::{Doc, Place};
use crate::config::walk::Checked;

/// The files of a directory that are looked at, to see who reads them.
const MOST_FILES: usize = 64;

/// What a pipeline reads.
pub(super) struct Reader<'c> {
    file: usize,
    include: Vec<(&'c str, Place)>,
    exclude: Exclude,
}

impl<'c> Reader<'c> {
    /// Returns what the source of a file reads, which may be several pipelines' if they are jobs: those are meant to read
    /// the same.
    pub(super) fn of(file: usize, source: &'c Checked) -> Self {
        let list = |name: &str| source.get(name).map_or(&[][..], Checked::items);
        let include = list("include").iter().filter_map(|item| Some((item.text()?, item.place))).collect();
        Self { file, include, exclude: Exclude::of(list("exclude").iter().filter_map(Checked::text)) }
    }

    /// Returns the pattern by which both read the same file for certain: a path that both name, or a file that is there.
    fn shares(&self, other: &Self) -> Option<(Place, Place)> {
        self.include.iter().find_map(|(text, place)| {
            let include = Include::of(text);
            let files = include.known(MOST_FILES).filter(|file| include.reads(file, &self.exclude));
            let files: Vec<Identity> = files.collect();
            other.include.iter().find_map(|(text, other_place)| {
                let include = Include::of(text);
                let is_read = files.iter().any(|file| include.reads(file, &other.exclude));
                is_read.then_some((*place, *other_place))
            })
        })
    }
}

/// Warns of pipelines that read a file that another reads, too.
pub(super) fn check(readers: &[Reader<'_>], docs: &[Doc], reports: &mut [Report<'_>]) {
    for (n, reader) in readers.iter().enumerate() {
        let before = readers[..n].iter().find_map(|before| Some((before, before.shares(reader)?)));
        if let Some((before, (first, place))) = before {
            let help = format!(
                "the other is at {}: its events come out twice; one pipeline with `outputs` reads a file once for all",
                docs[before.file].cite(first)
            );
            reports[reader.file].warn(place, "another pipeline reads these files as well", help);
        }
    }
}
