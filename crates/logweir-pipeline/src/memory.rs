//! How much memory a pipeline may come to take.

use logweir_stages::{Decode, PAYLOAD_BYTES};

use crate::config::{Limits, PipelineConfig};

/// How much memory a pipeline may come to take, as its configuration bounds it, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryBound {
    /// What has been read and is not written, with one line that is longer than what may be held.
    pub held_bytes: usize,
    /// The decoders, each of which has as much of what follows.
    pub decoders: usize,
    /// What a decoder works with: its scratch, and the edited events of a chunk, for itself and each output.
    pub lane_bytes: usize,
    /// What waits in a decoder's channels, rendered anew.
    pub queue_bytes: usize,
}

impl MemoryBound {
    /// Returns the bound of a pipeline.
    pub fn of(config: &PipelineConfig) -> Self {
        let Limits { max_event_bytes, chunk_bytes, channel_batches, decoders, held_bytes } = config.limits;
        let n_outputs = config.outputs.len();
        // A lane has its scratch, and for itself and each output the edited lines of a chunk twice: as a truncate
        // stage makes one, and in the batch.
        let longest_chunk_bytes = chunk_bytes + max_event_bytes;
        let lane_bytes =
            Decode::max_scratch_bytes(max_event_bytes) + 2 * (1 + n_outputs) * longest_chunk_bytes;
        // What is copied for a payload no longer counts as held; some wait in a channel, and one is at either end.
        let n_queues = n_outputs + usize::from(config.dead_letter.is_some());
        let rendered = config.outputs.iter().map(|output| output.encode.max_rendered_bytes(max_event_bytes));
        let longest_event_bytes = rendered.max().map_or(max_event_bytes, |n_bytes| n_bytes as usize);
        let one_queue_bytes = (channel_batches + 2) * (chunk_bytes.max(PAYLOAD_BYTES) + longest_event_bytes);
        // One line may grow a chunk beyond what may be held.
        let held_bytes = held_bytes + max_event_bytes;
        Self { held_bytes, decoders, lane_bytes, queue_bytes: n_queues * one_queue_bytes }
    }

    /// Returns the whole of it.
    pub fn max_bytes(&self) -> usize {
        self.held_bytes + self.decoders * (self.lane_bytes + self.queue_bytes)
    }
}
