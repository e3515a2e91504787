//! The turns in which compressed files are read.

use std::io;

use logweir_event::Position;

use super::Follower;
use super::compressed::Piece;
use super::followed::{Content, Followed};
use super::read::TURN_BYTES;
use super::registry::Finished;
use crate::tracker::Mark;

impl Follower {
    pub(super) fn read_compressed(&mut self, key: u32) {
        // Its own chunker asks for as much at the most.
        if !self.pool.wait_within(self.limits.chunk_bytes, &self.stop, self.pace.patience) {
            return;
        }
        let Some(Followed { content: Content::Compressed(compressed), .. }) = self.files.get_mut(key) else {
            return self.end_turn(key);
        };
        match compressed.fill() {
            Ok(0) => {
                if let Some(piece) = compressed.take_rest() {
                    self.send_piece(key, piece);
                }
                self.clear_trouble(key);
                self.finish_compressed(key);
                self.end_turn(key);
            }
            Ok(_) => {
                let piece = compressed.take();
                self.clear_trouble(key);
                if let Some(piece) = piece {
                    self.send_piece(key, piece);
                    if self.turn.n_sent >= TURN_BYTES && !self.ready.is_empty() {
                        self.end_turn(key);
                        self.queue(key);
                    }
                }
            }
            Err(error) => self.cannot_decompress(key, &error),
        }
    }

    fn send_piece(&mut self, key: u32, piece: Piece) {
        let Some(followed) = self.files.get(key) else { return };
        let Content::Compressed(compressed) = &followed.content else { return };
        let position = Position { input: followed.input, offset: compressed.offset };
        self.turn.n_sent += piece.raw.n_bytes_read;
        self.progress.add_read(piece.n_source_bytes);
        let mark = Mark { position, tail: piece.tail };
        self.pending = Some(self.chunks.chunk(piece.raw, mark, piece.n_source_bytes));
    }

    /// Tries a compressed file again later if it is the system that fails; if it is what the file holds, gives up on it.
    pub(super) fn cannot_decompress(&mut self, key: u32, error: &io::Error) {
        if error.raw_os_error().is_none() && error.kind() != io::ErrorKind::OutOfMemory {
            return self.damaged(key, error);
        }
        if let Some(Followed { content: Content::Compressed(compressed), .. }) = self.files.get_mut(key) {
            compressed.close();
        }
        // First, so that it is not queued at once.
        self.cannot("read", key, error);
        if self.turn.key == Some(key) {
            self.end_turn(key);
        }
    }

    /// Gives up on a compressed file until it changes: whoever makes it may not be done, or it is damaged.
    fn damaged(&mut self, key: u32, error: &io::Error) {
        let Some(followed) = self.files.get_mut(key) else { return };
        let path = followed.path.display().to_string();
        followed.retry = None;
        if let Content::Compressed(compressed) = &mut followed.content {
            compressed.close();
            compressed.finish(followed.size);
        }
        tracing::warn!(
            path,
            error = error as &dyn std::error::Error,
            "a compressed file cannot be read further; it is tried again should it change"
        );
        // It is counted, and nothing that anybody can wait for.
        self.condition.trouble(&path, "decompress", error);
        self.condition.clear(&path);
        if self.turn.key == Some(key) {
            self.end_turn(key);
        }
    }

    /// Takes note that there is no more to be read of a compressed file, as long as it does not change.
    pub(super) fn finish_compressed(&mut self, key: u32) {
        let Some(followed) = self.files.get_mut(key) else { return };
        let Content::Compressed(compressed) = &mut followed.content else { return };
        let finished = Finished { offset: compressed.offset, n_bytes: followed.size };
        compressed.finish(followed.size);
        self.registry.update(followed.input, |entry| entry.finished = Some(finished));
    }
}
