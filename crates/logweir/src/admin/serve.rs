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
