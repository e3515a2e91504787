//! Serves HTTP to clients that may be slow, silent, or many, and never more of them than there is room for.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

/// The most connections at once: a few scrapers and whoever looks. More wait until one ends.
const MAX_CONNECTIONS: usize = 64;

/// How long the head of a request may take, and a connection may be idle before the next one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a client may take nothing of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long answers under way may take in the end.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait after an error of the system's, mostly that there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The task that serves; dropped, it cuts off what is under way.
pub(super) struct Serving {
    stop: CancellationToken,
    task: JoinSet<()>,
}

impl Serving {
    /// Begins to serve.
    pub(super) fn start(listener: TcpListener, routes: Router) -> Self {
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, routes, stop.clone()));
        Self { stop, task }
    }

    /// Takes no more requests, and waits a moment until those under way are answered.
    pub(super) async fn finish(mut self) {
        self.stop.cancel();
        // Who has not taken his answer by then is cut off.
        let _ = timeout(FINISH_TIMEOUT, self.task.join_next()).await;
    }
}

/// Serves until it is to stop and what is under way has ended.
async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Cancel safe: a cancelled token stays cancelled.
            () = stop.cancelled() => break,
            // Cancel safe: a slot is given back, and a connection that was not accepted waits.
            accepted = accept(&listener, &slots) => match accepted {
                Ok((stream, slot)) => {
                    connections.spawn(answer(stream, routes.clone(), stop.clone(), slot));
                }
                Err(error) => {
                    tracing::warn!(%error, "the admin endpoint cannot take a connection, and tries again");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            // Cancel safe: it only takes what has ended.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits for room and for a connection.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, slot)),
            // The client was gone before it was its turn.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Answers the requests of a connection.
async fn answer(stream: TcpStream, routes: Router, stop: CancellationToken, _slot: OwnedSemaphorePermit) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let service = TowerToHyperService::new(routes);
    let connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    // What is wrong with a connection is its client's to know.
    tokio::select! {
        // Cancel safe: it is only borrowed.
        _ = connection.as_mut() => {}
        // Cancel safe: a cancelled token stays cancelled.
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::Write as _;
    use std::net;
    use std::sync::Weak;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use futures::stream;

    use super::*;

    async fn start(routes: Router) -> (Serving, net::SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Serving::start(listener, routes), address)
    }

    /// Sends a request, and reads nothing.
    fn ask(address: net::SocketAddr) -> net::TcpStream {
        let mut client = net::TcpStream::connect(address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        client
    }

    // The time is tokio's, which passes at once where nothing else is to be done.
    #[tokio::test(start_paused = true)]
    async fn one_connection_too_many_waits_until_another_ends() {
        let (asked, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (n_asked, may_answer) = (Arc::clone(&asked), Arc::clone(&answers));
        let handler = move || async move {
            n_asked.fetch_add(1, Ordering::Relaxed);
            may_answer.acquire().await.unwrap().forget();
        };
        let (serving, address) = start(Router::new().route("/", get(handler))).await;
        let mut clients: Vec<_> = (0..=MAX_CONNECTIONS).map(|_| ask(address)).collect();
        sleep(WRITE_TIMEOUT).await;
        assert_eq!(asked.load(Ordering::Relaxed), MAX_CONNECTIONS);

        // An answer alone does not make room, since a connection is kept for the next request; a while later it does.
        answers.add_permits(1);
        sleep(HEAD_TIMEOUT / 2).await;
        assert_eq!(asked.load(Ordering::Relaxed), MAX_CONNECTIONS);
        sleep(HEAD_TIMEOUT).await;
        assert_eq!(asked.load(Ordering::Relaxed), MAX_CONNECTIONS + 1);

        // Who goes makes room at once.
        clients.push(ask(address));
        answers.add_permits(MAX_CONNECTIONS);
        clients.drain(..MAX_CONNECTIONS);
        sleep(HEAD_TIMEOUT / 2).await;
        assert_eq!(asked.load(Ordering::Relaxed), MAX_CONNECTIONS + 2);
        drop(serving);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_is_cut_off() {
        let answer = Arc::new(());
        let under_way: Weak<()> = Arc::downgrade(&answer);
        let endless = stream::repeat_with(move || {
            let _ = &answer;
            Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 4096]))
        });
        let body = Arc::new(std::sync::Mutex::new(Some(Body::from_stream(endless))));
        let handler = move || async move { body.lock().unwrap().take().unwrap() };
        let (serving, address) = start(Router::new().route("/", get(handler))).await;
        let _client = ask(address);
        sleep(WRITE_TIMEOUT * 9 / 10).await;
        assert!(under_way.upgrade().is_some(), "it may be slow");
        // What the system still takes a moment later begins the time anew.
        let cut_off = async {
            while under_way.upgrade().is_some() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        timeout(WRITE_TIMEOUT * 3, cut_off).await.expect("it is cut off");
        drop(serving);
    }
}
