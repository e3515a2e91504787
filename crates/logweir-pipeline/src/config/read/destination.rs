//! Makes a destination of the keys of a sink that uploads batches, and says what is wrong with it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use logweir_sinks::{
    AzureConfig, AzureCredentials, DestinationConfig, DirectoryConfig, ElasticsearchAuth,
    ElasticsearchConfig, GsConfig, GsCredentials, Header, HttpConfig, HttpFlavour, LokiConfig, ObjectPrefix,
    S3Config, S3Credentials, S3Flavour, Secret, TlsConfig,
};
use url::Url;

use crate::config::keys::UPLOADS;
use crate::config::text::Place;
use crate::config::walk::Checked;

/// Where Amazon's buckets are unless something else is said.
const DEFAULT_REGION: &str = "us-east-1";
/// Datadog's intake in its first site.
const DATADOG_INTAKE: &str = "https://http-intake.logs.datadoghq.com/api/v2/logs";
/// The path of the raw endpoint of Splunk's collector, which others have copied.
const RAW_PATH: &str = "/services/collector/raw";

/// Something that is wrong with the keys of a destination: where, what, and what would be right.
pub(in crate::config) type Wrong = (Place, &'static str, String);

/// The keys of a destination while they are read.
struct Keys<'a> {
    map: &'a Checked,
    wrong: &'a mut Vec<Wrong>,
}

/// Returns the kind of a sink that uploads batches, and its keys; `None` if it is none.
pub(in crate::config) fn kind(sink: &Checked) -> Option<(&'static str, &Checked)> {
    UPLOADS.iter().find_map(|kind| Some((*kind, sink.get(kind)?)))
}

/// Returns the destination of a sink; `None` if it is bad, of which what has not been reported before is added to `wrong`.
pub(in crate::config) fn destination(sink: &Checked, wrong: &mut Vec<Wrong>) -> Option<DestinationConfig> {
    let (kind, map) = kind(sink)?;
    let mut keys = Keys { map, wrong };
    match kind {
        "s3" => keys.s3(),
        "r2" => keys.r2(),
        "gs" => keys.gs(),
        "azure" => keys.azure(),
        "directory" => keys.directory(),
        "splunk" => keys.splunk(),
        "datadog" => keys.datadog(),
        "sentinelone" => keys.sentinelone(),
        "elasticsearch" => keys.elasticsearch(),
        "loki" => keys.loki(),
        "sumo" => keys.post(HttpFlavour::Sumo),
        _ => keys.post(HttpFlavour::Https),
    }
}

