//! The destinations beyond this machine.

use std::time::Duration;

use futures::future::join_all;
use logweir_sinks::{DestinationConfig, Probed, Question, UploadError, UploadSinkConfig};
use tokio::time::timeout;

use super::{About, Finding, Findings};
use crate::build::sink_component;
use crate::config::{PipelineConfig, SinkConfig};

/// How long a destination may take in all, whatever it is allowed for each phase: a person waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks the destinations of a pipeline, all at the same time.
pub(super) async fn try_all(pipeline: &PipelineConfig) -> Vec<Finding> {
    let tried = pipeline.outputs.iter().filter_map(|output| {
        let SinkConfig::Upload(config) = &output.sink else { return None };
        if matches!(config.destination, DestinationConfig::Directory(_)) {
            return None;
        }
        Some(async move { (output, probe(config).await) })
    });
    let mut findings = Findings::of(pipeline);
    for (output, probed) in join_all(tried).await {
        let mut about = findings.about(sink_component(output));
        if let SinkConfig::Upload(config) = &output.sink {
            judge(&config.destination.to_string(), probed, &mut about);
        }
    }
    findings.list
}

/// Returns the answer of a destination; `None` if there is none in time.
async fn probe(config: &UploadSinkConfig) -> Option<Result<Option<Probed>, UploadError>> {
    timeout(PATIENCE, config.destination.probe(config.delivery.timeouts)).await.ok()
}

fn judge(name: &str, probed: Option<Result<Option<Probed>, UploadError>>, about: &mut About<'_>) {
    let Probed { status, question } = match probed {
        None => {
            let message = format!("{name}: no answer within {} s", PATIENCE.as_secs());
            return about.fail(message, "look whether something on the way keeps requests back");
        }
        Some(Err(error)) => return about.fail(format!("{name}: {error}"), what_to_do(error.status)),
        Some(Ok(None)) => return,
        Some(Ok(Some(probed))) => probed,
    };
    match (question, status) {
        (_, 401 | 403) => about.warn(
            format!("{name}: answers, and refused the credentials, or what was asked (status {status})"),
            "look at the credentials; where they may write and not read, only `--upload-test` tells, which writes a \
             small object",
        ),
        (Question::Object, 404) => about.ok(format!(
            "{name}: answers, and has no test object (status 404); whether it may be written was not tried"
        )),
        (_, 500..) => about.warn(
            format!("{name}: answers, and says that it is in trouble (status {status})"),
            "uploads wait until it is mended; see whether its owner knows",
        ),
        (Question::Object, _) => {
            about.ok(format!("{name}: answers (status {status}); whether it may be written was not tried"));
        }
        (Question::Headers, _) => about.ok(format!(
            "{name}: answers (status {status} to HEAD); that it takes what is posted was not tried"
        )),
    }
}

/// Returns what to do about a failure, by the status that stands for it.
fn what_to_do(status: u16) -> &'static str {
    match status {
        1101 => "look at the port, and whether the server runs",
        1102 => "look at the address, and whether a firewall drops what is sent there",
        1103 => "look at the certificate; one of your own is named by `ca_file`",
        1105 => "look how the name is written, and whether this machine can resolve names",
        1106 => "look whether something on the way keeps requests back",
        1104 | 1107 => "look whether the server speaks HTTP there, or only HTTPS",
        _ => "look at what is configured of the destination",
    }
}
