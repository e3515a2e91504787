//! `logweir test`
//!
//! The tests of a pipeline file run through the very stages that a run has, so what they show is what a run does.

mod diff;
mod json;
mod judge;
mod junit;
mod report;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use logweir_pipeline::{PipelineTest, TestedFile, load_tests};

use self::judge::{Failure, judge};
use crate::args::TestArgs;
use crate::{EXIT_CONFIGURATION, EXIT_FAILED};

/// The tests of one file and what came of them.
struct Suite {
    file: PathBuf,
    /// The names of the file's pipelines, one for each job.
    pipelines: Vec<String>,
    ran: Vec<Ran>,
    /// Whether the file has no tests at all, whatever the filter says.
    is_bare: bool,
}

/// A test that was run.
struct Ran {
    test: PipelineTest,
    /// What went otherwise than expected, if anything did.
    failure: Option<Failure>,
    took: Duration,
}

/// Runs the tests of the files and says what came of them.
pub(crate) fn test(args: &TestArgs) -> ExitCode {
    if let Some(path) = &args.junit
        && let Some(why) = objection(path, &args.files)
    {
        complain(&format!("--junit {}: {why}, as in `--junit results.xml FILE…`", path.display()));
        return ExitCode::from(EXIT_CONFIGURATION);
    }
    let Some(files) = load(&args.files) else { return ExitCode::from(EXIT_CONFIGURATION) };
    let suites: Vec<Suite> = files.into_iter().map(|(path, file)| run(path, file, args)).collect();
    let is_printed = report::print(&suites);
    if let Some(path) = &args.junit
        && let Err(error) = std::fs::write(path, junit::document(&suites))
    {
        complain(&format!("the results cannot be written to {}: {error}", path.display()));
        return ExitCode::from(EXIT_FAILED);
    }
    exit_code(&suites, args, is_printed)
}

/// Returns what the run as a whole comes to.
fn exit_code(suites: &[Suite], args: &TestArgs, is_printed: bool) -> ExitCode {
    let n_ran: usize = suites.iter().map(|suite| suite.ran.len()).sum();
    for suite in suites.iter().filter(|suite| suite.is_bare) {
        complain(&format!(
            "note: {} has no tests: write some under `tests`, or in {}",
            suite.file.display(),
            suite.file.with_extension("test.yaml").display()
        ));
    }
    let any_bare = suites.iter().any(|suite| suite.is_bare);
    if n_ran == 0 {
        complain(match &args.filter {
            Some(_) if !any_bare => "no test was run: none has this text in its name, see `--filter`",
            _ => "no test was run",
        });
        return ExitCode::from(EXIT_CONFIGURATION);
    }
    if suites.iter().flat_map(|suite| &suite.ran).any(|ran| ran.failure.is_some()) || !is_printed {
        return ExitCode::from(EXIT_FAILED);
    }
    if any_bare && args.require {
        return ExitCode::from(EXIT_CONFIGURATION);
    }
    ExitCode::SUCCESS
}

/// Returns why results may not be written to a path: where its name was forgotten, the next file on the command line, or
/// whatever else is there, is not to be lost.
fn objection(path: &Path, files: &[PathBuf]) -> Option<&'static str> {
    let is_yaml =
        path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("yaml") || ending == "yml");
    if is_yaml || files.iter().any(|file| is_same(file, path)) {
        return Some("results are not written over a pipeline file; name one of their own");
    }
    if path == Path::new("-") {
        return Some("results are not printed; name a file");
    }
    let is_kept = path.is_file() && !may_be_results(path);
    is_kept.then_some("this file is there, and holds something else than results; name another one")
}

fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Returns whether a file is empty or begins as XML does.
fn may_be_results(path: &Path) -> bool {
    const XML: &[u8] = b"<?xml";
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(XML.len() as u64).read_to_end(&mut start));
    read.is_ok() && (start.is_empty() || start == XML)
}

/// Reads all files; `None` if something is wrong with one, which is said of all of them.
fn load(paths: &[PathBuf]) -> Option<Vec<(PathBuf, TestedFile)>> {
    let mut files: Vec<(PathBuf, TestedFile)> = Vec::new();
    let mut is_fine = true;
    for path in paths.iter().map(|path| pipeline_of(path)) {
        // `*.yaml` gives a pipeline file and the file of its tests, which are one.
        if files.iter().any(|(known, _)| *known == path) {
            continue;
        }
        match load_tests(&path) {
            Ok(file) => files.push((path, file)),
            Err(problems) => {
                complain(&format!("{}{problems}", if is_fine { "" } else { "\n" }));
                is_fine = false;
            }
        }
    }
    is_fine.then_some(files)
}

/// Returns the pipeline file that a file of tests stands beside; any other path as it is.
fn pipeline_of(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    for ending in ["yaml", "yml"] {
        let pipeline = text.strip_suffix(&format!(".test.{ending}")).map(|stem| format!("{stem}.{ending}"));
        if let Some(pipeline) = pipeline.map(PathBuf::from).filter(|pipeline| pipeline.exists()) {
            return pipeline;
        }
    }
    path.to_owned()
}

fn run(path: PathBuf, file: TestedFile, args: &TestArgs) -> Suite {
    let TestedFile { pipelines, tests } = file;
    let is_bare = tests.is_empty();
    let is_chosen =
        |test: &PipelineTest| args.filter.as_ref().is_none_or(|text| test.name.contains(text.as_str()));
    let ran = tests.into_iter().filter(is_chosen).map(|test| {
        let begun = Instant::now();
        let failure = judge(&test, &pipelines[test.pipeline]).err();
        Ran { test, failure, took: begun.elapsed() }
    });
    let ran = ran.collect();
    Suite {
        file: path,
        pipelines: pipelines.into_iter().map(|pipeline| pipeline.name).collect(),
        ran,
        is_bare,
    }
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
