//! The upload by which a destination shows that it can be reached, made where somebody asks for it.

use futures::future::join_all;
use logweir_event::with_causes;
use logweir_sinks::{UploadSinkConfig, test_upload};

use crate::config::{PipelineConfig, SinkConfig};

/// What came of trying a destination.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadTest {
    /// The pipeline that uploads there.
    pub pipeline: String,
    /// Its output that does; `None` for the only one.
    pub output: Option<String>,
    /// The destination as logs and metrics name it.
    pub destination: String,
    /// Why it did not take what was put into it, for people: no secret is in it.
    pub result: Result<(), String>,
}

/// Puts a small object, with no event in it, into the destination of each output that uploads: all at the same time, each
/// once. It stays there.
///
/// # Cancel safety
///
/// If the future is dropped, the object may be in some of them and not in others.
pub async fn test_uploads(pipelines: &[PipelineConfig]) -> Vec<UploadTest> {
    let outputs = pipelines
        .iter()
        .flat_map(|pipeline| pipeline.outputs.iter().map(|output| (pipeline.name.clone(), output)));
    let tests = outputs.filter_map(|(pipeline, output)| {
        let SinkConfig::Upload(config) = &output.sink else { return None };
        Some(async move {
            let (output, destination) = (output.name.clone(), config.destination.to_string());
            UploadTest { pipeline, output, destination, result: test(config).await }
        })
    });
    join_all(tests).await
}

async fn test(config: &UploadSinkConfig) -> Result<(), String> {
    let destination =
        config.destination.connect(config.delivery.timeouts).map_err(|error| with_causes(&error))?;
    match test_upload(&*destination).await {
        Ok(uploaded) if uploaded.n_rejected == 0 => Ok(()),
        Ok(uploaded) => Err(uploaded.first_error.unwrap_or_else(|| String::from("it refuses what was put"))),
        Err(error) => Err(format!("{error} (status {})", error.status)),
    }
}