impl Keys<'_> {
    fn s3(&mut self) -> Option<DestinationConfig> {
        let (endpoint, prefix, credentials) = (self.endpoint(), self.prefix(), self.s3_credentials());
        let endpoint = endpoint?;
        let has_checksums = self.map.get("checksums").map_or(Some(endpoint.is_none()), Checked::bool);
        Some(DestinationConfig::S3(S3Config {
            flavour: S3Flavour::S3,
            bucket: self.text("bucket")?,
            prefix: prefix?,
            region: self.text_or("region", DEFAULT_REGION)?,
            endpoint,
            credentials: credentials?,
            is_encrypted: self.map.get("sse").is_some(),
            has_checksums: has_checksums?,
        }))
    }

    fn s3_credentials(&mut self) -> Option<S3Credentials> {
        let given = |name: &str| self.map.key_place(name);
        let (id, key) = (given("access_key_id"), given("secret_access_key"));
        let alone = match (id, key) {
            (Some(place), None) => Some((place, "`access_key_id` needs `secret_access_key`")),
            (None, Some(place)) => Some((place, "`secret_access_key` needs `access_key_id`")),
            (None, None) => given("session_token").map(|place| (place, "`session_token` needs keys")),
            (Some(_), Some(_)) => None,
        };
        if let Some((place, message)) = alone {
            return self.wrong(place, message, "give both, or none and leave it to the environment");
        }
        match (id, given("profile")) {
            (Some(_), Some(place)) => {
                self.wrong(place, "`profile` is given beside keys", "leave one of them")
            }
            (Some(_), None) => Some(S3Credentials::Keys {
                access_key_id: self.secret("access_key_id")?,
                secret_access_key: self.secret("secret_access_key")?,
                session_token: self.optional_secret("session_token")?,
            }),
            (None, Some(_)) => Some(S3Credentials::Profile(self.text("profile")?)),
            (None, None) => Some(S3Credentials::Environment),
        }
    }

    fn r2(&mut self) -> Option<DestinationConfig> {
        let (endpoint, prefix) = (self.endpoint(), self.prefix());
        let endpoint = match (endpoint?, self.map.key_place("account_id")) {
            (Some(endpoint), None) => endpoint,
            (None, Some(_)) => format!("https://{}.r2.cloudflarestorage.com", self.text("account_id")?),
            (Some(_), Some(place)) => {
                return self.wrong(place, "`account_id` is given beside `endpoint`", "leave one of them");
            }
            (None, None) => {
                let help = "`account_id` is the account that has the bucket";
                return self.wrong(self.map.place, "`r2` needs `account_id` or `endpoint`", help);
            }
        };
        Some(DestinationConfig::S3(S3Config {
            flavour: S3Flavour::R2,
            bucket: self.text("bucket")?,
            prefix: prefix?,
            region: String::from("auto"),
            endpoint: Some(endpoint),
            credentials: S3Credentials::Keys {
                access_key_id: self.secret("access_key_id")?,
                secret_access_key: self.secret("secret_access_key")?,
                session_token: None,
            },
            is_encrypted: false,
            has_checksums: false,
        }))
    }

    fn gs(&mut self) -> Option<DestinationConfig> {
        let (endpoint, prefix) = (self.endpoint(), self.prefix());
        let credentials = match (self.map.key_place("key_file"), self.map.key_place("key")) {
            (Some(_), Some(place)) => {
                return self.wrong(place, "`key` is given beside `key_file`", "leave one of them");
            }
            (Some(_), None) => GsCredentials::KeyFile(PathBuf::from(self.text("key_file")?)),
            (None, Some(_)) => GsCredentials::Key(self.secret("key")?),
            (None, None) => GsCredentials::Environment,
        };
        let (bucket, prefix, endpoint) = (self.text("bucket")?, prefix?, endpoint?);
        Some(DestinationConfig::Gs(GsConfig { bucket, prefix, endpoint, credentials }))
    }

    fn azure(&mut self) -> Option<DestinationConfig> {
        let (endpoint, prefix) = (self.endpoint(), self.prefix());
        let account = self.text("account")?;
        let credentials = match (self.map.key_place("sas"), self.map.key_place("account_key")) {
            (Some(_), Some(place)) => {
                return self.wrong(place, "`account_key` is given beside `sas`", "leave one of them");
            }
            (Some(_), None) => {
                let sas = self.secret("sas")?;
                AzureCredentials::Sas(Secret::new(sas.expose().trim_start_matches('?')))
            }
            (None, Some(_)) => AzureCredentials::AccountKey(self.secret("account_key")?),
            (None, None) => {
                let help = "`sas` is a shared access signature that may write objects";
                return self.wrong(self.map.place, "`azure` needs `sas` or `account_key`", help);
            }
        };
        Some(DestinationConfig::Azure(AzureConfig {
            container: self.text("container")?,
            prefix: prefix?,
            endpoint: endpoint?.unwrap_or_else(|| format!("https://{account}.blob.core.windows.net")),
            account,
            credentials,
        }))
    }

    fn directory(&mut self) -> Option<DestinationConfig> {
        let prefix = self.prefix()?;
        let root = PathBuf::from(self.text("path")?);
        Some(DestinationConfig::Directory(DirectoryConfig { root, prefix }))
    }

    /// Returns a server that takes batches by POST as it is configured.
    fn post(&mut self, flavour: HttpFlavour) -> Option<DestinationConfig> {
        let (url, headers) = (self.url(), self.headers());
        self.http(flavour, &url?, headers?)
    }

    fn splunk(&mut self) -> Option<DestinationConfig> {
        let (url, headers) = (self.url(), self.headers());
        if !self.text("channel").is_none_or(|channel| is_guid(&channel)) {
            let place = self.map.get("channel").map_or(self.map.place, |channel| channel.place);
            let help = "any GUID, as `6eb1c1b6-4ae8-4a01-8b2d-9f4a3d3f4c11`";
            return self.wrong(place, "this channel is no GUID", help);
        }
        let mut url = url?;
        if url.path() == "/" {
            url.set_path(RAW_PATH);
        }
        self.add_queries(&mut url, &[("channel", "channel"), ("sourcetype", "sourcetype")])?;
        let mut headers = headers?;
        headers.push(self.header("Authorization", "token", "Splunk ")?);
        self.http(HttpFlavour::Splunk, &url, headers)
    }

    fn datadog(&mut self) -> Option<DestinationConfig> {
        let headers = self.headers();
        let mut url = match self.map.get("url") {
            None => Url::parse(DATADOG_INTAKE).expect("the intake has a good URL"),
            Some(_) => self.url()?,
        };
        let source = self.text_or("source", "cloudflare")?;
        url.query_pairs_mut().append_pair("ddsource", &source);
        self.add_queries(&mut url, &[("service", "service"), ("hostname", "hostname"), ("tags", "ddtags")])?;
        let mut headers = headers?;
        headers.push(self.header("DD-API-KEY", "api_key", "")?);
        self.http(HttpFlavour::Datadog, &url, headers)
    }

    fn sentinelone(&mut self) -> Option<DestinationConfig> {
        let (url, headers) = (self.url(), self.headers());
        let mut url = url?;
        if url.path() == "/" {
            url.set_path(RAW_PATH);
        }
        self.add_queries(&mut url, &[("sourcetype", "sourcetype")])?;
        let mut headers = headers?;
        headers.push(self.header("Authorization", "token", "Bearer ")?);
        self.http(HttpFlavour::SentinelOne, &url, headers)
    }

    fn http(&mut self, flavour: HttpFlavour, url: &Url, headers: Vec<Header>) -> Option<DestinationConfig> {
        let (url, tls) = (Secret::new(url.as_str()), self.tls()?);
        Some(DestinationConfig::Http(HttpConfig { flavour, url, headers, tls }))
    }

    fn elasticsearch(&mut self) -> Option<DestinationConfig> {
        let (url, headers) = (self.url(), self.headers());
        let given = |name: &str| self.map.key_place(name);
        let auth = match (given("user"), given("password"), given("api_key")) {
            (None, None, None) => ElasticsearchAuth::None,
            (Some(_), Some(_), None) => {
                ElasticsearchAuth::Basic { user: self.text("user")?, password: self.secret("password")? }
            }
            (None, None, Some(_)) => ElasticsearchAuth::ApiKey(self.secret("api_key")?),
            (Some(place), None, _) => {
                return self.wrong(place, "`user` needs `password`", "give both, or an `api_key`");
            }
            (None, Some(place), _) => {
                return self.wrong(place, "`password` needs `user`", "give both, or an `api_key`");
            }
            (Some(_), Some(_), Some(place)) => {
                return self.wrong(place, "`api_key` is given beside `user`", "leave one of them");
            }
        };
        Some(DestinationConfig::Elasticsearch(ElasticsearchConfig {
            url: Secret::new(url?.as_str()),
            index: self.text("index")?,
            auth,
            headers: headers?,
            tls: self.tls()?,
        }))
    }

    fn loki(&mut self) -> Option<DestinationConfig> {
        let (url, headers) = (self.url(), self.headers());
        let given = self.map.get("labels")?;
        let mut labels = BTreeMap::new();
        for (place, name, value) in given.pairs() {
            if !is_label(name) {
                let help = "letters, digits and `_`, and no digit first";
                return self.wrong(*place, "Loki takes no label of this name", help);
            }
            labels.insert(name.clone(), value.text()?.to_owned());
        }
        if labels.is_empty() {
            return self.wrong(given.place, "a stream needs a label", "as `labels: { job: workers }`");
        }
        Some(DestinationConfig::Loki(LokiConfig {
            url: Secret::new(url?.as_str()),
            labels,
            tenant: self
                .map
                .get("tenant")
                .map_or(Some(None), |tenant| Some(Some(tenant.text()?.to_owned())))?,
            headers: headers?,
            tls: self.tls()?,
        }))
    }

    /// Adds texts to the query of a URL, each from one key of ours under one of the vendor's.
    fn add_queries(&mut self, url: &mut Url, keys: &[(&str, &str)]) -> Option<()> {
        for (ours, theirs) in keys {
            if self.map.get(ours).is_some() {
                url.query_pairs_mut().append_pair(theirs, &self.text(ours)?);
            }
        }
        Some(())
    }

    fn tls(&mut self) -> Option<TlsConfig> {
        Some(TlsConfig {
            ca_file: match self.map.get("ca_file") {
                None => None,
                Some(path) => Some(PathBuf::from(path.text()?)),
            },
            insecure_skip_verify: self.map.get("insecure_skip_verify").map_or(Some(false), Checked::bool)?,
        })
    }

    fn headers(&mut self) -> Option<Vec<Header>> {
        let mut headers = Vec::new();
        for (place, name, value) in self.map.get("headers").map_or(&[][..], Checked::pairs) {
            let value = value.text()?;
            match Header::new(name, value) {
                Ok(header) => headers.push(header),
                Err(problem) => return self.wrong(*place, problem.message, problem.help),
            }
        }
        Some(headers)
    }

    /// Returns a header that says, behind `before`, what stands at a key.
    fn header(&mut self, name: &str, key: &str, before: &str) -> Option<Header> {
        let secret = self.secret(key)?;
        match Header::new(name, &format!("{before}{}", secret.expose())) {
            Ok(header) => Some(header),
            Err(problem) => {
                let place = self.map.get(key).map_or(self.map.place, |given| given.place);
                self.wrong(place, problem.message, problem.help)
            }
        }
    }

    fn prefix(&mut self) -> Option<ObjectPrefix> {
        let Some(given) = self.map.get("prefix") else { return Some(ObjectPrefix::default()) };
        match ObjectPrefix::parse(given.text()?) {
            Ok(prefix) => Some(prefix),
            Err(problem) => {
                let help = format!("{}: {}", problem.message, problem.help);
                self.wrong(given.place, "this cannot stand before the names of objects", help)
            }
        }
    }

    /// Returns the URL of a server of one's own: `Some(None)` if there is none, `None` if it is bad.
    #[expect(clippy::option_option, reason = "none and bad are different")]
    fn endpoint(&mut self) -> Option<Option<String>> {
        let Some(given) = self.map.get("endpoint") else { return Some(None) };
        let text = given.text()?;
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        match http_url(&with_scheme).filter(|url| url.query().is_none()) {
            Some(_) => Some(Some(with_scheme)),
            None => self.wrong(given.place, "this is no URL of a server", "as `https://s3.example:9000`"),
        }
    }

    fn url(&mut self) -> Option<Url> {
        let given = self.map.get("url")?;
        match http_url(given.text()?) {
            Some(url) => Some(url),
            None => self.wrong(
                given.place,
                "this is no URL that can be posted to",
                "as `https://logs.example:8443/path`, users and passwords as headers",
            ),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.map.get(name)?.text().map(str::to_owned)
    }

    fn text_or(&self, name: &str, default: &str) -> Option<String> {
        match self.map.get(name) {
            None => Some(default.to_owned()),
            Some(given) => given.text().map(str::to_owned),
        }
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    #[expect(clippy::option_option, reason = "left out and bad are different")]
    fn optional_secret(&self, name: &str) -> Option<Option<Secret>> {
        match self.map.get(name) {
            None => Some(None),
            Some(_) => self.secret(name).map(Some),
        }
    }

    fn wrong<T>(&mut self, place: Place, message: &'static str, help: impl Into<String>) -> Option<T> {
        self.wrong.push((place, message, help.into()));
        None
    }
}

/// Returns a URL with a host and without a user, that HTTP can have.
fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_good = ["http", "https"].contains(&url.scheme())
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    is_good.then_some(url)
}

/// Returns whether a text is a GUID: 32 hexadecimal digits, as 8-4-4-4-12.
fn is_guid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Returns whether Loki takes a label of this name (Prometheus, "Data model", "Metric names and labels").
fn is_label(name: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(is_good) && !name.as_bytes()[0].is_ascii_digit()
}
