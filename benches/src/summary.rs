//! What `logweir run --summary json` says of a pipeline with one sink.

use anyhow::Context as _;
use serde::Deserialize;

/// The ledger of one pipeline at the end.
#[derive(Clone, Deserialize)]
pub(crate) struct Summary {
    pub(crate) read: u64,
    pub(crate) written: u64,
    pub(crate) filtered: u64,
    pub(crate) sampled_out: u64,
    pub(crate) malformed: Malformed,
    pub(crate) oversized: u64,
    pub(crate) failed: u64,
    pub(crate) returned: u64,
    pub(crate) truncated: u64,
    pub(crate) truncated_characters: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) balanced: bool,
}

/// Lines that are no events, by reason.
#[derive(Clone, Deserialize)]
#[expect(clippy::struct_field_names, reason = "these are the reasons' names")]
pub(crate) struct Malformed {
    pub(crate) not_utf8: u64,
    pub(crate) not_json: u64,
    pub(crate) not_object: u64,
}

#[derive(Deserialize)]
struct Run {
    pipelines: Vec<Summary>,
}

impl Summary {
    /// Returns the summary on the last line of what was written to standard error.
    ///
    /// # Errors
    ///
    /// If that line is no summary of one pipeline.
    pub(crate) fn read(stderr: &str) -> anyhow::Result<Self> {
        let last = stderr.lines().next_back().context("standard error is empty")?;
        let run: Run = serde_json::from_str(last).context("the last line of standard error is no summary")?;
        let [summary] = <[Self; 1]>::try_from(run.pipelines)
            .map_err(|summaries| anyhow::anyhow!("{} pipelines have run, not one", summaries.len()))?;
        Ok(summary)
    }
}
