//! The rules between the pipelines of one process.
//!
//! What a process has once (standard input and output, the admin endpoint, a file being written) belongs to one
//! pipeline, and none may read what the process writes: it would never end, or destroy its input.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use logweir_sinks::DestinationConfig;

use super::AdminConfig;
use super::problem::Report;
use super::read;
use super::rules::{Reading, is_enabled, reading};
use super::text::{Doc, Place};
use super::walk::{Checked, Value, sinks};

mod identity;
mod meet;
mod patterns;
mod readers;
mod written;

use identity::Identity;
use patterns::{Exclude, Include};
use readers::Reader;
use written::{Written, path_parts};

/// A place in one of the files.
#[derive(Clone, Copy, PartialEq, Eq)]
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
    /// The admin endpoint, and where its address, its token, and what it says of taps are given.
    admin: Option<(AdminConfig, [Claim; 3])>,
    paths: HashMap<PathBuf, Claim>,
    inodes: HashMap<(u64, u64), Claim>,
    /// All that is written.
    outputs: Vec<(Output, Claim)>,
}

/// What is written.
enum Output {
    File(Identity),
    /// Files whose names only the time of writing tells.
    Files(Written),
    /// Batches in a directory, in which others may put theirs: no two have the same name.
    Batches(Written),
    /// The files that positions are kept in, which all pipelines with the same directory share.
    State(Written),
}

/// Checks the files against one another; those that could not be read at all are `None`.
pub(super) fn check(files: &[Option<Checked>], docs: &[Doc], reports: &mut [Report<'_>]) {
    let mut across = Across { docs, reports, taken: Taken::default() };
    let read = || files.iter().enumerate().filter_map(|(file, root)| Some((file, root.as_ref()?)));
    for (file, root) in read() {
        across.name(file, root);
        across.stdin(file, root);
        across.admin(file, root);
        for (output, sink) in named_sinks(root) {
            across.sink(file, root, output, sink);
        }
        for job in root.get("jobs").map_or(&[][..], Checked::items) {
            across.job(file, job);
        }
        if let Some(path) = root.get("dead_letter").and_then(|d| d.get("file")?.get("path")) {
            across.path(file, path);
        }
        if let Some(path) = root.get("state_dir") {
            across.state_dir(file, path);
        }
    }
    let mut readers = Vec::new();
    for (file, root) in read() {
        if let Some(source) = root.get("source").and_then(|source| source.get("file")) {
            across.source(file, source);
            readers.push(Reader::of(file, source));
        }
    }
    readers::check(&readers, docs, reports);
}

/// Returns the sinks of a pipeline, each with the name of its output.
fn named_sinks(root: &Checked) -> impl Iterator<Item = (Option<&str>, &Checked)> {
    let outputs = root.get("outputs").map_or(&[][..], Checked::items);
    let names = outputs.iter().filter(|output| output.get("sink").is_some());
    let names = names.map(|output| output.get("name").and_then(Checked::text));
    root.get("sink").map(|_| None).into_iter().chain(names).zip(sinks(root))
}

struct Across<'a, 'd> {
    docs: &'a [Doc],
    reports: &'a mut [Report<'d>],
    taken: Taken,
}

impl Across<'_, '_> {
    fn name(&mut self, file: usize, root: &Checked) {
        if root.get("jobs").is_some() {
            for name in read::job_names(root, &self.docs[file]).unwrap_or_default() {
                if name.is_enabled {
                    self.claim_name(file, name.name, Some(name.place));
                }
            }
        } else if let Some(name) = read::name(root, &self.docs[file]) {
            self.claim_name(file, name, root.get("name").map(|name| name.place));
        }
    }

