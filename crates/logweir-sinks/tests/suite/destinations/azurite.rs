//! Azurite: Azure Blob Storage on one machine.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use logweir_sinks::DestinationConfig;
use logweir_testkit::http_server::HttpServer;
use logweir_testkit::service::Service;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;

use super::service::request;
use super::uploading::deserted;
use super::{Rig, check};

/// The account that every Azurite has.
const ACCOUNT: &str = "devstoreaccount1";

/// Its key, which is the same everywhere.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

struct Azurite {
    service: Service,
    deserted: (String, HttpServer),
}

impl Azurite {
    fn start() -> Self {
        let service = Service::start("azurite-blob", |port| {
            let options = [
                "--inMemoryPersistence",
                "--silent",
                "--skipApiVersionCheck",
                "--disableTelemetry",
                "--blobHost",
                "127.0.0.1",
                "--blobPort",
            ];
            let mut arguments = options.map(str::to_owned).to_vec();
            arguments.push(port.to_string());
            arguments
        });
        let query = format!("?restype=container&{}", signature("sco", "rwc", KEY));
        request(&service, "PUT", &format!("/{ACCOUNT}/container"), &query, &[])
            .expect("Azurite makes a container");
        Self { service, deserted: deserted() }
    }

    fn destination(url: &str, container: &str, directory: &str, sas: &str) -> DestinationConfig {
        let host = format!("{ACCOUNT}.blob.core.windows.net");
        let text = format!("azure://{host}/{container}/{directory}?endpoint={url}/{ACCOUNT}&{sas}");
        DestinationConfig::parse(&text).unwrap()
    }
}

/// Returns a shared access signature of the account, as its reference says: for these types of resources, with these
/// permissions.
fn signature(types: &str, permissions: &str, key: &str) -> String {
    let (version, end) = ("2021-08-06", "2099-01-01T00:00:00Z");
    let text = format!("{ACCOUNT}\n{permissions}\nb\n{types}\n\n{end}\n\nhttps,http\n{version}\n\n");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(key).unwrap());
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (end, signature) = (encode(end), encode(&signature));
    format!("sv={version}&ss=b&srt={types}&sp={permissions}&se={end}&spr=https,http&sig={signature}")
}

impl Rig for Azurite {
    fn config(&self, directory: &str) -> DestinationConfig {
        Self::destination(&self.service.url(), "container", directory, &signature("o", "wc", KEY))
    }

    fn stored(&self, key: &str) -> Option<Vec<u8>> {
        let query = format!("?{}", signature("o", "r", KEY));
        request(&self.service, "GET", &format!("/{ACCOUNT}/container/{key}"), &query, &[])
    }

    fn stranger(&self) -> Option<DestinationConfig> {
        let wrong = BASE64_STANDARD.encode(super::uploading::WRONG);
        Some(Self::destination(&self.service.url(), "container", "", &signature("o", "wc", &wrong)))
    }

    fn homeless(&self) -> Option<DestinationConfig> {
        Some(Self::destination(&self.service.url(), "missing", "", &signature("o", "wc", KEY)))
    }

    fn deserted(&self) -> Option<DestinationConfig> {
        Some(Self::destination(&self.deserted.0, "container", "", &signature("o", "wc", KEY)))
    }
}

#[test]
fn azurite_takes_what_every_destination_must() {
    check(&Azurite::start());
}
