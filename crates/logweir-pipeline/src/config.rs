//! What the user asks for: pipelines read from YAML, checked, typed.
//!
//! One file is one pipeline. Its way here is one-way: bytes → a [`tree`] with the place of every node → a [`walk`] along
//! the [`keys`] that are known, which collects *every* problem instead of stopping at the first → [`read`], which
//! turns what was understood into the structs below → [`across`], the rules that hold between the pipelines of one
//! process. The same table of keys gives the JSON [`schema`](schema()) and the [`reference`](reference()), so what is
//! documented is what is checked.
//!
//! Nothing here panics on any file. The depth of a file is bounded ([`tree::MAX_DEPTH`]), so the recursion over its
//! tree is bounded too.

mod across;
mod dataset;
mod json_schema;
mod keys;
mod logpull;
mod pipeline_test;
mod problem;
mod read;
mod reference;
mod rules;
mod scalar;
mod shape;
mod stages_only;
mod text;
mod tree;
mod variables;
mod walk;
mod warnings;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use logweir_sinks::{DeadLetterConfig, FileSinkConfig, Secret, UploadSinkConfig};
use logweir_sources::{FileSourceConfig, FollowConfig};
use logweir_stages::{EncodeConfig, FilterConfig, SampleConfig, TruncateConfig};

use problem::Report;
use text::Doc;

pub use json_schema::schema;
pub use pipeline_test::{
    Expectation, PipelineTest, TestEvent, TestInput, TestedFile, load_test_texts, load_tests,
};
pub use problem::{Problem, Problems};
pub use reference::{ReferencePage, reference};
pub use stages_only::Jobs;
pub use text::ConfigFile;

/// One pipeline: a source, the stages that all outputs share, and at least one output.
#[derive(Clone, PartialEq, Debug)]
pub struct PipelineConfig {
    /// The name in logs, metrics and the summary; no two pipelines of a process have the same.
    pub name: String,
    /// Where the events come from.
    pub source: SourceConfig,
    /// The stages before the outputs part, in order.
    pub stages: Vec<StageConfig>,
    /// The branches, each with stages, an encoding and a sink of its own; never empty.
    pub outputs: Vec<OutputConfig>,
    /// Where malformed lines go, byte for byte.
    pub dead_letter: Option<DeadLetterConfig>,
    /// The admin endpoint, which is one for the process: all pipelines that name it name the same.
    pub admin: Option<AdminConfig>,
    /// Where the positions of followed files are kept, and what is to be uploaded; given for these, and for nothing
    /// else.
    pub state_dir: Option<PathBuf>,
    /// How long what has been read may take to be delivered, once the pipeline is to stop.
    pub deadline: Duration,
    /// The bounds on memory and work.
    pub limits: Limits,
}

/// Where events come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SourceConfig {
    /// The standard input of the process; at most one pipeline of a process reads it.
    Stdin,
    /// Files that are read once.
    File(FileSourceConfig),
    /// Files that are read and followed as they grow, from where they were delivered to.
    Follow(FollowConfig),
}

impl SourceConfig {
    /// Returns whether what has been read and not delivered is read again.
    pub fn is_replayable(&self) -> bool {
        matches!(self, Self::Follow(_))
    }
}

/// One stage, as it stands in the list.
#[derive(Clone, PartialEq, Debug)]
pub enum StageConfig {
    /// Keeps the events for which a condition holds.
    Filter(FilterConfig),
    /// Keeps a reproducible share of the events.
    Sample(SampleConfig),
    /// Cuts the texts of an event to a budget.
    Truncate(TruncateConfig),
}

/// One branch of a pipeline.
#[derive(Clone, PartialEq, Debug)]
pub struct OutputConfig {
    /// Its name, unique in the pipeline; `None` for the only branch of a pipeline that has a plain `sink`.
    pub name: Option<String>,
    /// The stages of this branch alone, which come after the shared ones.
    pub stages: Vec<StageConfig>,
    /// What is written of an event.
    pub encode: EncodeConfig,
    /// Where it is written.
    pub sink: SinkConfig,
}

/// Where events go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SinkConfig {
    /// The standard output of the process; at most one output of a process writes it.
    Stdout,
    /// A file.
    File(FileSinkConfig),
    /// Nowhere: events are counted as written and forgotten.
    Null,
    /// A destination that takes batches, each as one piece.
    Upload(Box<UploadSinkConfig>),
}

impl SinkConfig {
    /// Returns what kind of sink it is, in the word that metrics and errors have for it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::File(_) => "file",
            Self::Null => "null",
            Self::Upload(config) => config.destination.kind(),
        }
    }
}

