//! The turns in which files are read.

use std::io;
use std::time::{Duration, Instant};

use super::compressed::Piece;
use super::followed::{Content, Followed};
use super::guarded::{GuardedRead, Place, is_changed, read_exact_at};
use super::registry::{Finished, Head, n_head_bytes};
use super::{Follower, PATIENCE};
use crate::chunker::RawChunk;
use crate::tracker::Mark;
use logweir_event::Position;

/// How many bytes of a file are sent before it is another one's turn.
const TURN_BYTES: u64 = 2 << 20;

/// An unfinished line that is longer is searched for its end before it is read again as a whole.
const LONG_LINE_BYTES: u64 = 64 * 1024;

/// The first pause before a file that could not be opened or read is tried again, and the longest.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];

impl Follower {
    /// Puts a file at the end of the queue, unless it is in it.
    pub(super) fn queue(&mut self, key: u32) {
        if self.files.get(key).is_some_and(|file| file.retry.is_none()) {
            self.queue_due(key);
        }
    }

    /// Puts a file into the queue that could not be read before and is to be tried again, or is to be looked at.
    pub(super) fn queue_due(&mut self, key: u32) {
        if let Some(file) = self.files.get_mut(key)
            && !file.is_queued
            && self.turn.key != Some(key)
        {
            file.is_queued = true;
            self.ready.push_back(key);
        }
    }

    /// Begins the turn of the next file that can be read; returns whether there is one.
    pub(super) fn begin_turn(&mut self) -> bool {
        for _ in 0..self.ready.len() {
            let Some(key) = self.ready.pop_front() else { break };
            match self.begin_turn_of(key) {
                Begun::Yes => return true,
                Begun::No => {}
                Begun::NoRoom => self.ready.push_back(key),
            }
        }
        false
    }

    fn begin_turn_of(&mut self, key: u32) -> Begun {
        let Some(file) = self.files.get(key) else { return Begun::No };
        if file.file.is_none() && !self.files.make_room() {
            return Begun::NoRoom;
        }
        let Some(file) = self.files.get_mut(key) else { return Begun::No };
        file.is_queued = false;
        let was_open = file.file.is_some();
        match file.open() {
            Ok(true) => {
                if !was_open {
                    self.files.opened();
                }
            }
            Ok(false) => {
                // The name leads elsewhere by now.
                self.search_soon();
                return Begun::No;
            }
            Err(error) => {
                self.cannot("open", key, &error);
                return Begun::No;
            }
        }
        match self.begin(key) {
            Begun::Yes => {}
            Begun::NoRoom => {
                self.files.set_queued(key);
                return Begun::NoRoom;
            }
            Begun::No => return Begun::No,
        }
        let Some(file) = self.files.get_mut(key) else { return Begun::No };
        self.turn.number += 1;
        self.is_published = false;
        file.last_turn = self.turn.number;
        if let Content::Plain(plain) = &file.content {
            self.turn.place = plain.place.clone();
            if plain.place.offset > 0 {
                self.turn.chunker.go_on();
            }
        }
        (self.turn.key, self.turn.n_sent) = (Some(key), 0);
        self.clear_trouble(key);
        Begun::Yes
    }

    /// Reads once in the turn that has begun, and ends it if there is no more.
    pub(super) fn read_on(&mut self) {
        let Some(key) = self.turn.key else { return };
        match self.files.get(key).map(|file| &file.content) {
            Some(Content::Plain(_)) => self.read_plain(key),
            Some(Content::Compressed(_)) => self.read_compressed(key),
            Some(Content::Unknown) | None => self.turn.key = None,
        }
    }

    fn read_plain(&mut self, key: u32) {
        if !self.turn.chunker.wait_within(&self.stop, PATIENCE) {
            return;
        }
        let Some(Followed { file: Some(file), .. }) = self.files.get(key) else { return };
        let mut reader = GuardedRead { file, place: &mut self.turn.place };
        match self.turn.chunker.fill(&mut reader) {
            Ok(0) => self.end_of_plain(key),
            Ok(_) => {
                if let Some(raw) = self.turn.chunker.take() {
                    self.send_plain(key, raw);
                    if self.turn.n_sent >= TURN_BYTES && !self.ready.is_empty() {
                        self.end_turn(key);
                        self.queue(key);
                    }
                }
            }
            Err(error) if is_changed(&error) => self.emptied(key),
            Err(error) => {
                self.end_turn(key);
                self.cannot("read", key, &error);
            }
        }
    }

