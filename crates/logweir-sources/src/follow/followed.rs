//! One file that is followed.

use std::collections::VecDeque;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use logweir_event::FileId;
use rustix::fs::OFlags;

use super::compressed::Compressed;
use super::guarded::{Place, read_exact_at};
use super::kin::Known;
use super::registry::{Head, n_head_bytes};
use crate::fingerprint::Window;

/// A file that is followed, open or not.
pub(super) struct Followed {
    /// Its number among the inputs of this run; another one after it was emptied.
    pub(super) input: u32,
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    /// Its descriptor; `None` where it has not been opened yet, or was closed to make room for others.
    pub(super) file: Option<File>,
    pub(super) content: Content,
    /// Its size when it was last looked at.
    pub(super) size: u64,
    /// The largest size it was seen to have with this content.
    largest: u64,
    /// When it last changed, as the system has it. It is only compared with what it was: a clock may be wrong.
    stamp: (i64, i64),
    /// Whether it has changed, maybe without another size, since the last turn began.
    is_touched: bool,
    /// When it was last found to have another size.
    pub(super) changed: Instant,
    /// The search that found it first, with what it holds now.
    pub(super) found_in: u64,
    /// Of a file of which only what is added is wanted: its size when it was found.
    pub(super) starts_behind: Option<u64>,
    /// Since when no name leads to it, and the search that found this out.
    pub(super) missing_since: Option<(Instant, u64)>,
    /// Whether it is to be closed as soon as it is read to its end, should it be gone.
    pub(super) is_to_close: bool,
    pub(super) state: State,
    /// When it could not be opened or read: the time to try again, and how long to wait the next time.
    pub(super) retry: Option<(Instant, Duration)>,
    /// The turn in which it was last read.
    pub(super) last_turn: u64,
}

/// What a file is waiting for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Something to happen to it.
    Idle,
    /// Its turn.
    Queued,
    /// The end of its turn.
    Reading,
}

/// What is known of what a file holds.
pub(super) enum Content {
    /// Nothing: it has not been looked into, or it may be a copy that somebody is still making.
    Unknown(Doubt),
    /// Bytes to be read as they are.
    Plain(Box<Plain>),
    /// A compressed file.
    Compressed(Box<Compressed>),
}

/// What is known of a file that was looked into, and not yet what it is.
#[derive(Clone, Copy, Default)]
pub(super) struct Doubt {
    /// When to look again, and how long to wait the next time.
    pub(super) again: Option<(Instant, Duration)>,
    /// Its size when it held nothing that has to be read.
    pub(super) settled_at: Option<u64>,
    /// The input that held all of its content, up to this place at least.
    pub(super) within: Option<(u32, u64)>,
    /// Whether it holds something else than it did in the last run.
    pub(super) is_other: bool,
}

/// How far an uncompressed file has been read.
pub(super) struct Plain {
    /// The end of what has been sent: of a line.
    pub(super) place: Place,
    /// Where the search for the next end of a line goes on.
    pub(super) scanned: Place,
    pub(super) known: Known,
}

impl Plain {
    /// Returns one to be read from `place` on.
    pub(super) fn from(file: &File, place: Place) -> io::Result<Self> {
        let head = read_exact_at(file, 0, n_head_bytes(place.offset))?.unwrap_or_default();
        let (offset, tail) = (place.offset, place.window.fingerprint());
        let known = Known { head: Head::Bytes(head), offset, tail, marks: VecDeque::new() };
        Ok(Self { scanned: place.clone(), place, known })
    }

    /// Returns whether a file still begins as it did, and holds what was read of an unfinished line. What comes before
    /// that is looked at when it is read on.
    pub(super) fn is_still_in(&self, file: &File) -> io::Result<bool> {
        let n_bytes = self.known.head.len() as usize;
        let first = read_exact_at(file, 0, n_bytes)?;
        if first.is_none_or(|first| self.known.head.matches(&first) != Some(true)) {
            return Ok(false);
        }
        if self.scanned.offset == self.place.offset {
            return Ok(true);
        }
        let scanned = Place::at(file, self.scanned.offset)?;
        Ok(scanned.is_some_and(|place| place.window == self.scanned.window))
    }
}

impl Followed {
    /// Returns a file that has just been found.
    pub(super) fn new(input: u32, path: PathBuf, metadata: &Metadata, found_in: u64) -> Self {
        Self {
            input,
            path,
            id: FileId::from(metadata),
            file: None,
            content: Content::Unknown(Doubt::default()),
            size: metadata.len(),
            largest: metadata.len(),
            stamp: stamp(metadata),
            is_touched: false,
            changed: Instant::now(),
            found_in,
            starts_behind: None,
            missing_since: None,
            is_to_close: false,
            state: State::Idle,
            retry: None,
            last_turn: 0,
        }
    }