/// The HTTP endpoint for metrics and health, and for more to whoever has the token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdminConfig {
    /// The address to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// What must be sent to be told more than metrics and health; `None` tells nobody more.
    pub token: Option<Secret>,
    /// How events may be watched; `None` if not at all.
    pub tap: Option<TapConfig>,
}

impl AdminConfig {
    /// Where it listens if nothing is said.
    pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9598);
}

/// How events may be watched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TapConfig {
    /// Fields whose values are never shown, by top-level names or dotted paths.
    pub redact: Vec<String>,
    /// The events that one watcher is shown in a second.
    pub max_events_per_second: u64,
}

/// The bounds of a pipeline on memory and work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The longest line in bytes that is still an event, 2 bytes to 64 MiB; longer ones are skipped and counted.
    pub max_event_bytes: usize,
    /// The bytes a source reads at once, 16 bytes to 16 MiB.
    pub chunk_bytes: usize,
    /// The batches that a channel between two tasks holds, 1 to 1024.
    pub channel_batches: usize,
    /// The decoders that work side by side, 1 to 256.
    pub decoders: usize,
    /// The chunk bytes held at any moment between source and sinks; at least two chunks.
    pub held_bytes: usize,
}

impl Default for Limits {
    /// Returns the bounds of a pipeline that names none: a decoder for each core that this process may use.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            max_event_bytes: 4 << 20,
            chunk_bytes: 512 << 10,
            channel_batches: 4,
            decoders: cores.min(keys::MAX_DECODERS),
            held_bytes: 32 << 20,
        }
    }
}

/// What the files of one process say.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The pipelines in the order of the files. A file with `jobs` has one for each job that is enabled, which may be
    /// none.
    pub pipelines: Vec<PipelineConfig>,
    /// What is legal and surely unwanted, like a filter that can never hold.
    pub warnings: Vec<Problem>,
    /// What is worth knowing and stands in the way of nothing, like a job that is not enabled.
    pub notes: Vec<Problem>,
}

/// Reads the pipelines of one process from files, replacing `${VAR}` from the environment of the process.
///
/// Besides the files it looks at the directories that their paths and globs name, to find pipelines that would write
/// to the same file or read what they write. A file of tests that is given together with its pipeline, as `*.yaml` gives
/// it, is passed over.
///
/// # Errors
///
/// All problems of all files, each with its place; there is no pipeline then, not even from a file without problems.
/// A file that cannot be read is a problem like the others.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, Problems> {
    let mut files = Vec::with_capacity(paths.len());
    let mut problems = Vec::new();
    for path in paths.iter().filter(|path| !pipeline_test::stands_beside(path, paths)) {
        match ConfigFile::open(path) {
            Ok(file) => files.push(file),
            Err(unreadable) => problems.extend(unreadable.iter().cloned()),
        }
    }
    // A variable that is not UTF-8 cannot be part of a text; it counts as not set.
    judge(files, &|name| std::env::var(name).ok(), problems)
}

