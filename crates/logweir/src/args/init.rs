//! What `logweir init` is told.

use std::path::PathBuf;

use clap::ValueEnum;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Asks a few questions and writes logweir.yaml.
  logweir init

  # Follows log files and writes what went wrong to files of each day.
  logweir init errors.yaml --input '/var/log/workers/*.ndjson' --keep-errors --to file --output 'errors/{DATE}.ndjson'

  # All errors and a tenth of the rest to a bucket, with an admin endpoint.
  logweir init shop.yaml --keep-errors --sample 0.1 --to s3 --output my-bucket/workers/{DATE} --admin

  # Prints a pipeline for a pipe instead of writing a file.
  logweir init --from stdin --to stdout -";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct InitArgs {
    /// The file to write; `-` prints it on standard output.
    #[arg(default_value = "logweir.yaml")]
    pub(crate) file: PathBuf,
    /// Where events come from.
    #[arg(long, value_enum, value_name = "SOURCE")]
    pub(crate) from: Option<From>,
    /// A path or glob of the files to read; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) input: Vec<String>,
    /// Where they go.
    #[arg(long, value_enum, value_name = "SINK")]
    pub(crate) to: Option<To>,
    /// The file, the `BUCKET/PREFIX` or the URL they go to.
    #[arg(long, value_name = "WHERE")]
    pub(crate) output: Option<String>,
    /// Keeps events whose Worker failed or answered 5xx: only those, or with `--sample` all of those.
    #[arg(long)]
    pub(crate) keep_errors: bool,
    /// Keeps this share of the events, above 0 and at most 1.
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub(crate) sample: Option<f64>,
    /// Cuts logs and exceptions of an event to this many characters together.
    #[arg(long, value_name = "N")]
    pub(crate) truncate: Option<u64>,
    /// Serves metrics and health on 127.0.0.1:9598, where `logweir top` looks.
    #[arg(long)]
    pub(crate) admin: bool,
    /// Asks nothing; what is not given is as it is by default.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Writes over a file that is there.
    #[arg(long)]
    pub(crate) force: bool,
}

/// Where events come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum From {
    /// Files that grow and are rotated, for ever.
    Follow,
    /// Files as they are, to their end.
    Once,
    /// Standard input.
    Stdin,
}

/// Where events go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum To {
    /// Standard output.
    Stdout,
    /// Files.
    File,
    /// Amazon S3, or what speaks like it.
    S3,
    /// Cloudflare R2.
    R2,
    /// An HTTP endpoint.
    Http,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate <= 1.0 => Ok(rate),
        _ => Err("write a share above 0 and at most 1, as 0.1 for a tenth".to_owned()),
    }
}
