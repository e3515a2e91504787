//! Where events come from.
//!
//! A source reads its input on a thread of its own, because reading blocks. The [`Chunker`] cuts what is read into
//! whole lines, in buffers lent by the [`BufferPool`], which bounds the memory of all that is on its way; the
//! [`ChunkSender`] hands them on, each with an ack of the [`AckTracker`], which knows how far everything has been
//! delivered. A source never looks into an event: all it knows is where lines end.

mod buffer;
mod checkpoint;
mod chunker;
mod context;
mod error;
mod file;
mod fingerprint;
mod follow;
mod lines;
mod positions;
mod progress;
mod pump;
mod raw;
mod sender;
mod stdin;
mod thread;
mod tracker;

use futures::future::BoxFuture;

pub use buffer::BufferPool;
pub use checkpoint::{
    Checkpoint, CheckpointError, CheckpointStore, FileCheckpoint, Listed, Reset, StateClaim, StateDir,
    list_checkpoints, read_covering, reset_checkpoint, spool_dir, state_dir_holder,
};
pub use chunker::{ChunkLimits, Chunker, RawChunk};
pub use context::SourceContext;
pub use error::SourceError;
pub use file::{FileSource, FileSourceConfig, Look, look};
pub use fingerprint::Fingerprint;
pub use follow::{Checkpointer, FollowConfig, FollowSource, FollowStats, Pace, Rotation, StartAt};
pub use lines::{InputLine, InputLines};
pub use progress::Progress;
pub use sender::{ChunkSender, Closed};
pub use stdin::StdinSource;
pub use tracker::{AckTracker, Mark};

/// Where events come from.
pub trait Source: Send {
    /// Reads its input and sends it on in chunks, until its end, until it is told to stop, or until nobody takes
    /// chunks any more, which is no error of the source.
    ///
    /// Told to stop, it sends what it has read; only an unfinished line is let go, where it can be read again, as from
    /// a regular file, or where its pipeline is abandoned. While it waits for somebody to take a chunk, it goes on waiting: what has been read is passed on.
    ///
    /// # Errors
    ///
    /// An error that ends only one of several inputs goes to [`SourceContext::report`] at once and the source goes
    /// on; at the end it returns [`SourceError::SomeFailed`]. Any other error is the one that ended it.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a dropped future tells its thread to stop, but what the thread still sends, and its errors,
    /// go unseen.
    fn run(self: Box<Self>, context: SourceContext) -> BoxFuture<'static, Result<(), SourceError>>;
}
