//! Uploads of the tests.

use std::io::Write as _;
use std::time::Duration;

use flate2::write::GzEncoder;
use logweir_net::Timeouts;
use logweir_sinks::{
    Compression, Destination, DestinationConfig, Upload, UploadError, Uploaded, test_upload,
};
use logweir_testkit::http_server::{HttpServer, Script};
use logweir_testkit::scratch::Scratch;
use tokio::runtime::Runtime;

/// The day of all batches.
pub(crate) const DATE: &str = "20261122";

/// A secret that is wrong, and must not be seen for all that.
pub(crate) const WRONG: &str = "WRONG-hunter2";

/// A destination that uploads one file after the other.
pub(crate) struct Uploading {
    pub(crate) destination: Box<dyn Destination>,
    runtime: Runtime,
    scratch: Scratch,
}

impl Uploading {
    pub(crate) fn new(config: &DestinationConfig) -> Self {
        // Such that no machine is too slow for what works, and a test need not wait long for what does not.
        let timeouts = Timeouts { progress: Duration::from_secs(30), ..Timeouts::default() };
        Self::with_timeouts(config, timeouts)
    }

    pub(crate) fn with_timeouts(config: &DestinationConfig, timeouts: Timeouts) -> Self {
        let destination = config.connect(timeouts).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { destination, runtime, scratch: Scratch::new() }
    }

    /// Uploads a file with this in it; returns its key, and what came of it.
    pub(crate) fn upload(
        &self,
        name: &str,
        content: &[u8],
        compression: Compression,
    ) -> (String, Result<Uploaded, UploadError>) {
        self.upload_events(name, content, compression, 1)
    }

    pub(crate) fn upload_events(
        &self,
        name: &str,
        content: &[u8],
        compression: Compression,
        n_events: u64,
    ) -> (String, Result<Uploaded, UploadError>) {
        let n_bytes = content.len() as u64;
        let upload = Upload {
            key: self.destination.key(DATE, name),
            path: self.scratch.write(name, content),
            n_bytes,
            n_raw_bytes: n_bytes,
            n_events,
            compression,
        };
        let uploaded = self.runtime.block_on(self.destination.upload(&upload));
        (upload.key, uploaded)
    }

    /// Makes the upload of a new job.
    pub(crate) fn test(&self) -> Result<Uploaded, UploadError> {
        self.runtime.block_on(test_upload(&*self.destination))
    }
}

/// Returns the URL of a server that does not listen, and what keeps its port from others.
pub(crate) fn deserted() -> (String, HttpServer) {
    let mut server = HttpServer::start(Script::of([]));
    server.down();
    (server.url(), server)
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

/// Returns bytes that do not repeat.
pub(crate) fn noise(n_bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(step).take(n_bytes).collect()
}
