//! What is configured of Loki.

use std::collections::BTreeMap;
use std::fmt;

use logweir_net::{Secret, TlsConfig};

use super::http::{Header, server};

/// The push interface of Loki.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LokiConfig {
    /// The URL of the server: to its path `loki/api/v1/push` is added.
    pub url: Secret,
    /// The labels of the one stream that events go to: at least one.
    pub labels: BTreeMap<String, String>,
    /// The tenant, where there are several (`X-Scope-OrgID`).
    pub tenant: Option<String>,
    /// Further headers of each request, like `Authorization`.
    pub headers: Vec<Header>,
    /// How the server is known.
    pub tls: TlsConfig,
}

impl fmt::Display for LokiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loki://{}", server(&self.url))
    }
}
