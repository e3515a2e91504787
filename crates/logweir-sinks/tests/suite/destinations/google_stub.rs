//! A stub of Google Cloud Storage: as much of its XML interface as an upload needs, kept in memory.
//!
//! Nothing that speaks this interface can be installed, so what stands here is what its reference says, and no more
//! than that is tested.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use logweir_net::Secret;
use logweir_sinks::{DestinationConfig, GsCredentials};
use logweir_testkit::http_server::{Act, HttpServer, Received, Reply, Script};
use percent_encoding::percent_decode_str;

use super::uploading::{WRONG, deserted};
use super::{Rig, check};

/// The bucket that there is.
pub(crate) const BUCKET: &str = "bucket";

/// A stub of Google Cloud Storage.
pub(crate) struct GoogleStub {
    pub(crate) server: HttpServer,
    pub(crate) held: Arc<Mutex<Held>>,
    /// Where nobody listens.
    deserted: (String, HttpServer),
}

/// What the stub holds.
#[derive(Default)]
pub(crate) struct Held {
    /// By bucket and key.
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// Uploads in parts that are neither complete nor given up, by id.
    pub(crate) parts: BTreeMap<String, BTreeMap<usize, Vec<u8>>>,
    n_begun: usize,
}

impl GoogleStub {
    pub(crate) fn start() -> Self {
        let held = Arc::new(Mutex::new(Held::default()));
        Self { server: HttpServer::start(Script::always(Self::act(&held))), held, deserted: deserted() }
    }

    /// Returns what it does with a request.
    pub(crate) fn act(held: &Arc<Mutex<Held>>) -> Act {
        let held = Arc::clone(held);
        Act::reply_by(move |request| held.lock().unwrap().answer(request))
    }

    /// Returns a destination in a bucket of a server, without a service account's key: the stub has no use for one.
    pub(crate) fn destination(url: &str, bucket: &str, directory: &str) -> DestinationConfig {
        let parsed = DestinationConfig::parse(&format!("gs://{bucket}/{directory}?endpoint={url}")).unwrap();
        let DestinationConfig::Gs(mut config) = parsed else { unreachable!("it is one") };
        let key = r#"{"disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}"#;
        config.credentials = GsCredentials::Key(Secret::new(key));
        DestinationConfig::Gs(config)
    }
}

impl Held {
    fn answer(&mut self, request: &Received) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let key = percent_decode_str(path).decode_utf8().unwrap()[1..].to_owned();
        if !key.starts_with(BUCKET) {
            let body = "<?xml version='1.0'?><Error><Code>NoSuchBucket</Code><Message>The specified bucket does not \
                        exist.</Message></Error>";
            return Reply::new(404).body(body);
        }
        let query: BTreeMap<_, _> =
            query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
        let id = query.get("uploadId").map(|id| (*id).to_owned());
        match (request.method.as_str(), id, query.get("partNumber")) {
            ("POST", None, _) if query.contains_key("uploads") => {
                self.n_begun += 1;
                let id = format!("upload-{}", self.n_begun);
                self.parts.insert(id.clone(), BTreeMap::new());
                let body = format!(
                    "<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>k</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                );
                Reply::new(200).body(body)
            }
            ("PUT", Some(id), Some(number)) => {
                let parts = self.parts.get_mut(&id).unwrap();
                parts.insert(number.parse().unwrap(), request.body.clone());
                Reply::new(200).header("ETag", format!("\"part-{number}\""))
            }
            ("POST", Some(id), None) => {
                let parts = self.parts.remove(&id).unwrap();
                let named = String::from_utf8_lossy(&request.body).matches("<PartNumber>").count();
                assert_eq!(named, parts.len(), "all parts are named");
                self.objects.insert(key, parts.into_values().flatten().collect());
                let body =
                    "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>";
                Reply::new(200).body(body)
            }
            ("DELETE", Some(id), None) => {
                self.parts.remove(&id).unwrap();
                Reply::new(204)
            }
            ("PUT", None, None) => {
                self.objects.insert(key, request.body.clone());
                Reply::new(200).header("ETag", "\"whole\"").header("x-goog-generation", "1")
            }
            _ => Reply::new(400),
        }
    }
}

impl Rig for GoogleStub {
    fn config(&self, directory: &str) -> DestinationConfig {
        Self::destination(&self.server.url(), BUCKET, directory)
    }

    fn stored(&self, key: &str) -> Option<Vec<u8>> {
        self.held.lock().unwrap().objects.get(&format!("{BUCKET}/{key}")).cloned()
    }

    fn stranger(&self) -> Option<DestinationConfig> {
        None
    }

    fn homeless(&self) -> Option<DestinationConfig> {
        Some(Self::destination(&self.server.url(), WRONG, ""))
    }

    fn deserted(&self) -> Option<DestinationConfig> {
        Some(Self::destination(&self.deserted.0, BUCKET, ""))
    }
}

#[test]
fn a_stub_of_google_cloud_storage_is_told_what_every_destination_must() {
    let stub = GoogleStub::start();
    check(&stub);
    assert!(stub.held.lock().unwrap().parts.is_empty(), "nothing incomplete is left");
    let requests = stub.server.requests();
    let gzip = requests
        .iter()
        .find(|request| request.path.contains("one%2Elog") || request.path.contains("one.log"))
        .unwrap();
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert_eq!(gzip.header("content-type"), Some("text/plain; charset=utf-8"));
    let begun = requests.iter().find(|request| request.path.contains("uploads")).unwrap();
    assert_eq!(begun.header("content-encoding"), None);
    assert_eq!(begun.header("content-type"), Some("text/plain; charset=utf-8"));
}
