//! moto: an S3 server in memory, which checks that the bucket is there, though not who asks.

use logweir_sinks::DestinationConfig;
use logweir_testkit::http_server::HttpServer;
use logweir_testkit::service::Service;

use super::service::request;
use super::uploading::deserted;
use super::{Rig, check};

/// Who asks, which moto wants to see and does not check.
const SOMEBODY: (&str, &str) = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
);

struct Moto {
    service: Service,
    deserted: (String, HttpServer),
}

impl Moto {
    fn start() -> Self {
        let service = Service::start("moto_server", |port| {
            ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned).to_vec()
        });
        request(&service, "PUT", "/bucket", "", &[SOMEBODY]).expect("moto makes a bucket");
        Self { service, deserted: deserted() }
    }

    fn s3(url: &str, bucket: &str, directory: &str) -> DestinationConfig {
        let query =
            format!("region=us-east-1&sse=AES256&access-key-id=AK&secret-access-key=SK&endpoint={url}");
        DestinationConfig::parse(&format!("s3://{bucket}/{directory}?{query}")).unwrap()
    }

    fn r2(url: &str, directory: &str) -> DestinationConfig {
        let query = format!("access-key-id=AK&secret-access-key=SK&endpoint={url}");
        DestinationConfig::parse(&format!("r2://bucket/{directory}?{query}")).unwrap()
    }
}

impl Rig for Moto {
    fn config(&self, directory: &str) -> DestinationConfig {
        // Some of what is checked is put as into S3, and some as into R2.
        if directory.is_empty() {
            Self::r2(&self.service.url(), directory)
        } else {
            Self::s3(&self.service.url(), "bucket", directory)
        }
    }

    fn stored(&self, key: &str) -> Option<Vec<u8>> {
        request(&self.service, "GET", &format!("/bucket/{key}"), "", &[SOMEBODY])
    }

    fn stranger(&self) -> Option<DestinationConfig> {
        None
    }

    fn homeless(&self) -> Option<DestinationConfig> {
        Some(Self::s3(&self.service.url(), "no-such-bucket", ""))
    }

    fn deserted(&self) -> Option<DestinationConfig> {
        Some(Self::r2(&self.deserted.0, ""))
    }
}

#[test]
fn moto_takes_what_every_destination_must() {
    check(&Moto::start());
}
