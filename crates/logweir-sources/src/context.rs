//! What a source works with.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use logweir_event::{Condition, FileId};
use tokio_util::sync::CancellationToken;

use crate::buffer::BufferPool;
use crate::chunker::ChunkLimits;
use crate::error::SourceError;
use crate::progress::Progress;
use crate::sender::ChunkSender;

/// What a source works with.
pub struct SourceContext {
    /// Where chunks go.
    pub chunks: ChunkSender,
    /// Lends the memory that chunks are read into.
    pub pool: BufferPool,
    /// How long lines may be.
    pub limits: ChunkLimits,
    /// Cancelled when the source is to stop.
    pub stop: CancellationToken,
    /// What this process writes: a source that read it might never end.
    pub outputs: Arc<HashSet<FileId>>,
    /// Set before `stop` is cancelled if the source is to stop because its pipeline has failed or nobody wants more:
    /// then the rest of a line is not worth sending.
    pub abandoned: Arc<AtomicBool>,
    /// Learns of each error that ends only one of several inputs, on the source's thread, when it happens.
    pub report: Arc<dyn Fn(&SourceError) + Send + Sync>,
    /// Learns what holds the source up while it goes on trying.
    pub condition: Condition,
    /// Learns how much there is to read and how much has been read.
    pub progress: Arc<Progress>,
}

impl fmt::Debug for SourceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceContext").field("limits", &self.limits).finish_non_exhaustive()
    }
}
