//! A real HTTP server that keeps what it was asked, and misbehaves as it is told.
//!
//! It speaks HTTP/1.1 with plain threads and blocking sockets, one for each connection, since what it is for lies below
//! HTTP: to stop reading in the middle of a body, to reset a connection, to send a byte at a time. A server of a library
//! keeps its clients from such things.

mod exchange;
mod request;
mod script;
mod tls;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

pub use request::Received;
pub use script::{Act, Fault, Reply, Script};
pub use tls::{Authority, Identity};

use crate::process::poll_until;

/// How many connections the system may hold before they are accepted.
const BACKLOG: i32 = 128;

/// How much the system may take in for a connection. It would else take megabytes from a client whose server reads
/// slowly or not at all.
const RECEIVED_BYTES: usize = 128 * 1024;

/// How long a test waits for requests.
const DEADLINE: Duration = Duration::from_secs(60);

/// A server on a port of its own of this machine. Dropping it stops it.
///
/// ```
/// use logweir_testkit::http_server::{Act, HttpServer, Script};
/// use logweir_testkit::process::http_get;
///
/// let server = HttpServer::start(Script::of([Act::status(503)]));
/// assert_eq!(http_get(server.address(), "/a?b=c").unwrap().0, 503);
/// assert_eq!(http_get(server.address(), "/a?b=c").unwrap().0, 200);
/// assert_eq!(server.wait_for(2)[1].path, "/a?b=c");
/// ```
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    identity: Option<Identity>,
    shared: Arc<Shared>,
    /// What accepts; `None` while it is down.
    accepting: Option<JoinHandle<()>>,
    /// While it is down: keeps the port ours, so that nobody else can be given it.
    reserved: Option<Socket>,
}

/// What the threads share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when `is_stopping` changes.
    stopping: Condvar,
}

#[derive(Debug)]
struct State {
    script: Script,
    received: Vec<Received>,
    n_connections: usize,
    /// Those that are served, by number.
    served: BTreeMap<usize, Served>,
    /// Whether all that waits is to end.
    is_stopping: bool,
}

/// A connection that is served.
#[derive(Debug)]
struct Served {
    tcp: TcpStream,
    thread: JoinHandle<()>,
}

impl HttpServer {
    /// Starts a server without TLS.
    ///
    /// # Panics
    ///
    /// If it can listen on no port.
    pub fn start(script: Script) -> Self {
        Self::start_with(script, None)
    }

    /// Starts a server with TLS.
    ///
    /// # Panics
    ///
    /// If it can listen on no port.
    pub fn start_tls(script: Script, identity: Identity) -> Self {
        Self::start_with(script, Some(identity))
    }

    fn start_with(script: Script, identity: Option<Identity>) -> Self {
        let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("it is bound");
        let state = State {
            script,
            received: Vec::new(),
            n_connections: 0,
            served: BTreeMap::new(),
            is_stopping: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), stopping: Condvar::new() });
        let mut server = Self { address, identity, shared, accepting: None, reserved: Some(socket) };
        server.up();
        server
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL without a path: `http://127.0.0.1:PORT`, or `https://…`.
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns the requests so far, in the order in which their bodies were read.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.lock().received.clone()
    }

    /// Waits for as many requests, and returns all there are.
    ///
    /// # Panics
    ///
    /// If there are fewer within a minute.
    pub fn wait_for(&self, n: usize) -> Vec<Received> {
        poll_until(&format!("{n} requests"), DEADLINE, || {
            let requests = self.requests();
            (requests.len() >= n).then_some(requests)
        })
    }

    /// Returns how many connections it has accepted.
    pub fn n_connections(&self) -> usize {
        self.shared.lock().n_connections
    }

    /// Returns how many connections it serves at the moment.
    pub fn n_served(&self) -> usize {
        self.shared.lock().served.len()
    }

    /// Plays another script from now on.
    pub fn play(&self, script: Script) {
        self.shared.lock().script = script;
    }

    /// Ends all connections and refuses new ones, as if it had crashed, until it is [up](HttpServer::up) again.
    ///
    /// # Panics
    ///
    /// If its port is taken from it in that moment.
    pub fn down(&mut self) {
        self.stop();
        self.reserved.get_or_insert_with(|| bind(self.address));
    }

    /// Listens again, on the same port.
    ///
    /// # Panics
    ///
    /// If it cannot.
    pub fn up(&mut self) {
        let Some(socket) = self.reserved.take() else { return };
        self.shared.lock().is_stopping = false;
        socket.listen(BACKLOG).expect("a bound socket can listen");
        let listener = TcpListener::from(socket);
        let (shared, identity) = (Arc::clone(&self.shared), self.identity.clone());
        self.accepting = Some(thread::spawn(move || accept(&listener, identity.as_ref(), &shared)));
    }

    fn stop(&mut self) {
        let Some(accepting) = self.accepting.take() else { return };
        self.shared.lock().is_stopping = true;
        self.shared.stopping.notify_all();
        // Wakes the thread that accepts, which then looks and closes the port.
        let _refused = TcpStream::connect(self.address);
        accepting.join().expect("the thread that accepts does not panic");
        let served = std::mem::take(&mut self.shared.lock().served);
        for served in served.into_values() {
            // The client may have closed it.
            let _closed = served.tcp.shutdown(Shutdown::Both);
            drop(served.tcp);
            let played = served.thread.join();
            assert!(played.is_ok() || thread::panicking(), "an act panicked");
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn bind(address: SocketAddr) -> Socket {
    let bound = || -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // Connections of before may still linger on the port.
        socket.set_reuse_address(true)?;
        socket.set_recv_buffer_size(RECEIVED_BYTES)?;
        socket.bind(&address.into())?;
        Ok(socket)
    };
    bound().unwrap_or_else(|error| panic!("cannot bind {address}: {error}"))
}

fn accept(listener: &TcpListener, identity: Option<&Identity>, shared: &Arc<Shared>) {
    loop {
        // It fails for connections that are gone again.
        let Ok((tcp, _)) = listener.accept() else { continue };
        let mut state = shared.lock();
        if state.is_stopping {
            return;
        }
        let number = state.n_connections;
        state.n_connections += 1;
        let Ok(kept) = tcp.try_clone() else { continue };
        let (identity, shared) = (identity.cloned(), Arc::clone(shared));
        let thread = thread::spawn(move || {
            exchange::serve(tcp, number, identity.as_ref(), &shared);
            // Closes what is kept of it too; only then is it closed for the client.
            drop(shared.lock().served.remove(&number));
        });
        state.served.insert(number, Served { tcp: kept, thread });
    }
}

impl Shared {
    fn next_act(&self) -> Act {
        self.lock().script.next_act()
    }

    fn record(&self, request: Received) {
        self.lock().received.push(request);
    }

    /// Waits until the server stops, but no longer than `time`.
    fn wait_for_stop(&self, time: Option<Duration>) {
        let until = time.map(|time| Instant::now() + time);
        let mut state = self.lock();
        while !state.is_stopping {
            let Some(until) = until else {
                state = self.stopping.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (state, _) = self.stopping.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after each change, even if somebody panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
