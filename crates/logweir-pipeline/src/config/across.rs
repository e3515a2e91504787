//! The rules between the pipelines of one process.
//!
//! What a process has once (standard input and output, the admin endpoint, a file being written) belongs to one
//! pipeline, and none may read what the process writes: it would never end, or destroy its input.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::problem::Report;
use super::read;
use super::text::{Doc, Place};
use super::walk::{Checked, Value};

mod identity;
mod patterns;

use identity::Identity;
use patterns::{Exclude, Include};

/// A place in one of the files.
#[derive(Clone, Copy)]
struct Claim {
    /// The index of the file.
    file: usize,
    place: Place,
}

/// What is already taken, and by whom.
#[derive(Default)]
struct Taken {
    /// With where each is given, as a problem cites it.
    names: HashMap<String, String>,
    stdin: Option<Claim>,
    stdout: Option<Claim>,
    listen: Option<(SocketAddr, Claim)>,
    paths: HashMap<PathBuf, Claim>,
    inodes: HashMap<(u64, u64), Claim>,
    /// Every path that is written.
    outputs: Vec<(Identity, Claim)>,
}

/// Checks the files against one another; those that could not be read at all are `None`.
pub(super) fn check(files: &[Option<Checked>], docs: &[Doc], reports: &mut [Report<'_>]) {
    let mut across = Across { docs, reports, taken: Taken::default() };
    let read = || files.iter().enumerate().filter_map(|(file, root)| Some((file, root.as_ref()?)));
    for (file, root) in read() {
        across.name(file, root);
        across.stdin(file, root);
        across.admin(file, root);
        for sink in sinks(root) {
            across.sink(file, sink);
        }
        if let Some(path) = root.get("dead_letter").and_then(|d| d.get("file")?.get("path")) {
            across.path(file, path);
        }
    }
    for (file, root) in read() {
        if let Some(source) = root.get("source").and_then(|source| source.get("file")) {
            across.source(file, source);
        }
    }
}

/// Returns the sinks of a pipeline.
fn sinks(root: &Checked) -> impl Iterator<Item = &Checked> {
    let outputs = root.get("outputs").map_or(&[][..], Checked::items);
    root.get("sink").into_iter().chain(outputs.iter().filter_map(|output| output.get("sink")))
}

struct Across<'a, 'd> {
    docs: &'a [Doc],
    reports: &'a mut [Report<'d>],
    taken: Taken,
}

impl Across<'_, '_> {
    fn name(&mut self, file: usize, root: &Checked) {
        let Some(name) = read::name(root, &self.docs[file]) else { return };
        let given = root.get("name");
        let place = given.map_or(Place { start: 0, end: 0 }, |name| name.place);
        let doc = &self.docs[file];
        let Some(first) = self.taken.names.get(&name) else {
            let cited = given.map_or_else(|| doc.shown().to_owned(), |name| doc.cite(name.place));
            self.taken.names.insert(name, cited);
            return;
        };
        let (message, help) = match given {
            Some(_) => ("another pipeline has this name", format!("the other is at {first}")),
            None => (
                "another pipeline has the name of this file",
                format!("give this one a name of its own, `name: …`; the other is {first}"),
            ),
        };
        self.reports[file].add_with_help(place, message, help);
    }

    fn stdin(&mut self, file: usize, root: &Checked) {
        let Some(place) = root.get("source").and_then(|source| source.key_place("stdin")) else { return };
        let claim = Claim { file, place };
        match self.taken.stdin {
            None => self.taken.stdin = Some(claim),
            Some(first) => self.refuse(claim, "another pipeline reads the standard input", first),
        }
    }

    fn admin(&mut self, file: usize, root: &Checked) {
        let Some(listen) = root.get("admin").and_then(|admin| admin.get("listen")) else { return };
        let Value::Address(address) = listen.value else { return };
        let claim = Claim { file, place: listen.place };
        match self.taken.listen {
            None => self.taken.listen = Some((address, claim)),
            Some((first, _)) if first == address => {}
            Some((_, first)) => {
                self.refuse(claim, "a process has one admin endpoint, and this is a second", first);
            }
        }
    }

    fn sink(&mut self, file: usize, sink: &Checked) {
        if let Some(place) = sink.key_place("stdout") {
            let claim = Claim { file, place };
            match self.taken.stdout {
                None => self.taken.stdout = Some(claim),
                Some(first) => self.refuse(claim, "another output writes to the standard output", first),
            }
        }
        if let Some(path) = sink.get("file").and_then(|file| file.get("path")) {
            self.path(file, path);
        }
    }

    fn path(&mut self, file: usize, path: &Checked) {
        let Some(text) = path.text() else { return };
        let claim = Claim { file, place: path.place };
        let identity = Identity::of(Path::new(text));
        let inode = identity.inode();
        let first = self.taken.paths.get(identity.path()).or_else(|| self.taken.inodes.get(&inode?)).copied();
        if let Some(first) = first {
            self.refuse(claim, "this file is written by another output as well", first);
            return;
        }
        self.taken.paths.insert(identity.path().to_owned(), claim);
        if let Some(inode) = inode {
            self.taken.inodes.insert(inode, claim);
        }
        self.taken.outputs.push((identity, claim));
    }

    /// Checks that a file source reads nothing that the process writes.
    fn source(&mut self, file: usize, source: &Checked) {
        if self.taken.outputs.is_empty() {
            return;
        }
        let list = |name: &str| source.get(name).map_or(&[][..], Checked::items);
        let exclude = Exclude::of(list("exclude").iter().filter_map(Checked::text));
        for item in list("include") {
            let Some(text) = item.text() else { continue };
            let include = Include::of(text);
            let read = self.taken.outputs.iter().filter(|(output, _)| include.reads(output, &exclude));
            let written: Vec<Claim> = read.map(|(_, claim)| *claim).collect();
            for claim in written {
                let reader = Claim { file, place: item.place };
                let help = format!(
                    "write elsewhere, or leave the file out with `exclude`; it is read because of {}",
                    self.docs[file].cite(reader.place)
                );
                self.reports[claim.file].add_with_help(
                    claim.place,
                    "this file is read by a source as well",
                    help,
                );
            }
        }
    }

    fn refuse(&mut self, claim: Claim, message: &str, first: Claim) {
        let help = format!("the other is at {}", self.docs[first.file].cite(first.place));
        self.reports[claim.file].add_with_help(claim.place, message, help);
    }
}
