//! The turns in which files are read.

use logweir_event::Position;

use super::Follower;
use super::followed::{Content, Followed, State};
use super::guarded::{GuardedRead, Place, is_changed, read_exact_at};
use super::registry::{Head, n_head_bytes};
use crate::chunker::RawChunk;
use crate::fingerprint::Window;
use crate::tracker::Mark;

/// How many bytes of a file are sent before it is another one's turn.
pub(super) const TURN_BYTES: u64 = 2 << 20;

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
    pub(super) fn max_line_bytes(&self) -> u64 {
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
    pub(super) fn send_until(&mut self, key: u32, raw: RawChunk, place: Place) {
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
}

/// Whether a turn has begun.
pub(super) enum Begun {
    Yes,
    /// The file is not to be read now.
    No,
    /// It would have to be opened, and too many are.
    NoRoom,
}
