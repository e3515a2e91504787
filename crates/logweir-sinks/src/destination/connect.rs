//! From what is configured of a destination to what can be used.

use logweir_net::{Timeouts, TlsError};

use super::Destination;
use super::config::DestinationConfig;
use super::directory::Directory;
use super::http::HttpDestination;
use super::store;

/// Why a destination cannot be used as it is configured. No secret is in it.
#[derive(thiserror::Error, Debug)]
pub enum DestinationError {
    /// The certificates of those that are to be trusted cannot be had.
    #[error("cannot reach {destination} by TLS")]
    Tls {
        /// The destination.
        destination: String,
        /// What is wrong with them.
        source: TlsError,
    },
    /// The configuration makes no sense, or a file that it names cannot be read.
    #[error("cannot use {destination}: {reason}")]
    Refused {
        /// The destination.
        destination: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl DestinationConfig {
    /// Returns the destination, ready to be used. Nobody is asked anything yet.
    ///
    /// # Errors
    ///
    /// If the configuration makes no sense, or names a file that cannot be read.
    pub fn connect(&self, timeouts: Timeouts) -> Result<Box<dyn Destination>, DestinationError> {
        Ok(match self {
            Self::S3(config) => Box::new(store::s3(config, timeouts)?),
            Self::Gs(config) => Box::new(store::gs(config, timeouts)?),
            Self::Azure(config) => Box::new(store::azure(config, timeouts)?),
            Self::Directory(config) => Box::new(Directory::new(config.clone())),
            Self::Http(config) => Box::new(HttpDestination::post(config, timeouts)?),
            Self::Elasticsearch(config) => Box::new(HttpDestination::elasticsearch(config, timeouts)?),
            Self::Loki(config) => Box::new(HttpDestination::loki(config, timeouts)?),
        })
    }
}
