//! The grammar of `destination_conf`: a URL whose scheme says what kind of destination it is, and whose query says how
//! to reach it.
//!
//! It is the grammar that Logpush documents, so that the text of a job can be pasted here, with three additions for
//! servers of one's own: `endpoint=`, which may begin with `http://`, for each of the object stores; `profile=` and
//! `session-token=` for S3; `file:///directory`. A parameter's value is percent-decoded; a plus sign is a plus sign.

mod conf;
mod http;
mod store;

use conf::Conf;

use super::config::DestinationConfig;

/// The length of a `destination_conf` in characters that Logpush allows.
const MAX_CHARACTERS: usize = 4096;

/// The destinations there are.
const SCHEMES: [&str; 10] =
    ["s3", "r2", "gs", "azure", "https", "splunk", "datadog", "sumo", "sentinelone", "file"];

/// Those that Logpush has besides, and what they are called.
const FOREIGN: [(&str, &str); 4] = [
    ("kinesis", "Amazon Kinesis"),
    ("bq", "BigQuery"),
    ("ibmcl", "IBM Cloud Logs"),
    ("pipelines", "Cloudflare Pipelines"),
];

/// Something that is wrong with a `destination_conf`. It shows no value of a parameter, as any may be a secret.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{message}")]
pub struct DestinationProblem {
    /// Where in the text it is wrong, in bytes.
    pub offset: usize,
    /// How many bytes from there on are at fault.
    pub n_bytes: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl DestinationConfig {
    /// Returns the destination that a `destination_conf` of a Logpush job names.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, in the order of the text; never nothing.
    pub fn parse(text: &str) -> Result<Self, Vec<DestinationProblem>> {
        let conf = Conf::split(text)?;
        match conf.scheme() {
            "s3" => conf.read(store::s3),
            "r2" => conf.read(store::r2),
            "gs" => conf.read(store::gs),
            "azure" => conf.read(store::azure),
            "file" => conf.read(store::file),
            "https" => conf.read(http::https),
            "splunk" => conf.read(http::splunk),
            "datadog" => conf.read(http::datadog),
            "sumo" => conf.read(http::sumo),
            "sentinelone" => conf.read(http::sentinelone),
            _ => Err(vec![conf.unknown_scheme()]),
        }
    }
}

/// Returns the word that somebody may have meant.
fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(word, &wrong.to_lowercase()), *word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
