//! What `logweir test` is told.

use std::path::PathBuf;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Runs all tests of a pipeline.
  logweir test errors.yaml

  # Runs those with `checkout` in their name.
  logweir test --filter checkout errors.yaml

  # Tests all pipelines, each of which must have tests, for continuous integration.
  logweir test --require --junit results.xml pipelines/*.yaml";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TestArgs {
    /// The pipeline files, each tested by itself.
    #[arg(required = true, value_name = "FILE.yaml")]
    pub(crate) files: Vec<PathBuf>,
    /// Runs only tests that have this text in their name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Writes the results to a file as well, as XML for continuous integration.
    #[arg(long, value_name = "FILE.xml")]
    pub(crate) junit: Option<PathBuf>,
    /// Ends with exit code 2 if one of the files has no tests.
    #[arg(long)]
    pub(crate) require: bool,
}
