//! A server that takes batches by POST, as every destination must.

use logweir_net::Secret;
use logweir_sinks::{Compression, DestinationConfig, Header, HttpConfig, HttpFlavour};
use logweir_testkit::http_server::{Act, Fault, HttpServer, Reply, Script};

use super::uploading::{Uploading, WRONG, deserted};
use super::{Rig, check};

struct Post {
    server: HttpServer,
    deserted: (String, HttpServer),
}

impl Post {
    fn start() -> Self {
        let act = Act::reply_by(|request| match request.header("authorization") {
            Some("Bearer RIGHT") => Reply::new(202),
            other => {
                Reply::new(403).body(format!("{{\"error\":\"no such token: {}\"}}", other.unwrap_or("none")))
            }
        });
        Self { server: HttpServer::start(Script::always(act)), deserted: deserted() }
    }

    fn destination(url: &str, token: &str) -> DestinationConfig {
        let value = Secret::new(format!("Bearer {token}"));
        DestinationConfig::Http(HttpConfig {
            flavour: HttpFlavour::Https,
            url: Secret::new(format!("{url}/in")),
            headers: vec![Header { name: "Authorization".to_owned(), value }],
            tls: logweir_net::TlsConfig::default(),
        })
    }
}

impl Rig for Post {
    fn config(&self, _directory: &str) -> DestinationConfig {
        Self::destination(&self.server.url(), "RIGHT")
    }

    /// Returns what came last: nothing is kept under a key.
    fn stored(&self, _key: &str) -> Option<Vec<u8>> {
        self.server.requests().pop().map(|request| request.body)
    }

    fn stranger(&self) -> Option<DestinationConfig> {
        Some(Self::destination(&self.server.url(), WRONG))
    }

    fn homeless(&self) -> Option<DestinationConfig> {
        None
    }

    fn deserted(&self) -> Option<DestinationConfig> {
        Some(Self::destination(&self.deserted.0, "RIGHT"))
    }
}

#[test]
fn a_server_that_takes_batches_does_what_every_destination_must() {
    check(&Post::start());
}

#[test]
fn who_has_said_that_it_is_taken_need_not_finish_the_sentence() {
    let torn = Act::reply(Reply::new(200).body(vec![b' '; 1000])).breaking_off(500, Fault::Close);
    let server = HttpServer::start(Script::always(torn));
    let uploading = Uploading::new(&Post::destination(&server.url(), "RIGHT"));
    let uploaded = uploading.upload("n.log", b"one\n", Compression::None).1.unwrap();
    assert_eq!((uploaded.status, server.requests().len()), (200, 1));
}
