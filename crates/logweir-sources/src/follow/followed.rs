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
    /// When it was last found to have grown.
    pub(super) changed: Instant,
    /// The search that found it first.
    pub(super) found_in: u64,
    /// Since when no name leads to it.
    pub(super) missing_since: Option<Instant>,
    /// Whether it waits for its turn.
    pub(super) is_queued: bool,
    /// When it could not be opened or read: the time to try again, and how long to wait the next time.
    pub(super) retry: Option<(Instant, Duration)>,
    /// The turn in which it was last read.
    pub(super) last_turn: u64,
}

/// What is known of what a file holds.
pub(super) enum Content {
    /// Nothing: it has not been looked into, or it may be a copy that somebody is still making.
    Unknown,
    /// Bytes to be read as they are.
    Plain(Box<Plain>),
    /// A compressed file.
    Compressed(Box<Compressed>),
}

/// How far an uncompressed file has been read.
pub(super) struct Plain {
    /// The end of what has been sent: of a line.
    pub(super) place: Place,
    /// Where the search for the next end of a line goes on.
    pub(super) scanned: u64,
    pub(super) known: Known,
}

impl Plain {
    /// Returns one to be read from `place` on.
    pub(super) fn from(file: &File, place: Place) -> io::Result<Self> {
        let head = read_exact_at(file, 0, n_head_bytes(place.offset))?.unwrap_or_default();
        let (offset, tail) = (place.offset, place.window.fingerprint());
        let known = Known { head: Head::Bytes(head), offset, tail, marks: VecDeque::new() };
        Ok(Self { scanned: offset, place, known })
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
            content: Content::Unknown,
            size: metadata.len(),
            changed: Instant::now(),
            found_in,
            missing_since: None,
            is_queued: false,
            retry: None,
            last_turn: 0,
        }
    }

    /// Returns how many of its bytes, as they lie there, have not been looked at.
    pub(super) fn n_unread(&self) -> u64 {
        let n_read = match &self.content {
            Content::Unknown => 0,
            Content::Plain(plain) => plain.scanned.max(plain.place.offset),
            Content::Compressed(compressed) => compressed.n_used(),
        };
        self.size.saturating_sub(n_read)
    }

    /// Returns whether there may be something to read.
    pub(super) fn is_behind(&self) -> bool {
        match &self.content {
            Content::Unknown => self.size > 0,
            Content::Plain(plain) => {
                self.size < plain.place.offset || self.size > plain.scanned.max(plain.place.offset)
            }
            Content::Compressed(compressed) => !compressed.is_finished(self.size),
        }
    }

    /// Returns whether it has something to read and it is not known yet what.
    pub(super) fn is_unclear(&self) -> bool {
        matches!(self.content, Content::Unknown) && self.size > 0
    }

    /// Takes note of its size; returns whether it has changed.
    pub(super) fn set_size(&mut self, size: u64) -> bool {
        if self.size == size {
            return false;
        }
        (self.size, self.changed) = (size, Instant::now());
        true
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
        self.set_size(metadata.len());
        self.file = Some(file);
        Ok(true)
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
            && !self.is_queued
            && (matches!(self.content, Content::Unknown) || !self.is_behind())
            && !is_reading_compressed
    }
}

/// Opens a file for reading, never waiting for anybody, should it have become a pipe by now.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}
