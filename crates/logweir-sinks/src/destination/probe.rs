//! Whether a destination can be reached, asked so that nothing changes there.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use logweir_event::with_causes;
use logweir_net::Timeouts;

use super::config::DestinationConfig;
use super::http::HttpDestination;
use super::store::{self, StoreDestination};
use super::test_upload::NAME;
use super::{Destination, UploadError};

/// What a destination answered to a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probed {
    /// The status of the answer, as of HTTP.
    pub status: u16,
    /// What was asked, and what that tells.
    pub question: Question,
}

/// What a destination can be asked without changing anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// Of a store: whether it has the object that a test upload would make. The question is signed as an upload would be.
    Object,
    /// Of a server: the headers that it would answer a GET with.
    Headers,
}

impl DestinationConfig {
    /// Asks a destination over the network something that changes nothing: one HEAD, once, besides what it takes to have
    /// credentials. `None` for a directory, which nobody is asked about.
    ///
    /// # Errors
    ///
    /// Why there was no answer: no address, no connection, no TLS, no time, no HTTP. An answer of any status is none.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing changes, however far the question has come.
    pub async fn probe(&self, timeouts: Timeouts) -> Result<Option<Probed>, UploadError> {
        let failed = |error| UploadError::local(with_causes(&error));
        let probed = match self {
            Self::Directory(_) => return Ok(None),
            Self::S3(config) => of_store(&store::s3(config, timeouts).map_err(failed)?).await,
            Self::Gs(config) => of_store(&store::gs(config, timeouts).map_err(failed)?).await,
            Self::Azure(config) => of_store(&store::azure(config, timeouts).map_err(failed)?).await,
            Self::Http(config) => of_server(HttpDestination::post(config, timeouts).map_err(failed)?).await,
            Self::Elasticsearch(config) => {
                of_server(HttpDestination::elasticsearch(config, timeouts).map_err(failed)?).await
            }
            Self::Loki(config) => of_server(HttpDestination::loki(config, timeouts).map_err(failed)?).await,
        };
        probed.map(Some)
    }
}

async fn of_store(store: &StoreDestination) -> Result<Probed, UploadError> {
    let day = Timestamp::now().to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string();
    let status = answered(store.head(&store.key(&day, NAME)).await)?;
    Ok(Probed { status, question: Question::Object })
}

async fn of_server(server: HttpDestination) -> Result<Probed, UploadError> {
    Ok(Probed { status: server.head().await?, question: Question::Headers })
}

/// Returns the status of an answer, a refusal too.
fn answered(asked: Result<u16, UploadError>) -> Result<u16, UploadError> {
    match asked {
        // What has no status of HTTP was not answered.
        Err(error) if (100..1000).contains(&error.status) => Ok(error.status),
        asked => asked,
    }
}