    /// Returns how many of its bytes have been looked at, as they lie there.
    fn n_looked_at(&self) -> u64 {
        match &self.content {
            Content::Unknown(doubt) => doubt.settled_at.unwrap_or(0),
            Content::Plain(plain) => plain.scanned.offset.max(plain.place.offset),
            Content::Compressed(compressed) => compressed.n_used(),
        }
    }

    /// Returns how many of its bytes, as they lie there, have not been looked at.
    pub(super) fn n_unread(&self) -> u64 {
        self.size.saturating_sub(self.n_looked_at())
    }

    /// Returns how many bytes it was seen to have beyond those that have been looked at, even if it has lost them.
    pub(super) fn n_lost(&self) -> u64 {
        self.largest.saturating_sub(self.n_looked_at())
    }

    /// Returns whether there may be something to read.
    pub(super) fn is_behind(&self) -> bool {
        let has_more = match &self.content {
            Content::Unknown(doubt) => self.size > 0 && doubt.settled_at != Some(self.size),
            Content::Plain(plain) => self.size != plain.scanned.offset,
            Content::Compressed(compressed) => !compressed.is_finished(self.size),
        };
        self.is_touched || has_more
    }

    /// Returns whether it holds something and it is not known yet what.
    pub(super) fn is_unclear(&self) -> bool {
        matches!(self.content, Content::Unknown(_)) && self.size > 0
    }

    /// Begins anew with another content, of which nothing is known, as another input, since a search.
    pub(super) fn begin_anew(&mut self, input: u32, found_in: u64) {
        (self.input, self.content) = (input, Content::Unknown(Doubt::default()));
        self.found_in = found_in;
        (self.largest, self.starts_behind) = (0, None);
    }

    /// Takes note of what the system says of it.
    pub(super) fn note(&mut self, metadata: &Metadata) {
        let stamp = stamp(metadata);
        self.is_touched |= stamp != self.stamp;
        self.stamp = stamp;
        self.set_size(metadata.len());
    }

    /// Takes note that it was written to, whether or not that can be seen.
    pub(super) fn touch(&mut self) {
        self.is_touched = true;
    }

    /// Takes note that all that has changed so far is about to be looked at.
    pub(super) fn begin_turn(&mut self) {
        self.is_touched = false;
    }

    /// Takes note of its size.
    pub(super) fn set_size(&mut self, size: u64) {
        self.largest = self.largest.max(size);
        if self.size != size {
            (self.size, self.changed) = (size, Instant::now());
            if let Content::Unknown(doubt) = &mut self.content {
                doubt.again = None;
            }
        }
    }

    /// Opens it if it is not open; returns whether it still is the file it was.
    pub(super) fn open(&mut self) -> io::Result<bool> {
        if self.file.is_some() {
            return Ok(true);
        }
        let file = open(&self.path)?;
        let metadata = file.metadata()?;
        if FileId::from(&metadata) != self.id {
            return Ok(false);
        }
        self.note(&metadata);
        self.file = Some(file);
        Ok(true)
    }

    /// Returns what comes before a place in it, opening it for that if it is not open; `None` if it does not reach there,
    /// or cannot be read.
    pub(super) fn window(&self, offset: u64) -> Option<Window> {
        let opened;
        let file = if let Some(file) = &self.file {
            file
        } else {
            opened = open(&self.path).ok()?;
            &opened
        };
        let is_same = file.metadata().is_ok_and(|metadata| FileId::from(&metadata) == self.id);
        let place = if is_same { Place::at(file, offset).ok()? } else { None };
        place.map(|place| place.window)
    }

    /// Returns how many names it has, 0 if it is deleted; `None` if it is not open.
    pub(super) fn n_names(&self) -> Option<u64> {
        Some(self.file.as_ref()?.metadata().ok()?.nlink())
    }

    /// Returns whether its descriptor can be given up for a while: whoever comes back finds all that is missing now.
    pub(super) fn may_be_closed(&self) -> bool {
        let is_reading_compressed =
            matches!(&self.content, Content::Compressed(compressed) if compressed.is_open());
        self.file.is_some()
            && self.missing_since.is_none()
            && self.state == State::Idle
            && (matches!(self.content, Content::Unknown(_)) || !self.is_behind())
            && !is_reading_compressed
    }
}

fn stamp(metadata: &Metadata) -> (i64, i64) {
    (metadata.ctime(), metadata.ctime_nsec())
}

/// Opens a file for reading, never waiting for anybody, should it have become a pipe by now.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}