/// Reads the pipelines of one process from texts, replacing `${VAR}` by what `env` returns.
///
/// # Errors
///
/// As [`load`].
pub fn load_texts(files: Vec<ConfigFile>, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Problems> {
    judge(files, env, Vec::new())
}

/// Reads what a pipeline file says of stages and encoding, to see what they do to events: without the source, the sinks and
/// the addresses that it has, and without its tests. What is wrong there, and variables that are not set, stand in the way
/// of nothing.
///
/// # Errors
///
/// All problems of the rest of the file, each with its place.
pub fn load_stages(path: &Path, jobs: Jobs) -> Result<Vec<PipelineConfig>, Problems> {
    let doc = Doc::new(ConfigFile::open(path)?);
    let mut report = Report::new(&doc);
    let env = |name: &str| std::env::var(name).ok();
    let reduce = |root: &mut _, report: &mut _| stages_only::reduce_to_stages(root, jobs, report);
    let root = reduced(&doc, reduce, &env, &mut report);
    let [problems, ..] = report.finish();
    match root.and_then(|root| read::pipelines(&root, &doc)).filter(|_| problems.is_empty()) {
        Some(pipelines) => Ok(pipelines),
        None => Err(Problems::new(problems)),
    }
}

/// Reads where the admin endpoint of a pipeline file is, and nothing else of it: what is wrong with the rest, and variables
/// that are not set there, stand in the way of nothing. Without a token if that cannot be had here, and without `tap`.
///
/// # Errors
///
/// All problems of `admin`, or what makes the file no YAML.
pub fn load_admin(path: &Path) -> Result<Option<AdminConfig>, Problems> {
    let doc = Doc::new(ConfigFile::open(path)?);
    let mut report = Report::new(&doc);
    let env = |name: &str| std::env::var(name).ok();
    let reduce = |root: &mut _, report: &mut _| stages_only::reduce_to_admin(root, &env, report);
    let root = reduced(&doc, reduce, &env, &mut report);
    let [problems, ..] = report.finish();
    match root.filter(|_| problems.is_empty()) {
        Some(root) => Ok(root.get("admin").and_then(read::admin)),
        None => Err(Problems::new(problems)),
    }
}

/// Checks a Logpush job as Logpush's API takes it: a file with its JSON and nothing else. Nothing is replaced in it.
///
/// What is returned is worth knowing and stands in the way of nothing.
///
/// # Errors
///
/// All problems of the job, each with its place and, where it is known, the code that the API gives.
pub fn check_job(file: ConfigFile) -> Result<Vec<Problem>, Problems> {
    let doc = Doc::new(file);
    let mut report = Report::new(&doc);
    if let Some(root) = parsed(&doc, &mut report) {
        let job = walk::walk_job(&root, &doc, &mut report);
        rules::check_job(&job, &Limits::default(), &doc, &mut report);
        warnings::check_job(&job, &doc, &mut report);
    }
    let [problems, mut notes, remarks] = report.finish();
    notes.extend(remarks);
    if problems.is_empty() { Ok(notes) } else { Err(Problems::new(problems)) }
}

/// Reads a file of JSON, or of the YAML that says the same, as what it is: trailing commas are allowed in it. Numbers that
/// JSON could not hold as they are written, like one of 400 digits, come as texts.
///
/// # Errors
///
/// If it is neither.
pub fn read_json(file: ConfigFile) -> Result<serde_json::Value, Problems> {
    let doc = Doc::new(file);
    let mut report = Report::new(&doc);
    let root = parsed(&doc, &mut report);
    let [problems, ..] = report.finish();
    match root {
        Some(root) if problems.is_empty() => Ok(root.to_json()),
        _ => Err(Problems::new(problems)),
    }
}

/// Returns what a file holds; of one that is not understood, nothing is shown that may be a secret.
fn parsed<'d>(doc: &'d Doc, report: &mut Report<'d>) -> Option<tree::Node> {
    let root = tree::parse(doc, report);
    if root.is_none() {
        report.hide_likely_secrets();
    }
    root
}

/// Checks what `reduce` leaves of a file; `None` if the file is not understood at all.
fn reduced<'d>(
    doc: &'d Doc,
    reduce: impl FnOnce(&mut tree::Node, &mut Report<'d>),
    env: &dyn Fn(&str) -> Option<String>,
    report: &mut Report<'d>,
) -> Option<walk::Checked> {
    let mut root = parsed(doc, report)?;
    reduce(&mut root, report);
    let root = walk::walk(&root, doc, env, report);
    rules::check(&root, doc, report);
    Some(root)
}

/// Reads all files, adding to the problems there are already.
fn judge(
    files: Vec<ConfigFile>,
    env: &dyn Fn(&str) -> Option<String>,
    mut problems: Vec<Problem>,
) -> Result<Loaded, Problems> {
    let docs: Vec<Doc> = files.into_iter().map(Doc::new).collect();
    let mut reports: Vec<Report<'_>> = docs.iter().map(Report::new).collect();
    let mut roots = Vec::with_capacity(docs.len());
    for (doc, report) in docs.iter().zip(&mut reports) {
        let root = parsed(doc, report).map(|root| walk::walk(&root, doc, env, report));
        if let Some(root) = &root {
            rules::check(root, doc, report);
            warnings::check(root, doc, report);
        }
        roots.push(root);
    }
    across::check(&roots, &docs, &mut reports);
    let (mut warnings, mut notes) = (Vec::new(), Vec::new());
    for report in reports {
        let [refused, unwanted, remarks] = report.finish();
        problems.extend(refused);
        warnings.extend(unwanted);
        notes.extend(remarks);
    }
    if !problems.is_empty() {
        return Err(Problems::new(problems));
    }
    let pipelines = roots.iter().zip(&docs).flat_map(|(root, doc)| {
        let pipelines = root.as_ref().and_then(|root| read::pipelines(root, doc));
        pipelines.expect("a file without problems has every part of its pipelines")
    });
    Ok(Loaded { pipelines: pipelines.collect(), warnings, notes })
}
