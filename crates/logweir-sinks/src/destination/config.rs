//! What is configured of a destination.

mod elasticsearch;
mod http;
mod loki;
mod prefix;
mod store;

use std::fmt;

pub use elasticsearch::{ElasticsearchAuth, ElasticsearchConfig};
pub(super) use http::server;
pub use http::{Header, HeaderProblem, HttpConfig, HttpFlavour};
pub use loki::LokiConfig;
pub use prefix::{ObjectPrefix, PrefixProblem};
pub use store::{
    AzureConfig, AzureCredentials, DirectoryConfig, GsConfig, GsCredentials, S3Config, S3Credentials,
    S3Flavour,
};

/// Where batches go: one destination with all that it takes to reach it.
///
/// `Debug` and `Display` show no secret. `Display` names the destination as logs and metrics do, like
/// `s3://bucket/logs/{DATE}` or `splunk://host:8088/services/collector/raw`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DestinationConfig {
    /// Amazon S3, R2, or another store that speaks as S3 does.
    S3(S3Config),
    /// Google Cloud Storage.
    Gs(GsConfig),
    /// Azure Blob Storage.
    Azure(AzureConfig),
    /// A directory of this machine, or one that is mounted.
    Directory(DirectoryConfig),
    /// A server that takes batches by POST.
    Http(HttpConfig),
    /// The bulk interface of Elasticsearch or `OpenSearch`.
    Elasticsearch(ElasticsearchConfig),
    /// The push interface of Loki.
    Loki(LokiConfig),
}

impl DestinationConfig {
    /// Returns what kind of destination it is in one word: the key of its sink, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::S3(config) => config.flavour.scheme(),
            Self::Gs(_) => "gs",
            Self::Azure(_) => "azure",
            Self::Directory(_) => "directory",
            Self::Http(HttpConfig { flavour: HttpFlavour::Https, .. }) => "http",
            Self::Http(config) => config.flavour.scheme(),
            Self::Elasticsearch(_) => "elasticsearch",
            Self::Loki(_) => "loki",
        }
    }

    /// Returns whether it puts each event into an envelope of its own, so that events must be one line each and
    /// nothing may stand around the batch.
    pub fn has_envelope(&self) -> bool {
        matches!(self, Self::Elasticsearch(_) | Self::Loki(_))
    }
}

impl fmt::Display for DestinationConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(config) => config.fmt(f),
            Self::Gs(config) => config.fmt(f),
            Self::Azure(config) => config.fmt(f),
            Self::Directory(config) => config.fmt(f),
            Self::Http(config) => config.fmt(f),
            Self::Elasticsearch(config) => config.fmt(f),
            Self::Loki(config) => config.fmt(f),
        }
    }
}
