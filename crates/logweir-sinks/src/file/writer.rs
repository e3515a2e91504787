//! Takes payloads and puts them into files, one after the other.

use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use jiff::Timestamp;
use logweir_event::{Payload, Pending};
use memchr::memchr;

use super::config::{AckLevel, Compression, FileMode};
use super::files::Files;
use super::group_commit::{GroupCommit, Handed, SyncFailed};
use super::member::Member;
use super::open_file::{Addition, Units};
use crate::error::SinkError;
use crate::hold::Hold;
use crate::receiver::PayloadReceiver;
use crate::vectored::runs;

/// How often at most it is looked whether somebody has moved the file away, or removed it. Where events are only
/// written, those that a removed file takes until then are gone with it, though acked: to look after each would cost as
/// much as to write it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The bytes of events after which a member is complete that is only written: enough to compress well.
const WRITTEN_MEMBER_BYTES: u64 = 1 << 20;

/// How long an event waits at most for others to be compressed with it, if it is only written.
const WRITTEN_MEMBER_AGE: Duration = Duration::from_secs(1);

/// The bytes of events after which a member is complete that is synced, however soon that comes: its bytes are held
/// until then.
const SYNCED_MEMBER_BYTES: u64 = 4 << 20;

/// Writes payloads to files, each complete before the next is begun.
pub(super) struct Writer<'a> {
    files: Files<'a>,
    hold: &'a mut Hold,
    /// The events that are not yet in a file, because their member is not complete.
    member: Option<Member>,
}

/// A payload that could not be written to its end, and how many of its bytes are in files.
type Unfinished = (Payload, u64);

impl<'a> Writer<'a> {
    pub(super) fn new(files: Files<'a>, hold: &'a mut Hold) -> Self {
        Self { files, hold, member: None }
    }

    /// Writes payloads until there are no more, and completes the last file.
    ///
    /// # Errors
    ///
    /// Why it cannot go on; what was written of the payload at hand is in `unfinished`.
    pub(super) fn run(
        &mut self,
        payloads: &mut PayloadReceiver,
        unfinished: &mut Option<Unfinished>,
    ) -> Result<(), SinkError> {
        self.begin()?;
        loop {
            match self.next(payloads)? {
                Next::Payload(payload) if payload.n_events() == 0 => payload.written(),
                Next::Payload(payload) => {
                    self.keep_time()?;
                    self.take(payload, unfinished)?;
                }
                Next::TimeHasCome => self.keep_time()?,
                Next::End => {
                    self.complete_member()?;
                    return self.complete_file();
                }
            }
        }
    }

    /// Cuts off what nobody was told is safe, since it will come again; returns whether that was possible.
    pub(super) fn cut_back(&mut self, acked_end: u64) -> bool {
        let Some(open) = self.files.close() else { return true };
        let is_ours = open.file.n_bytes().is_ok_and(|n_bytes| n_bytes == open.n_bytes);
        let is_cut = is_ours && (acked_end >= open.n_bytes || open.file.cut(acked_end).is_ok());
        if !is_cut {
            tracing::warn!(path = %open.path.display(), acked_end, "what was not acked stays in the file");
        }
        is_cut
    }

    /// Opens the file that is there from the start, or mends what earlier runs have left.
    fn begin(&mut self) -> Result<(), SinkError> {
        if !self.files.target.is_in_place() {
            return self.with_patience(|writer| writer.files.finish_left_over());
        }
        self.open_next()?;
        if self.files.config.mode == FileMode::Overwrite {
            self.with_patience(Self::empty)?;
        }
        Ok(())
    }

    /// Empties the file. One that is empty is not emptied: ext4 takes that for the start of a rewrite, and then writes
    /// all of the file to the disk when it is closed (its mount option `auto_da_alloc`), which costs as long as all
    /// else.
    fn empty(&mut self) -> Result<(), SinkError> {
        if let Some(open) = self.files.open.as_mut().filter(|open| open.n_bytes > 0) {
            open.file.cut(0).map_err(|source| SinkError::Write { path: open.path.clone(), source })?;
            open.n_bytes = 0;
        }
        Ok(())
    }

