//! What a request carries.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use http_body::{Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, Take};
use tokio_util::io::ReaderStream;

/// How much of a body is handed on at once, and read from a file: enough to be fast, and little enough that some tens
/// of uploads at once take no memory to speak of.
const PIECE_BYTES: usize = 64 * 1024;

/// The body of a request, which can be sent any number of times.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// These bytes.
    Bytes(Bytes),
    /// What is in this file. Each attempt opens it anew and reads it piece by piece, up to the length it had then; it
    /// must not become shorter while it is sent.
    File(PathBuf),
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl Body {
    /// Makes it ready to be sent once.
    pub(crate) async fn open(&self) -> io::Result<OpenBody> {
        let (pieces, n_left) = match self {
            Self::Empty => (Pieces::Bytes(Bytes::new()), 0),
            Self::Bytes(bytes) => (Pieces::Bytes(bytes.clone()), bytes.len() as u64),
            Self::File(path) => {
                let file = File::open(path).await?;
                let n_bytes = file.metadata().await?.len();
                (Pieces::File(ReaderStream::with_capacity(file.take(n_bytes), PIECE_BYTES)), n_bytes)
            }
        };
        Ok(OpenBody { pieces, n_left, is_sent: Arc::new(AtomicBool::new(n_left == 0)) })
    }
}

/// A body on its way.
pub(crate) struct OpenBody {
    pieces: Pieces,
    /// Bytes that are still to come.
    n_left: u64,
    /// Whether none are.
    is_sent: Arc<AtomicBool>,
}

enum Pieces {
    Bytes(Bytes),
    File(ReaderStream<Take<File>>),
}

impl OpenBody {
    /// Returns what tells, from elsewhere, whether all of it was handed on.
    pub(crate) fn is_sent(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_sent)
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        match &mut self.pieces {
            Pieces::Bytes(bytes) => Poll::Ready(Ok(bytes.split_to(bytes.len().min(PIECE_BYTES)))),
            Pieces::File(file) => match ready!(Pin::new(file).poll_next(cx)) {
                Some(piece) => Poll::Ready(piece),
                None => Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the file became shorter while it was sent",
                ))),
            },
        }
    }
}

impl http_body::Body for OpenBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.n_left == 0 {
            return Poll::Ready(None);
        }
        let piece = ready!(self.poll_piece(cx)).map_err(|error| BodyError(Arc::new(error)))?;
        self.n_left -= piece.len() as u64;
        if self.n_left == 0 {
            self.is_sent.store(true, Ordering::Release);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.n_left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.n_left)
    }
}

/// A body that cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct BodyError(pub(crate) Arc<io::Error>);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot read the body")
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