    /// Sends whole lines, and takes note of where they end.
    fn send_plain(&mut self, key: u32, raw: RawChunk) {
        let Some(followed) = self.files.get_mut(key) else { return };
        let (Content::Plain(plain), Some(file)) = (&mut followed.content, &followed.file) else { return };
        let offset = plain.place.offset + raw.n_bytes_read;
        if raw.n_bytes_read == raw.bytes.len() as u64 {
            plain.place.advance(&raw.bytes);
        } else if offset == self.turn.place.offset {
            plain.place = self.turn.place.clone();
        } else {
            // Some of what comes before was skipped and is gone. Should the file have changed meanwhile, the next read
            // notices.
            plain.place = match Place::at(file, offset) {
                Ok(Some(place)) => place,
                Ok(None) | Err(_) => Place { offset, window: crate::fingerprint::Window::new() },
            };
        }
        plain.scanned = plain.scanned.max(offset);
        let tail = plain.place.window.fingerprint();
        plain.known.advance(offset, tail);
        if let Head::Bytes(head) = &mut plain.known.head
            && head.len() < n_head_bytes(offset)
            && let Ok(Some(bytes)) = read_exact_at(file, 0, n_head_bytes(offset))
        {
            head.clone_from(&bytes);
            self.registry.update(followed.input, |entry| entry.head = Head::Bytes(bytes));
        }
        let position = Position { input: followed.input, offset };
        let n_bytes = raw.n_bytes_read;
        self.turn.n_sent += n_bytes;
        self.progress.add_read(n_bytes);
        self.pending = Some(self.chunks.chunk(raw, Mark { position, tail }, n_bytes));
    }

    /// Ends the turn of a file that has been read to its end.
    fn end_of_plain(&mut self, key: u32) {
        let n_read = self.turn.place.offset;
        let Some(file) = self.files.get_mut(key) else { return };
        file.set_size(n_read.max(file.size.min(n_read)));
        if let Content::Plain(plain) = &mut file.content {
            plain.scanned = n_read;
        }
        let is_over = file.missing_since.is_some_and(|since| is_over(file, since));
        if is_over {
            if let Some(raw) = self.turn.chunker.finish() {
                self.send_plain(key, raw);
            }
            self.turn.key = None;
            self.forget(key);
            return;
        }
        self.end_turn(key);
    }

    /// Ends the turn of a file; what has been read of an unfinished line is read again next time.
    pub(super) fn end_turn(&mut self, key: u32) {
        debug_assert_eq!(self.turn.key, Some(key));
        self.turn.chunker.discard();
        self.turn.key = None;
    }

    /// Begins anew with a file that no longer holds what was read of it.
    pub(super) fn emptied(&mut self, key: u32) {
        self.end_turn(key);
        self.begin_anew(key);
        self.queue(key);
    }

    /// Returns whether an unfinished line has been finished, looking only at what is new of it; true if there is none or
    /// it is short.
    pub(super) fn has_line_end(&mut self, key: u32) -> bool {
        let Some(followed) = self.files.get_mut(key) else { return false };
        let (Content::Plain(plain), Some(file)) = (&mut followed.content, &followed.file) else {
            return true;
        };
        let is_short = plain.scanned - plain.place.offset < LONG_LINE_BYTES;
        if is_short || followed.missing_since.is_some() || followed.size < plain.scanned {
            return true;
        }
        let mut room = vec![0; LONG_LINE_BYTES as usize];
        while plain.scanned < followed.size {
            use std::os::unix::fs::FileExt as _;
            match file.read_at(&mut room, plain.scanned) {
                Ok(0) => return false,
                Ok(n_read) if memchr::memchr(b'\n', &room[..n_read]).is_some() => return true,
                Ok(n_read) => plain.scanned += n_read as u64,
                // Reading it will fail as well, and say so.
                Err(_) => return true,
            }
        }
        false
    }