    /// Waits for what comes next.
    fn next(&self, payloads: &mut PayloadReceiver) -> Result<Next, SinkError> {
        let deadline = self.deadline();
        let received = match self.files.commit {
            None => self.hold.waiter().wait(payloads.recv(), deadline),
            Some(commit) => {
                // Cancel safe: a wait for a payload that is given up has taken none.
                let (received, failed) = (pin!(payloads.recv()), pin!(commit.failed().cancelled()));
                match self.hold.waiter().wait(select(received, failed), deadline) {
                    None => None,
                    Some(Either::Left((payload, _))) => Some(payload),
                    Some(Either::Right(_)) => return Err(self.sync_failed(SyncFailed)),
                }
            }
        };
        Ok(match received {
            None => Next::TimeHasCome,
            Some(None) => Next::End,
            Some(Some(payload)) => Next::Payload(payload),
        })
    }

    /// Returns when something is to be done even if nothing comes.
    fn deadline(&self) -> Option<Instant> {
        let member = self.member.as_ref().map(Member::due);
        let aged =
            self.files.open.as_ref().and_then(|open| Some(open.opened + self.files.config.rotate.every?));
        let changed = (self.files.target.has_time() && self.files.open.is_some()).then(next_minute);
        [member, aged, changed].into_iter().flatten().min()
    }

    /// Does what is due: completes the member, or the file.
    fn keep_time(&mut self) -> Result<(), SinkError> {
        if self.member.as_ref().is_some_and(|member| member.due() <= Instant::now()) {
            self.complete_member()?;
        }
        if self.is_file_over() {
            self.complete_member()?;
            self.complete_file()?;
        }
        Ok(())
    }

    /// Returns whether nothing more belongs into the file.
    fn is_file_over(&self) -> bool {
        let Some(open) = &self.files.open else { return false };
        let is_aged = self.files.config.rotate.every.is_some_and(|every| open.opened.elapsed() >= every);
        is_aged
            || (self.files.target.has_time()
                && self.files.target.path_at(Timestamp::now()) != open.final_path)
    }

    fn take(&mut self, payload: Payload, unfinished: &mut Option<Unfinished>) -> Result<(), SinkError> {
        if self.files.config.compression != Compression::None {
            return self.compress(payload);
        }
        let written = {
            let whole_within = |n_bytes| payload.whole_events_within(n_bytes).1;
            let mut addition = Addition::new(payload.parts(), Units::Lines(&whole_within));
            let written = self.write(&mut addition, &|from, room| range_end(&payload, from, room));
            written.map_err(|error| (error, addition.n_taken()))
        };
        match written {
            Ok(start) => self.settle(vec![payload.into_pending()], start, self.due()),
            Err((error, n_taken)) => {
                *unfinished = Some((payload, n_taken));
                Err(error)
            }
        }
    }

    /// Adds a payload to the member, and completes that if it is large enough.
    fn compress(&mut self, payload: Payload) -> Result<(), SinkError> {
        let no_memory =
            |source| SinkError::Write { path: self.files.target.path_at(Timestamp::now()), source };
        let mut member = match self.member.take() {
            Some(member) => member,
            None => Member::new(self.files.config.compression, self.due())
                .map_err(no_memory)?
                .expect("where nothing is compressed, no member is asked for"),
        };
        member.add(payload).map_err(no_memory)?;
        let is_complete = member.n_bytes() >= self.max_member_bytes();
        self.member = Some(member);
        if is_complete { self.complete_member() } else { Ok(()) }
    }

    /// Completes the member, if there is one, and writes it.
    fn complete_member(&mut self) -> Result<(), SinkError> {
        let Some(member) = self.member.take() else { return Ok(()) };
        let due = member.due();
        let no_memory =
            |source| SinkError::Write { path: self.files.target.path_at(Timestamp::now()), source };
        let (bytes, pendings) = member.finish().map_err(no_memory)?;
        let n_bytes = bytes.len() as u64;
        let parts = [bytes];
        let mut addition = Addition::new(&parts, Units::One);
        let is_fitting = |room: Room| room.is_empty_file || room.n_bytes.is_none_or(|room| n_bytes <= room);
        let start = self.write(&mut addition, &|_, room| is_fitting(room).then_some(n_bytes))?;
        self.settle(pendings, start, due)
    }

