//! What `logweir import` is told.

use std::path::PathBuf;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Makes a pipeline file of the jobs of an account.
  curl -s -H \"Authorization: Bearer $TOKEN\" \\
    https://api.cloudflare.com/client/v4/accounts/$ACCOUNT/logpush/jobs | logweir import - > jobs.yaml

  # Makes one of Terraform files, with the secrets left to the environment.
  logweir import --secrets-to-env logpush.tf > jobs.yaml";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// The files with jobs; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Writes `${VARIABLE}` for each secret, and says on standard error which variables are to be set.
    #[arg(long)]
    pub(crate) secrets_to_env: bool,
}
