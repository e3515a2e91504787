//! The turns in which files are read.

use std::io;
use std::time::Instant;

use bytes::Bytes;
use logweir_event::Position;

use super::Follower;
use super::compressed::Piece;
use super::followed::{Content, Followed, Plain, State};
use super::guarded::{GuardedRead, Place, is_changed, read_exact_at};
use super::registry::{Head, n_head_bytes};
use crate::chunker::RawChunk;
use crate::fingerprint::Window;
use crate::tracker::Mark;

/// How many bytes of a file are sent before it is another one's turn.
const TURN_BYTES: u64 = 2 << 20;

/// An unfinished line that is longer is searched for its end before it is read again as a whole.
const LONG_LINE_BYTES: u64 = 64 * 1024;

/// What may be about an event that is as long as it may be: a byte-order mark before it, and its ending.
const MAX_AROUND_BYTES: u64 = 5;

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
            && file.state == State::Idle
        {
            file.state = State::Queued;
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
        file.state = State::Idle;
        let was_open = file.file.is_some();
        match file.open() {
            Ok(true) if was_open => {}
            Ok(true) => self.files.opened(key),
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
        let Some(file) = self.files.get_mut(key) else { return Begun::No };
        file.begin_turn();
        match self.begin(key) {
            Begun::Yes => {}
            Begun::NoRoom => {
                self.files.set_state(key, State::Queued);
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
        file.state = State::Reading;
        (self.turn.key, self.turn.n_sent) = (Some(key), 0);
        Begun::Yes
    }

    /// Reads once in the turn that has begun, and ends it if there is no more.
    pub(super) fn read_on(&mut self) {
        let Some(key) = self.turn.key else { return };
        match self.files.get(key).map(|file| &file.content) {
            Some(Content::Plain(_)) => self.read_plain(key),
            Some(Content::Compressed(_)) => self.read_compressed(key),
            Some(Content::Unknown(_)) | None => self.end_turn(key),
        }
    }

    fn read_plain(&mut self, key: u32) {
        if !self.turn.chunker.wait_within(&self.stop, self.pace.patience) {
            return;
        }
        let Some(Followed { file: Some(file), content: Content::Plain(plain), .. }) = self.files.get(key)
        else {
            return self.end_turn(key);
        };
        let line_start = plain.place.offset;
        let mut reader = GuardedRead { file, place: &mut self.turn.place };
        match self.turn.chunker.fill(&mut reader) {
            Ok(0) => self.end_of_plain(key),
            Ok(_) => {
                self.clear_trouble(key);
                if let Some(raw) = self.turn.chunker.take() {
                    self.send_plain(key, raw);
                    if self.turn.n_sent >= TURN_BYTES && !self.ready.is_empty() {
                        self.end_turn(key);
                        self.queue(key);
                    }
                } else if self.turn.place.offset - line_start > self.max_line_bytes() {
                    // Its end is searched for in turns, which others have as well.
                    self.note_scanned(key);
                    self.end_turn(key);
                    self.queue(key);
                }
            }
            Err(error) if is_changed(&error) => self.emptied(key),
            Err(error) => {
                // First, so that it is not queued at once.
                self.cannot("read", key, &error);
                self.end_turn(key);
            }
        }
    }

    /// Returns the most bytes that a line may have that is not skipped.
    fn max_line_bytes(&self) -> u64 {
        self.limits.max_event_bytes as u64 + MAX_AROUND_BYTES
    }

    /// Takes note of how far a file has been read in this turn, whole lines or not.
    fn note_scanned(&mut self, key: u32) {
        if let Some(Followed { content: Content::Plain(plain), .. }) = self.files.get_mut(key) {
            plain.scanned = self.turn.place.clone();
        }
    }

    /// Sends whole lines, and takes note of where they end.
    fn send_plain(&mut self, key: u32, raw: RawChunk) {
        let Some(Followed { file: Some(file), content: Content::Plain(plain), .. }) = self.files.get(key)
        else {
            return;
        };
        let offset = plain.place.offset + raw.n_bytes_read;
        let place = if raw.n_bytes_read == raw.bytes.len() as u64 {
            let mut place = plain.place.clone();
            place.advance(&raw.bytes);
            place
        } else if offset == self.turn.place.offset {
            self.turn.place.clone()
        } else {
            // Some of what comes before was skipped and is gone. Should the file have changed meanwhile, the next read
            // notices.
            match Place::at(file, offset) {
                Ok(Some(place)) => place,
                Ok(None) | Err(_) => Place { offset, window: Window::new() },
            }
        };
        self.send_until(key, raw, place);
    }

    /// Sends what a file holds up to a place, the end of a line.
    fn send_until(&mut self, key: u32, raw: RawChunk, place: Place) {
        let Some(followed) = self.files.get_mut(key) else { return };
        let (Content::Plain(plain), Some(file)) = (&mut followed.content, &followed.file) else { return };
        let (offset, tail) = (place.offset, place.window.fingerprint());
        if plain.scanned.offset < offset {
            plain.scanned = place.clone();
        }
        plain.place = place;
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
        self.clear_trouble(key);
        self.note_scanned(key);
        let Some(file) = self.files.get_mut(key) else { return };
        file.set_size(n_read);
        if self.is_over(key) {
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
        self.files.set_state(key, State::Idle);
        // What was told of it meanwhile did not put it into the queue.
        if self.files.get(key).is_some_and(Followed::is_behind) {
            self.queue(key);
        }
    }

    /// Begins anew with a file that no longer holds what was read of it.
    pub(super) fn emptied(&mut self, key: u32) {
        if self.turn.key == Some(key) {
            self.note_scanned(key);
            self.begin_anew(key);
            self.end_turn(key);
        } else {
            self.begin_anew(key);
        }
        self.queue(key);
    }

    /// Begins a turn if there is a whole line to read, or may be; of a long one that is unfinished, only what is new is
    /// looked at.
    pub(super) fn find_line_end(&mut self, key: u32) -> io::Result<Begun> {
        let (max_line_bytes, is_over) = (self.max_line_bytes(), self.is_over(key));
        let Some(followed) = self.files.get_mut(key) else { return Ok(Begun::No) };
        let (Content::Plain(plain), Some(file)) = (&mut followed.content, &followed.file) else {
            return Ok(Begun::No);
        };
        let start = plain.place.offset;
        if plain.scanned.offset - start < LONG_LINE_BYTES {
            return Ok(Begun::Yes);
        }
        let found = match plain.scan(file, TURN_BYTES) {
            Err(error) if is_changed(&error) => {
                self.emptied(key);
                return Ok(Begun::No);
            }
            found => found?,
        };
        let n_bytes = plain.scanned.offset - start;
        match found {
            Scan::More => {
                self.queue(key);
                Ok(Begun::No)
            }
            Scan::LineEnd | Scan::End if n_bytes <= max_line_bytes => {
                let is_read = found == Scan::LineEnd || is_over;
                if is_read {
                    plain.scanned = plain.place.clone();
                } else {
                    followed.set_size(start + n_bytes);
                }
                Ok(if is_read { Begun::Yes } else { Begun::No })
            }
            Scan::End if !is_over => {
                followed.set_size(start + n_bytes);
                Ok(Begun::No)
            }
            Scan::LineEnd | Scan::End => {
                let place = plain.scanned.clone();
                let raw = RawChunk { bytes: Bytes::new(), n_bytes_read: n_bytes, n_oversized: 1 };
                self.send_until(key, raw, place);
                if found == Scan::End {
                    self.forget(key);
                } else {
                    self.queue(key);
                }
                Ok(Begun::No)
            }
        }
    }

    fn read_compressed(&mut self, key: u32) {
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
                self.finish_compressed(key);
                self.end_turn(key);
            }
            Ok(_) => {
                if let Some(piece) = compressed.take() {
                    self.send_piece(key, piece);
                    if self.turn.n_sent >= TURN_BYTES && !self.ready.is_empty() {
                        self.end_turn(key);
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

    /// Gives up on a compressed file until it changes: whoever makes it may not be done, or it is damaged.
    pub(super) fn damaged(&mut self, key: u32, error: &io::Error) {
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
        if self.turn.key == Some(key) {
            self.end_turn(key);
        }
    }

    /// Takes note that a file could not be opened or read, to try again after a pause.
    pub(super) fn cannot(&mut self, what: &'static str, key: u32, error: &io::Error) {
        if what == "open" && error.kind() == io::ErrorKind::NotFound {
            // It has gone since it was found; the next search finds out where to.
            self.search_soon();
            return;
        }
        if is_too_many_open(error) {
            self.close_some();
        }
        let pace = self.pace;
        let Some(file) = self.files.get_mut(key) else { return };
        let pause = file.retry.map_or(pace.retry_after, |(_, pause)| pace.longer(pause));
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

    /// Closes a file or two, as the process may open no more.
    pub(super) fn close_some(&mut self) {
        if !self.files.close_one() {
            self.files.let_go(true);
        }
    }

    /// Returns whether nothing more is to be expected of a file, as no name leads to it.
    pub(super) fn is_over(&self, key: u32) -> bool {
        let Some(file) = self.files.get(key) else { return false };
        let Some((since, missed_in)) = file.missing_since else { return false };
        let quiet = since.max(file.changed).elapsed();
        let patience = match file.n_names() {
            Some(0) => self.pace.deleted_after,
            _ => self.pace.moved_after,
        };
        // One search may have come across neither its old name nor its new one.
        missed_in < self.n_searches && (file.is_to_close || quiet >= patience)
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

/// What the search for the end of an unfinished line has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scan {
    /// The end of the line.
    LineEnd,
    /// The end of the file.
    End,
    /// There is more to be searched.
    More,
}

impl Plain {
    /// Searches for the end of a line behind the place up to which that was done, through about `max_bytes` bytes.
    fn scan(&mut self, file: &std::fs::File, max_bytes: u64) -> io::Result<Scan> {
        let mut room = vec![0; LONG_LINE_BYTES as usize];
        let until = self.scanned.offset + max_bytes;
        while self.scanned.offset < until {
            let mut place = self.scanned.clone();
            let n_read = io::Read::read(&mut GuardedRead { file, place: &mut place }, &mut room)?;
            if n_read == 0 {
                return Ok(Scan::End);
            }
            if let Some(at) = memchr::memchr(b'\n', &room[..n_read]) {
                self.scanned.advance(&room[..=at]);
                return Ok(Scan::LineEnd);
            }
            self.scanned = place;
        }
        Ok(Scan::More)
    }
}

pub(super) fn is_too_many_open(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error();
    code == Some(Errno::MFILE.raw_os_error()) || code == Some(Errno::NFILE.raw_os_error())
}