    fn read_compressed(&mut self, key: u32) {
        // Its own chunker asks for as much at the most.
        if !self.pool.wait_within(self.limits.chunk_bytes, &self.stop, PATIENCE) {
            return;
        }
        let Some(Followed { content: Content::Compressed(compressed), .. }) = self.files.get_mut(key) else {
            return;
        };
        match compressed.fill() {
            Ok(0) => {
                if let Some(piece) = compressed.take_rest() {
                    self.send_piece(key, piece);
                }
                self.end_of_compressed(key);
            }
            Ok(_) => {
                if let Some(piece) = compressed.take() {
                    self.send_piece(key, piece);
                    if self.turn.n_sent >= TURN_BYTES && !self.ready.is_empty() {
                        self.turn.key = None;
                        self.queue(key);
                    }
                }
            }
            Err(error) => self.damaged(key, &error),
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

    /// Ends the turn of a compressed file that has been read to its end.
    fn end_of_compressed(&mut self, key: u32) {
        self.turn.key = None;
        let Some(followed) = self.files.get_mut(key) else { return };
        let Content::Compressed(compressed) = &mut followed.content else { return };
        let finished = Finished { offset: compressed.offset, n_bytes: followed.size };
        compressed.finish(followed.size);
        self.registry.update(followed.input, |entry| entry.finished = Some(finished));
    }

    /// Gives up on a compressed file until it changes: whoever makes it may not be done, or it is damaged.
    pub(super) fn damaged(&mut self, key: u32, error: &io::Error) {
        self.turn.key = None;
        let Some(followed) = self.files.get_mut(key) else { return };
        let path = followed.path.display().to_string();
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
    }

    /// Takes note that a file could not be opened or read, to try again after a pause.
    pub(super) fn cannot(&mut self, what: &'static str, key: u32, error: &io::Error) {
        if error.kind() == io::ErrorKind::NotFound {
            // It has gone since it was found; the next search finds out where to.
            self.search_soon();
            return;
        }
        if matches!(error.raw_os_error(), Some(code) if is_too_many_open(code)) {
            self.files.close_one();
        }
        let [first, longest] = RETRY_AFTER;
        let Some(file) = self.files.get_mut(key) else { return };
        let pause = file.retry.map_or(first, |(_, pause)| (pause * 2).min(longest));
        file.retry = Some((Instant::now() + pause, pause));
        self.is_tending = true;
        let path = file.path.display().to_string();
        if self.condition.trouble(&path, what, error) {
            tracing::error!(
                path,
                error = error as &dyn std::error::Error,
                "a file cannot be read; it is tried again"
            );
        }
    }

    fn clear_trouble(&mut self, key: u32) {
        let Some(file) = self.files.get_mut(key) else { return };
        if file.retry.take().is_some() {
            let path = file.path.display().to_string();
            if self.condition.clear(&path) {
                tracing::info!(path, "the file can be read again");
            }
        }
    }
}

/// Whether a turn has begun.
pub(super) enum Begun {
    Yes,
    /// The file is not to be read now.
    No,
    /// It would have to be opened, and too many are.
    NoRoom,
}

/// Returns whether nothing more is to be expected of a file that no name leads to.
fn is_over(file: &Followed, missing_since: Instant) -> bool {
    /// Whoever has a deleted file open may still write to it, but the room it takes on the disk is given back only when
    /// everybody has closed it.
    const DELETED: Duration = Duration::from_secs(5);
    /// Whoever writes to a file that was moved away goes on until told to open a new one, once an hour, maybe.
    const MOVED: Duration = Duration::from_secs(300);
    let quiet = missing_since.max(file.changed).elapsed();
    match file.n_names() {
        Some(0) => quiet >= DELETED,
        _ => quiet >= MOVED,
    }
}

fn is_too_many_open(code: i32) -> bool {
    code == rustix::io::Errno::MFILE.raw_os_error() || code == rustix::io::Errno::NFILE.raw_os_error()
}
