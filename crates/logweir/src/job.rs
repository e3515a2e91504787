//! `logweir job …`

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use logweir_pipeline::{ConfigFile, Problem, Problems, check_job};
use serde_json::{Value, json};

use crate::EXIT_CONFIGURATION;
use crate::args::{JobCheckArgs, JobCommand};
use crate::check::print_notes;
use crate::print::print;

/// What the API answers where it does not take a job, if nothing else is known of the problem.
const NOT_ALLOWED: u16 = 1004;

/// Runs a command on jobs.
pub(crate) fn job(command: &JobCommand) -> ExitCode {
    match command {
        JobCommand::Check(args) => check(args),
    }
}

/// Reads a file, or standard input where it is called `-`.
pub(crate) fn read(path: &Path) -> Result<ConfigFile, Problems> {
    if path == Path::new("-") {
        return ConfigFile::read(Path::new("<stdin>"), io::stdin().lock());
    }
    ConfigFile::open(path)
}

/// Reports every problem of each job.
fn check(args: &JobCheckArgs) -> ExitCode {
    let mut lines = Vec::new();
    let mut is_fine = true;
    for path in &args.files {
        let checked = read(path).and_then(check_job);
        is_fine &= checked.is_ok();
        match (checked, args.json) {
            (checked, true) => lines.push(response(&checked).to_string()),
            (Ok(notes), false) => {
                print_notes(&notes);
                lines.push(format!("{}: fine", path.display()));
            }
            (Err(problems), false) => {
                let _ = writeln!(io::stderr(), "{problems}");
            }
        }
    }
    let printed = if lines.is_empty() { ExitCode::SUCCESS } else { print(&lines.join("\n")) };
    if is_fine { printed } else { ExitCode::from(EXIT_CONFIGURATION) }
}

/// Returns what the API would answer: its envelope, with what its endpoints for validation have as a result.
fn response(checked: &Result<Vec<Problem>, Problems>) -> Value {
    let error = |problem: &Problem| {
        let message = if problem.code.is_some() {
            problem.message.clone()
        } else {
            format!("creating a new job is not allowed: {}", problem.message)
        };
        json!({ "code": problem.code.unwrap_or(NOT_ALLOWED), "message": message })
    };
    match checked {
        Ok(notes) => {
            let messages: Vec<_> =
                notes.iter().map(|note| json!({ "code": 1000, "message": note.message })).collect();
            let result = json!({ "valid": true, "message": "" });
            json!({ "errors": [], "messages": messages, "result": result, "success": true })
        }
        Err(problems) => {
            let errors: Vec<_> = problems.iter().map(error).collect();
            json!({ "errors": errors, "messages": [], "result": null, "success": false })
        }
    }
}