    /// Writes something to its end, to as many files as it takes, waiting out what is in the way; returns where in
    /// the file it begins, or what is in the last file of it. `range_end` says how much goes into the file that is
    /// open, `None` for nothing.
    fn write(
        &mut self,
        addition: &mut Addition<'_>,
        range_end: &dyn Fn(u64, Room) -> Option<u64>,
    ) -> Result<u64, SinkError> {
        let mut end = None;
        loop {
            self.make_ready(addition)?;
            let open = self.files.open.as_mut().expect("it has been made ready");
            if addition.is_whole() {
                let max_bytes = self.files.config.rotate.max_bytes;
                let room = Room {
                    is_empty_file: open.n_bytes == 0,
                    n_bytes: max_bytes.map(|max_bytes| max_bytes.saturating_sub(open.n_bytes)),
                    max_bytes: max_bytes.unwrap_or(u64::MAX),
                };
                end = range_end(addition.n_taken(), room);
            }
            let Some(end) = end else {
                self.complete_file()?;
                continue;
            };
            let start = open.n_bytes;
            match open.add(addition, end) {
                Ok(start) => {
                    self.hold.is_over();
                    if addition.is_at_end() {
                        return Ok(start);
                    }
                    self.settle(Vec::new(), start, self.due())?;
                }
                Err(source) => {
                    open.seen = None;
                    let path = open.path.clone();
                    // A part may have been written, and is to be synced should this file be left.
                    self.settle(Vec::new(), start, self.due())?;
                    self.hold.wait_out(SinkError::Write { path, source })?;
                }
            }
        }
    }

    /// Makes sure that there is a file to write to, which is the one that its path leads to.
    fn make_ready(&mut self, addition: &mut Addition<'_>) -> Result<(), SinkError> {
        let is_moved = loop {
            match self.is_moved() {
                Ok(is_moved) => break is_moved,
                Err(error) => self.hold.wait_out(error)?,
            }
        };
        if is_moved {
            self.flush()?;
            self.files.close();
            addition.start_unit_again();
        }
        if self.files.open.is_none() { self.open_next() } else { Ok(()) }
    }

    /// Looks, if it is time to, whether somebody has moved the file away that is open, or removed it.
    ///
    /// # Errors
    ///
    /// Why that cannot be known, where the file has no name any more and so may be gone.
    fn is_moved(&mut self) -> Result<bool, SinkError> {
        let look_every = match self.files.commit {
            Some(_) => self.files.config.sync_every.min(LOOK_EVERY),
            None => LOOK_EVERY,
        };
        let Some(open) = self.files.open.as_mut().filter(|open| open.is_to_be_seen(look_every)) else {
            return Ok(false);
        };
        match open.file.is_at(&open.path) {
            Ok(false) => {
                tracing::info!(path = %open.path.display(), "somebody has moved the file away; it is opened anew");
                return Ok(true);
            }
            Err(source) if !open.file.has_name().unwrap_or(false) => {
                return Err(SinkError::Open { path: open.path.clone(), source });
            }
            // Where its path cannot be looked at, it is still a file that somebody can find.
            Ok(true) | Err(_) => open.seen = Some(Instant::now()),
        }
        Ok(false)
    }

    /// Tells those who wait that they have been written, or hands them over to be synced with what has been written
    /// since `start`.
    fn settle(&self, pendings: Vec<Pending>, start: u64, due: Instant) -> Result<(), SinkError> {
        let Some(commit) = self.files.commit else {
            pendings.into_iter().for_each(Pending::written);
            return Ok(());
        };
        let end = self.files.open.as_ref().map_or(start, |open| open.n_bytes);
        let handed = Handed { pendings, start, end, due };
        commit.hand_over(handed).map_err(|failed| self.sync_failed(failed))
    }

