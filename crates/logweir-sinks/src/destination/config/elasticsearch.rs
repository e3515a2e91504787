//! What is configured of Elasticsearch or `OpenSearch`.

use std::fmt;

use logweir_net::{Secret, TlsConfig};

use super::http::{Header, server};

/// The bulk interface of Elasticsearch or `OpenSearch`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElasticsearchConfig {
    /// The URL of the cluster: to its path `_bulk` is added. A query, like `?pipeline=NAME`, stays.
    pub url: Secret,
    /// The index or the data stream that events go to.
    pub index: String,
    /// Who asks.
    pub auth: ElasticsearchAuth,
    /// Further headers of each request.
    pub headers: Vec<Header>,
    /// How the server is known.
    pub tls: TlsConfig,
}

/// Who asks Elasticsearch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ElasticsearchAuth {
    /// Nobody in particular, or who a header names.
    #[default]
    None,
    /// A user.
    Basic {
        /// Who.
        user: String,
        /// What only that user knows.
        password: Secret,
    },
    /// Whoever has this key: the Base64 text that the cluster calls `encoded`.
    ApiKey(Secret),
}

impl fmt::Display for ElasticsearchConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "elasticsearch://{}/{}", server(&self.url), self.index)
    }
}
