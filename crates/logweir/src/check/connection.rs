//! How what `--connect` found is written.

use logweir_pipeline::{Finding, Grade};

/// Returns what was found, and on a line below what to do about it where it is not good.
pub(super) fn line(finding: &Finding) -> String {
    let Finding { pipeline, component, message, help, .. } = finding;
    let help = help.iter().map(|help| format!("\n        help: {help}"));
    let grade = format!("{:<6}", word(finding.grade));
    format!("{grade}  {pipeline}: {component}: {message}{}", help.collect::<String>())
}

/// Returns a grade in one word.
pub(super) fn word(grade: Grade) -> &'static str {
    match grade {
        Grade::Ok => "ok",
        Grade::Warn => "warn",
        Grade::Failed => "FAILED",
    }
}