    /// Completes the file, if there is one: all of it is safe, and it gets its final name.
    fn complete_file(&mut self) -> Result<(), SinkError> {
        if self.files.open.is_none() {
            return Ok(());
        }
        self.flush()?;
        let Some(open) = self.files.close() else { return Ok(()) };
        if self.files.target.is_in_place() {
            return Ok(());
        }
        self.with_patience(|writer| writer.files.name_finally(&*open.file, &open.path, &open.final_path))
    }

    /// Opens the file that is to be written now, waiting out what is in the way.
    fn open_next(&mut self) -> Result<(), SinkError> {
        self.with_patience(|writer| writer.files.open_next())
    }

    /// Waits until all that was written is on the disk, if it is to be.
    fn flush(&self) -> Result<(), SinkError> {
        self.files.commit.map_or(Ok(()), GroupCommit::flush).map_err(|failed| self.sync_failed(failed))
    }

    fn sync_failed(&self, SyncFailed: SyncFailed) -> SinkError {
        let source = self.files.commit.and_then(GroupCommit::failure);
        let source = source.unwrap_or_else(|| io::Error::other("a sync has failed before"));
        let path = self.files.open.as_ref().map(|open| open.path.clone()).unwrap_or_default();
        SinkError::Sync { path, source }
    }

    /// Tries something until it succeeds, or cannot be waited for.
    fn with_patience<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> Result<T, SinkError>,
    ) -> Result<T, SinkError> {
        loop {
            match attempt(self) {
                Ok(done) => {
                    self.hold.is_over();
                    return Ok(done);
                }
                Err(error) => self.hold.wait_out(error)?,
            }
        }
    }

    /// Returns when what is taken now is to be safe at the latest.
    fn due(&self) -> Instant {
        let after = match self.files.config.ack {
            AckLevel::Written => WRITTEN_MEMBER_AGE,
            AckLevel::Synced => self.files.config.sync_every,
        };
        Instant::now() + after
    }

    fn max_member_bytes(&self) -> u64 {
        let bytes = match self.files.config.ack {
            AckLevel::Written => WRITTEN_MEMBER_BYTES,
            AckLevel::Synced => SYNCED_MEMBER_BYTES,
        };
        bytes.min(self.files.config.rotate.max_bytes.unwrap_or(u64::MAX))
    }
}

/// What comes next.
enum Next {
    Payload(Payload),
    /// Something is due.
    TimeHasCome,
    End,
}

/// What a file still takes.
#[derive(Clone, Copy)]
struct Room {
    /// Whether it has nothing yet: then it takes what no file has room for.
    is_empty_file: bool,
    /// `None` if it may become as large as it likes.
    n_bytes: Option<u64>,
    /// What an empty file takes.
    max_bytes: u64,
}

/// Returns where the events end that go from byte `from` on into a file; `None` if none do. Those that fit together
/// into a file of their own are not parted.
fn range_end(payload: &Payload, from: u64, room: Room) -> Option<u64> {
    let n_left = payload.n_bytes() - from;
    let Some(room_bytes) = room.n_bytes.filter(|&room_bytes| room_bytes < n_left) else {
        return Some(payload.n_bytes());
    };
    if !room.is_empty_file && n_left <= room.max_bytes {
        return None;
    }
    let end = payload.whole_events_within(from + room_bytes).1;
    if end > from {
        return Some(end);
    }
    room.is_empty_file.then(|| first_event_end(payload, from))
}

/// Returns where the event ends that begins at `from`.
fn first_event_end(payload: &Payload, from: u64) -> u64 {
    let mut end = from;
    for run in runs(payload.parts(), from..payload.n_bytes()) {
        if let Some(at) = memchr(b'\n', run) {
            return end + at as u64 + 1;
        }
        end += run.len() as u64;
    }
    end
}

/// Returns when the next minute begins: the time in a path changes then, if at all; where it has seconds in it, the
/// next payload sees it.
fn next_minute() -> Instant {
    let second = Timestamp::now().as_second().rem_euclid(60);
    Instant::now() + Duration::from_secs(60 - second.unsigned_abs())
}
