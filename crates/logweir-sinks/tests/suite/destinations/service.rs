//! Servers of others, started for a test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use logweir_net::{Body, Client, ClientConfig};
use logweir_testkit::process::{Run, Running, poll_until};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How long a server may take to listen, on a machine that is busy with others.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a test may take.
const LIFE: Duration = Duration::from_secs(300);

/// What stays as it is in the path of a URL.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server of somebody else's that runs.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    _running: Running,
}

impl Service {
    /// Starts a program, whose arguments are made from the port that it is to listen on.
    ///
    /// # Panics
    ///
    /// If there is no such program, or it does not come to listen.
    pub(crate) fn start(program: &str, arguments: impl FnOnce(u16) -> Vec<String>) -> Self {
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let running = Run::new(program).args(arguments(address.port())).deadline(LIFE).start();
        poll_until(&format!("{program} to listen"), DEADLINE, || TcpStream::connect(address).ok());
        Self { address, _running: running }
    }

    /// Sends a request, and returns the body of the answer if it is one of success.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Option<Vec<u8>> {
        let path = utf8_percent_encode(path, PATH);
        let mut request =
            http::Request::builder().method(method).uri(format!("http://{}{path}{query}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::Empty).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async {
            Client::new(&ClientConfig::default()).unwrap().send(&request, 64 * 1024 * 1024).await.unwrap()
        });
        answer.status.is_success().then(|| answer.body.to_vec())
    }
}
