//! What the texts say holds: their commands run, their pipelines are good, their links lead somewhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod commands;
mod links;
mod markdown;
mod pipelines;

use std::fs;
use std::path::{Path, PathBuf};

use markdown::Text;

/// Returns the root of the workspace.
fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("the crate lies two directories below the workspace").to_owned()
}

/// Returns the texts of a directory of the workspace, not of those below it.
fn texts(directory: &str) -> Vec<Text> {
    let mut names: Vec<_> = fs::read_dir(workspace().join(directory))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names.iter().map(|name| Text::read(&workspace(), Path::new(directory).join(name))).collect()
}

/// Fails with all that was found wrong.
#[track_caller]
fn check_none(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}
