//! What a pipeline is to do.

use anyhow::{Context as _, bail};

use crate::args::{From, InitArgs, To};

/// The files that are read if none are named.
pub(super) const DEFAULT_INPUT: &str = "/var/log/workers/*.ndjson";

/// What the pipeline is to do, all decided.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Plan {
    pub(super) from: From,
    /// Not empty where files are read.
    pub(super) inputs: Vec<String>,
    pub(super) to: To,
    /// The file, `BUCKET/PREFIX` or URL; empty for standard output.
    pub(super) output: String,
    pub(super) keep_errors: bool,
    pub(super) sample: Option<f64>,
    pub(super) truncate: Option<u64>,
    pub(super) admin: bool,
}

impl Plan {
    /// Tells whether the command line says nothing of what the pipeline is to do.
    pub(super) fn is_unsaid(args: &InitArgs) -> bool {
        let InitArgs { from, input, to, output, keep_errors, sample, truncate, admin, .. } = args;
        from.is_none()
            && input.is_empty()
            && to.is_none()
            && output.is_none()
            && !keep_errors
            && sample.is_none()
            && truncate.is_none()
            && !admin
    }

    /// Returns the plan of a command line; what it does not say is as it is by default.
    ///
    /// # Errors
    ///
    /// If what it says does not fit together.
    pub(super) fn of(args: &InitArgs) -> anyhow::Result<Self> {
        let from = args.from.unwrap_or(From::Follow);
        if from == From::Stdin && !args.input.is_empty() {
            bail!("`--input` names files, and `--from stdin` reads none: leave one of them out");
        }
        let is_bare = from != From::Stdin && args.input.is_empty();
        let inputs = if is_bare { vec![DEFAULT_INPUT.to_owned()] } else { args.input.clone() };
        let to = args.to.unwrap_or(if from == From::Stdin { To::Stdout } else { To::File });
        if to == To::Stdout && args.output.is_some() {
            bail!(
                "`--output` names where events go, and `--to stdout` needs none: name another sink with `--to`"
            );
        }
        let output = args.output.clone().unwrap_or_else(|| default_output(to).to_owned());
        check_output(to, &output)?;
        if args.truncate == Some(0) {
            bail!("`--truncate 0` would cut everything: give a budget of 1 or more, as Logpush's 16384");
        }
        let &InitArgs { keep_errors, sample, truncate, admin, .. } = args;
        Ok(Self { from, inputs, to, output, keep_errors, sample, truncate, admin })
    }

    /// Returns the variables of the environment that the pipeline needs.
    pub(super) fn variables(&self) -> &'static [&'static str] {
        match self.to {
            To::R2 => &["R2_ACCOUNT_ID", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"],
            To::Http => &["LOGS_TOKEN"],
            To::Stdout | To::File | To::S3 => &[],
        }
    }

    /// Returns the bucket and what stands before its objects' names.
    pub(super) fn bucket(&self) -> (&str, &str) {
        self.output.split_once('/').unwrap_or((&self.output, ""))
    }
}

/// Returns where events go if nothing is said.
pub(super) fn default_output(to: To) -> &'static str {
    match to {
        To::Stdout => "",
        To::File => "events/{DATE}.ndjson",
        To::S3 | To::R2 => "my-bucket/workers/{DATE}",
        To::Http => "https://logs.example.com/events",
    }
}

/// Checks that the output is of the kind that the sink takes.
///
/// # Errors
///
/// If it is not, with what is wanted.
pub(super) fn check_output(to: To, output: &str) -> anyhow::Result<()> {
    match to {
        To::File if output.is_empty() => bail!("`--output`: a path is wanted, like `{}`", default_output(to)),
        To::Stdout | To::File => Ok(()),
        To::S3 | To::R2 => {
            let bucket = output.split('/').next().unwrap_or_default();
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            let is_bucket = (3..=63).contains(&bucket.len()) && bucket.chars().all(is_name);
            is_bucket.then_some(()).with_context(|| {
                format!("`--output`: a bucket is wanted, maybe with a prefix, like `{}`", default_output(to))
            })
        }
        To::Http if output.contains(['@', '?']) => bail!(
            "`--output`: this URL may hold a secret, which a file should not: leave out what is behind `?` and before \
             `@`, and put a `${{VARIABLE}}` there in the file"
        ),
        To::Http => {
            (output.starts_with("https://") || output.starts_with("http://")).then_some(()).with_context(
                || format!("`--output`: the URL that takes events is wanted, like `{}`", default_output(to)),
            )
        }
    }
}
