//! A connection that knows when it last moved.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// When bytes last went over a connection. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Moved>);

#[derive(Debug)]
struct Moved {
    /// What the times are counted from.
    epoch: Instant,
    /// When the system last gave us bytes, in microseconds.
    read: AtomicU64,
    /// When the system last took bytes from us, in microseconds.
    written: AtomicU64,
    /// Cancelled to end the connection.
    cut: CancellationToken,
}

impl Progress {
    fn new() -> Self {
        let (read, written) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Moved { epoch: Instant::now(), read, written, cut: CancellationToken::new() }))
    }

    /// Counts both times from now: for a connection that served others before.
    pub(crate) fn begin(&self) {
        self.note(&self.0.read);
        self.note(&self.0.written);
    }

    /// Returns when bytes were last read or written.
    pub(crate) fn last_moved(&self) -> Instant {
        self.last_written().max(self.time(&self.0.read))
    }

    /// Returns when bytes were last written.
    pub(crate) fn last_written(&self) -> Instant {
        self.time(&self.0.written)
    }

    /// Ends the connection, whatever it waits for.
    pub(crate) fn cut(&self) {
        self.0.cut.cancel();
    }

    pub(crate) fn is_of_same_connection(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn note(&self, time: &AtomicU64) {
        let passed = self.0.epoch.elapsed().as_micros();
        // Alone in its cell, and telling of nothing else.
        time.store(u64::try_from(passed).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn time(&self, time: &AtomicU64) -> Instant {
        self.0.epoch + Duration::from_micros(time.load(Ordering::Relaxed))
    }
}

/// A TCP connection that keeps its [`Progress`]: what the system took and gave, below TLS.
pub(crate) struct Tracked {
    tcp: TcpStream,
    progress: Progress,
    /// Ready when the connection is to end.
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Tracked {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        let progress = Progress::new();
        let cut = Box::pin(progress.0.cut.clone().cancelled_owned());
        Self { tcp, progress, cut }
    }

    /// Returns an error once the connection is to end, and wakes the task then.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "given up")),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Tracked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        let n_before = buf.filled().len();
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if buf.filled().len() > n_before {
            self.progress.note(&self.progress.0.read);
        }
        polled
    }
}

impl AsyncWrite for Tracked {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        let polled = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.note_written(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        let polled = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.note_written(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl Tracked {
    fn note_written(&self, polled: &Poll<io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.progress.note(&self.progress.0.written);
        }
    }
}

/// A connection to a server, with TLS or without.
pub(crate) struct Wire(Either<Tracked, Box<TlsStream<Tracked>>>);

impl Wire {
    pub(crate) fn plain(tcp: Tracked) -> Self {
        Self(Either::Left(tcp))
    }

    pub(crate) fn secure(tls: TlsStream<Tracked>) -> Self {
        Self(Either::Right(Box::new(tls)))
    }
}

impl Connection for Wire {
    /// Carries its [`Progress`].
    fn connected(&self) -> Connected {
        let tcp = match &self.0 {
            Either::Left(tcp) => tcp,
            Either::Right(tls) => tls.get_ref().0,
        };
        Connected::new().extra(tcp.progress.clone())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
