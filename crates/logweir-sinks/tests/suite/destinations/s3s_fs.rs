//! s3s-fs: an S3 server over a directory, which checks signatures, though not whether a bucket is there.

use std::fs;

use logweir_sinks::DestinationConfig;
use logweir_testkit::http_server::HttpServer;
use logweir_testkit::scratch::Scratch;
use logweir_testkit::service::Service;

use super::uploading::{WRONG, deserted};
use super::{Rig, check};

struct S3sFs {
    service: Service,
    data: Scratch,
    deserted: (String, HttpServer),
}

impl S3sFs {
    fn start() -> Self {
        let data = Scratch::new();
        fs::create_dir(data.path("bucket")).unwrap();
        let service = Service::s3s_fs(data.dir());
        Self { service, data, deserted: deserted() }
    }

    fn destination(url: &str, secret: &str, directory: &str) -> DestinationConfig {
        let keys = format!("access-key-id=AK&secret-access-key={secret}");
        let text = format!("s3://bucket/{directory}?region=us-east-1&{keys}&endpoint={url}");
        let DestinationConfig::S3(mut config) = DestinationConfig::parse(&text).unwrap() else {
            unreachable!("it is one")
        };
        config.has_checksums = true;
        DestinationConfig::S3(config)
    }
}

impl Rig for S3sFs {
    fn config(&self, directory: &str) -> DestinationConfig {
        Self::destination(&self.service.url(), "SK", directory)
    }

    fn stored(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.data.path("bucket").join(key)).ok()
    }

    fn stranger(&self) -> Option<DestinationConfig> {
        Some(Self::destination(&self.service.url(), WRONG, ""))
    }

    fn homeless(&self) -> Option<DestinationConfig> {
        None
    }

    fn deserted(&self) -> Option<DestinationConfig> {
        Some(Self::destination(&self.deserted.0, "SK", ""))
    }
}

#[test]
fn s3s_fs_takes_what_every_destination_must() {
    check(&S3sFs::start());
}
