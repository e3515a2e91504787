//! Servers of others, started for a test: real ones, which must be installed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::process::{Run, Running, poll_until};

/// How long a server may take to listen, on a machine that is busy with others.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a test may take.
const LIFE: Duration = Duration::from_secs(300);

/// A server of somebody else's that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    _running: Running,
}

impl Service {
    /// Starts a program, whose arguments are made from the port that it is to listen on.
    ///
    /// # Panics
    ///
    /// If there is no such program, or it does not come to listen.
    pub fn start(program: &str, arguments: impl FnOnce(u16) -> Vec<String>) -> Self {
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let address = probe.local_addr().expect("it is bound");
        drop(probe);
        let running = Run::new(program).args(arguments(address.port())).deadline(LIFE).start();
        poll_until(&format!("{program} to listen"), DEADLINE, || TcpStream::connect(address).ok());
        Self { address, _running: running }
    }

    /// Starts s3s-fs, an S3 server whose buckets are the directories in `data`: it checks that requests are signed with
    /// the key `AK` and its secret `SK`, though not whether a bucket is there.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not come to listen.
    pub fn s3s_fs(data: &Path) -> Self {
        Self::start("s3s-fs", |port| {
            let options = ["--host", "127.0.0.1", "--access-key", "AK", "--secret-key", "SK", "--port"];
            let mut arguments = options.map(str::to_owned).to_vec();
            arguments.extend([port.to_string(), data.display().to_string()]);
            arguments
        })
    }

    /// Returns its URL without a path: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
