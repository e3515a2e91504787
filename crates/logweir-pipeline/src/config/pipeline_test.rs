//! Tests of a pipeline, as its file or the file beside it has them.
//!
//! A test knows nothing but stages and encoding. So what is read and where it is written is taken out of a file before it
//! is checked ([`stages_only`]): a machine that tests pipelines has no credentials, and needs none.

use std::fmt;
use std::path::{Path, PathBuf};

use super::problem::Report;
use super::read;
use super::rules::{self, TestTarget};
use super::text::Doc;
use super::walk::{self, Checked, Value};
use super::{ConfigFile, PipelineConfig, Problems, keys, parsed, reduced, stages_only};

/// What a file says about its tests.
#[derive(Clone, PartialEq, Debug)]
pub struct TestedFile {
    /// Its pipelines, as far as tests know them: without the source, the sinks and the addresses that the file has. There is
    /// one for each job, enabled or not.
    pub pipelines: Vec<PipelineConfig>,
    /// The tests in the file, and behind them those beside it.
    pub tests: Vec<PipelineTest>,
}

/// Events, and what is to become of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipelineTest {
    /// What the test shows; no two of a file have the same name.
    pub name: String,
    /// Where it is written, as `errors.yaml:12:5`.
    pub place: String,
    /// The pipeline that is tested, by its index in [`TestedFile::pipelines`].
    pub pipeline: usize,
    /// The output that is looked at, by its index in the pipeline.
    pub output: usize,
    /// The events.
    pub input: TestInput,
    /// What is to become of them.
    pub expected: Expectation,
}

/// The events of a test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TestInput {
    /// These, as the test has them.
    Events(Vec<TestEvent>),
    /// The lines of a file.
    File(PathBuf),
}

/// What is to become of events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expectation {
    /// These are written, in this order, and nothing else.
    Events(Vec<TestEvent>),
    /// The lines of a file are written, byte for byte.
    File(PathBuf),
    /// None is written, all of them for this reason: the name that metrics have for it.
    Dropped(&'static str),
}

/// An event as a test gives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TestEvent {
    /// A line, byte for byte, without its line feed.
    Line(String),
    /// A value of JSON on one line. In an expectation only its meaning counts, not how it is written.
    Json(String),
}

impl TestEvent {
    /// Returns it as a line.
    pub fn text(&self) -> &str {
        match self {
            Self::Line(text) | Self::Json(text) => text,
        }
    }
}

impl fmt::Display for TestEvent {
    /// Writes it as a line, without a line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Reads the tests of a pipeline file, and those in the file beside it: `errors.test.yaml` for `errors.yaml`.
///
/// Of the pipeline it checks what a test depends on, which is all but source, sinks, `state_dir`, `dead_letter`, `admin` and
/// `shutdown`. Variables are replaced from the environment of the process, where they are needed.
///
/// # Errors
///
/// All problems of both files, each with its place.
pub fn load_tests(path: &Path) -> Result<TestedFile, Problems> {
    let file = ConfigFile::open(path)?;
    let beside = beside(path);
    let beside = if beside.exists() { Some(ConfigFile::open(&beside)?) } else { None };
    load_test_texts(file, beside, &|name| std::env::var(name).ok())
}

/// Returns where the tests of a pipeline file are that are not in it: `errors.test.yaml` for `errors.yaml`.
fn beside(path: &Path) -> PathBuf {
    let ending = path.extension().map_or_else(Default::default, |ending| ending.to_string_lossy());
    path.with_extension(format!("test.{ending}"))
}

/// Returns whether a file has the tests of one of some pipeline files.
pub(super) fn stands_beside(path: &Path, pipelines: &[PathBuf]) -> bool {
    pipelines.iter().any(|pipeline| beside(pipeline) == path)
}

/// Reads the tests of a pipeline from its text, and from that of a file beside it if there is one, replacing `${VAR}` by what
/// `env` returns.
///
/// # Errors
///
/// As [`load_tests`].
pub fn load_test_texts(
    file: ConfigFile,
    beside: Option<ConfigFile>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<TestedFile, Problems> {
    let doc = Doc::new(file);
    let mut report = Report::new(&doc);
    let root = reduced(&doc, stages_only::reduce_to_tests, env, &mut report);
    let [mut problems, ..] = report.finish();
    let beside = beside.map(Doc::new);
    let tests_beside = beside.as_ref().and_then(|beside| {
        let mut report = Report::new(beside);
        let tests = parsed(beside, &mut report).map(|tests| walk::walk_tests(&tests, beside, &mut report));
        if let (Some(tests), Some(root)) = (&tests, &root) {
            rules::check_tests(tests, beside, root, &doc, &mut report);
        }
        let [more, ..] = report.finish();
        problems.extend(more);
        tests
    });
    let lists = [root.as_ref().zip(Some(&doc)), tests_beside.as_ref().zip(beside.as_ref())];
    match root.as_ref().and_then(|root| tested_file(root, &doc, lists)).filter(|_| problems.is_empty()) {
        Some(file) => Ok(file),
        None => Err(Problems::new(problems)),
    }
}

/// Returns the pipelines of a file and its tests from some files; `None` where something is bad.
fn tested_file(root: &Checked, doc: &Doc, lists: [Option<(&Checked, &Doc)>; 2]) -> Option<TestedFile> {
    let mut tests = Vec::new();
    for (list, list_doc) in lists.into_iter().flatten() {
        for test in list.get("tests").map_or(&[][..], Checked::items) {
            tests.push(read_test(test, list_doc, root, doc)?);
        }
    }
    Some(TestedFile { pipelines: read::pipelines(root, doc)?, tests })
}

/// Returns a test of a pipeline; `None` where something is missing or bad, which has been reported.
fn read_test(test: &Checked, doc: &Doc, root: &Checked, root_doc: &Doc) -> Option<PipelineTest> {
    let TestTarget { pipeline, output } = rules::test_target(test, root, root_doc)?;
    let name = test.get("name")?;
    // Files stand beside the pipeline file, wherever the command is called.
    let path = |key: &str| {
        let below = test.get(key)?.text()?;
        Some(root_doc.path().parent().unwrap_or(Path::new("")).join(below))
    };
    let input = match events(test.get("input")) {
        Some(events) => TestInput::Events(events),
        None => TestInput::File(path("input_file")?),
    };
    let expected = match (events(test.get("expect")), path("expect_file")) {
        (Some(events), _) => Expectation::Events(events),
        (None, Some(path)) => Expectation::File(path),
        (None, None) => {
            let reason = test.get("expect_dropped")?.text()?;
            Expectation::Dropped(keys::REASONS.iter().find(|known| **known == reason)?)
        }
    };
    let place = doc.cite(name.place);
    Some(PipelineTest { name: name.text()?.to_owned(), place, pipeline, output, input, expected })
}

fn events(value: Option<&Checked>) -> Option<Vec<TestEvent>> {
    match &value?.value {
        Value::Events(events) => Some(events.clone()),
        _ => None,
    }
}