    /// Claims a name for a pipeline, which is given at `given` or is that of its file.
    fn claim_name(&mut self, file: usize, name: String, given: Option<Place>) {
        let doc = &self.docs[file];
        let Some(first) = self.taken.names.get(&name) else {
            let cited = given.map_or_else(|| doc.shown().to_owned(), |place| doc.cite(place));
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
        let place = given.unwrap_or(Place { start: 0, end: 0 });
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
        let Some((admin, place)) = root.get("admin").zip(root.key_place("admin")) else { return };
        let Some(config) = read::admin(admin) else { return };
        let claim = |key| Claim { file, place: admin.get(key).map_or(place, |value| value.place) };
        let claims = ["listen", "token", "tap"].map(claim);
        let Some((first, first_claims)) = &self.taken.admin else {
            self.taken.admin = Some((config, claims));
            return;
        };
        let differs = [first.listen != config.listen, first.token != config.token, first.tap != config.tap];
        let messages = [
            "a process has one admin endpoint, and this is a second",
            "a process has one admin endpoint, and this is another token for it",
            "a process has one admin endpoint, and this is something else about its taps",
        ];
        if let Some(i) = differs.iter().position(|differs| *differs) {
            let first = first_claims[i];
            self.refuse(claims[i], messages[i], first);
        }
    }

    fn sink(&mut self, file: usize, root: &Checked, output: Option<&str>, sink: &Checked) {
        if let Some(place) = sink.key_place("stdout") {
            let claim = Claim { file, place };
            match self.taken.stdout {
                None => self.taken.stdout = Some(claim),
                Some(first) => self.refuse(claim, "another output writes to the standard output", first),
            }
        }
        if let Some(path) = sink.get("directory").and_then(|directory| directory.get("path")) {
            self.directory(file, path);
        }
        let Some((config, path)) = sink.get("file").and_then(|file| Some((file, file.get("path")?))) else {
            return;
        };
        let Some(text) = path.text() else { return };
        if text.contains(['{', '}']) || config.get("rotate").is_some() {
            let name = read::name(root, &self.docs[file]).unwrap_or_default();
            self.files(Written::of_template(text, &name, output), Claim { file, place: path.place });
        } else {
            self.path(file, path);
        }
        if reading(root) == Some(Reading::Follow) && !text.contains(['{', '}']) {
            // What a crash has torn is set aside there.
            let torn = Written::of_template(&format!("{text}.torn"), "", None);
            self.taken.outputs.push((Output::Files(torn), Claim { file, place: path.place }));
        }
    }

    /// Claims files of which only a pattern is known.
    fn files(&mut self, files: Written, claim: Claim) {
        let meets = |(other, _): &&(Output, Claim)| match other {
            Output::File(file) => files.meet(&path_parts(file.path())),
            Output::Files(other) => files.meet_files(other),
            Output::Batches(_) | Output::State(_) => false,
        };
        if let Some((_, first)) = self.taken.outputs.iter().find(meets) {
            let first = *first;
            self.refuse(claim, "files of these names may be written by another output as well", first);
            return;
        }
        self.taken.outputs.push((Output::Files(files), claim));
    }

    /// Notes a directory that batches are delivered to.
    fn directory(&mut self, file: usize, path: &Checked) {
        let Some(text) = path.text() else { return };
        let batches = Written::batches_below(Path::new(text));
        self.taken.outputs.push((Output::Batches(batches), Claim { file, place: path.place }));
    }

    /// Notes where a job delivers to a directory.
    fn job(&mut self, file: usize, job: &Checked) {
        let Some(conf) = job.get("destination_conf").filter(|_| is_enabled(job)) else { return };
        if let Value::Destination(destination) = &conf.value
            && let DestinationConfig::Directory(directory) = &**destination
        {
            let batches = Written::batches_below(&directory.root);
            self.taken.outputs.push((Output::Batches(batches), Claim { file, place: conf.place }));
        }
    }

    fn state_dir(&mut self, file: usize, path: &Checked) {
        let Some(text) = path.text() else { return };
        let claim = Claim { file, place: path.place };
        let files = Written::in_state_dir(Path::new(text));
        self.taken.outputs.extend(files.map(|files| (Output::State(files), claim)));
    }

    fn path(&mut self, file: usize, path: &Checked) {
        let Some(text) = path.text() else { return };
        let claim = Claim { file, place: path.place };
        let identity = Identity::of(Path::new(text));
        let inode = identity.inode();
        let among = |(other, claim): &(Output, Claim)| match other {
            Output::Files(files) => files.meet(&path_parts(identity.path())).then_some(*claim),
            Output::File(_) | Output::Batches(_) | Output::State(_) => None,
        };
        let first = self.taken.paths.get(identity.path()).or_else(|| self.taken.inodes.get(&inode?)).copied();
        let first = first.or_else(|| self.taken.outputs.iter().find_map(among));
        if let Some(first) = first {
            self.refuse(claim, "this file is written by another output as well", first);
            return;
        }
        self.taken.paths.insert(identity.path().to_owned(), claim);
        if let Some(inode) = inode {
            self.taken.inodes.insert(inode, claim);
        }
        self.taken.outputs.push((Output::File(identity), claim));
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
            let is_read = |output: &Output| match output {
                Output::File(file) => include.reads(file, &exclude),
                Output::Files(files) | Output::Batches(files) | Output::State(files) => {
                    include.reads_some(files, &exclude)
                }
            };
            let read = self.taken.outputs.iter().filter(|(output, _)| is_read(output));
            let message = |output: &Output| match output {
                Output::Batches(_) => "what is delivered to this directory is read by a source as well",
                Output::File(_) => "this file is read by a source as well",
                Output::Files(_) => "a file of such a name is read by a source as well",
                Output::State(_) => "what is kept in this directory is read by a source as well",
            };
            let mut written: Vec<_> = read.map(|(output, claim)| (*claim, message(output))).collect();
            written.dedup_by_key(|(claim, _)| *claim);
            for (claim, message) in written {
                let reader = Claim { file, place: item.place };
                let help = format!(
                    "write elsewhere, or leave the file out with `exclude`; it is read because of {}",
                    self.docs[file].cite(reader.place)
                );
                self.reports[claim.file].add_with_help(claim.place, message, help);
            }
        }
    }

    fn refuse(&mut self, claim: Claim, message: &str, first: Claim) {
        let help = format!("the other is at {}", self.docs[first.file].cite(first.place));
        self.reports[claim.file].add_with_help(claim.place, message, help);
    }
}
