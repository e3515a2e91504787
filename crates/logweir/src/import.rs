//! `logweir import`
//!
//! Jobs are read from whatever has them into one form ([`Job`]), in which a text may have variables; secrets may become
//! variables too; and the form is written as a pipeline file, which is checked before anything is printed.

mod api;
mod evaluate;
mod secrets;
mod terraform;
mod value;
mod write;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use logweir_pipeline::{ConfigFile, Problem, load_texts};

use self::terraform::Terraform;
use self::value::Job;
use crate::EXIT_CONFIGURATION;
use crate::args::ImportArgs;
use crate::check::print_notes;
use crate::job::read;
use crate::print::print;

/// What the pipeline file is called in what is said about it, as it has no name yet.
const NAME: &str = "pipeline.yaml";

/// Jobs that were found, and what there is to say about how they were understood.
#[derive(Default)]
struct Imported {
    jobs: Vec<Job>,
    notes: Vec<String>,
}

/// Prints the pipeline file of the jobs in some files.
pub(crate) fn import(args: &ImportArgs) -> ExitCode {
    match imported(args) {
        Ok(text) => print(text.trim_end()),
        Err(problems) => {
            let _ = writeln!(io::stderr(), "{}", problems.join("\n\n"));
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}

/// Returns the pipeline file of the jobs in some files, or all that is wrong with them.
fn imported(args: &ImportArgs) -> Result<String, Vec<String>> {
    let Imported { mut jobs, notes } = jobs_of(&args.files)?;
    let mut values = HashMap::new();
    if args.secrets_to_env {
        let secrets = secrets::to_variables(&mut jobs);
        for secret in &secrets {
            let _ = writeln!(io::stderr(), "set {}: {}", secret.name, secret.what);
        }
        values.extend(secrets.into_iter().map(|secret| (secret.name, secret.value)));
    }
    for note in notes {
        let _ = writeln!(io::stderr(), "note: {note}");
    }
    let text = write::pipeline_file(&jobs).map_err(|problem| vec![problem])?;
    print_notes(&check(&text, &values)?);
    Ok(text)
}

/// Returns all jobs of some files.
fn jobs_of(paths: &[PathBuf]) -> Result<Imported, Vec<String>> {
    let mut found = Imported::default();
    let mut terraform = Terraform::default();
    let mut problems = Vec::new();
    for path in paths {
        let file = match read(path) {
            Ok(file) => file,
            Err(unreadable) => {
                problems.push(unreadable.to_string());
                continue;
            }
        };
        if is_terraform(&file) {
            terraform.add(&file).unwrap_or_else(|problem| problems.push(problem));
        } else {
            let jobs = api::jobs(file);
            jobs.map_or_else(|problem| problems.push(problem), |jobs| found.jobs.extend(jobs));
        }
    }
    let from_terraform = terraform.jobs(&mut problems);
    found.jobs.extend(from_terraform.jobs);
    found.notes.extend(from_terraform.notes);
    if found.jobs.is_empty() && problems.is_empty() {
        problems.push(String::from("there is no job in these files"));
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// Returns whether a file is Terraform's: by its name, or, where it has none, by not being JSON.
fn is_terraform(file: &ConfigFile) -> bool {
    match file.path.extension() {
        Some(ending) => ending == "tf" || ending == "hcl",
        None => !file.text.trim_start().starts_with(['{', '[']),
    }
}

/// Checks a pipeline file whose variables have the values that are known; returns what is worth a note.
fn check(text: &str, values: &HashMap<String, String>) -> Result<Vec<Problem>, Vec<String>> {
    let file = ConfigFile { path: Path::new(NAME).to_owned(), text: text.to_owned() };
    let env = |name: &str| values.get(name).cloned();
    match load_texts(vec![file], &env) {
        Ok(loaded) => Ok(loaded.notes),
        Err(problems) => {
            // What is not known yet may be anything.
            let is_certain = |problem: &&Problem| {
                let line = text.lines().nth(problem.line.saturating_sub(1)).unwrap_or_default();
                unknown(line).all(|name| values.contains_key(name))
            };
            let certain: Vec<_> = problems.iter().filter(is_certain).map(Problem::to_string).collect();
            if certain.is_empty() { Ok(Vec::new()) } else { Err(certain) }
        }
    }
}

/// Returns the names of the variables of a line that have no default.
fn unknown(line: &str) -> impl Iterator<Item = &str> {
    // What is meant as it is written is `$${`.
    let starts = line.match_indices("${").filter(|(at, _)| !line[..*at].ends_with('$'));
    let inner = starts.filter_map(|(at, _)| Some(line[at + 2..].split_once('}')?.0));
    inner.filter(|inner| !inner.contains(":-"))
}
