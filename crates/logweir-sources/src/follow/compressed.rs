//! A compressed file among those that are followed.
//!
//! Nobody appends to it: it is made once, most likely of a file that was read before, and then read once. It keeps the
//! bytes that a chunker holds of it and its decoder from turn to turn, so no more than one is read at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use super::kin::Known;
use super::registry::Head;
use super::relatives::Sample;
use crate::chunker::{Chunker, RawChunk};
use crate::file::Decompressed;
use crate::fingerprint::{Fingerprint, WINDOW_BYTES, Window};
use crate::progress::Progress;
use crate::raw::RawInput;
use crate::thread::Alarm;

/// Bytes that are decompressed at once where they are only compared.
const SKIP_BYTES: usize = 256 * 1024;

/// A compressed file.
pub(super) struct Compressed {
    /// Its first bytes as they lie there.
    head: Fingerprint,
    /// Bytes of its content that have been sent.
    pub(super) offset: u64,
    /// What comes before, as far as it is known.
    tail: Fingerprint,
    reader: Option<Reader>,
    /// Bytes of it, as it lies there, that are used up.
    n_used: u64,
    /// Its size when it had been read to its end, or could not be read further.
    finished: Option<u64>,
}

/// What reads it.
struct Reader {
    input: Decompressed,
    chunker: Chunker,
    /// What comes before the place up to which it has been decompressed.
    window: Window,
    /// What comes before the place up to which it has been sent, if that is known.
    sent: Option<Window>,
}

impl Compressed {
    /// Returns one that begins with `head`, as it lies there, and is to be read from `offset` on, where `tail` comes
    /// before.
    pub(super) fn from(head: Fingerprint, offset: u64, tail: Fingerprint) -> Self {
        Self { head, offset, tail, reader: None, n_used: 0, finished: None }
    }

    /// Returns what is known of it.
    pub(super) fn known(&self) -> Known {
        let head = Head::Fingerprint(self.head);
        Known { head, offset: self.offset, tail: self.tail, marks: VecDeque::new() }
    }

    /// Returns its size when it was read to its end, if it was.
    pub(super) fn finished_bytes(&self) -> Option<u64> {
        self.finished
    }

    /// Returns whether all has been read of it that could be when it had `size` bytes.
    pub(super) fn is_finished(&self, size: u64) -> bool {
        self.finished == Some(size)
    }

    /// Returns how many bytes of it, as it lies there, are used up.
    pub(super) fn n_used(&self) -> u64 {
        self.n_used
    }

    /// Returns whether it is being read.
    pub(super) fn is_open(&self) -> bool {
        self.reader.is_some()
    }

    /// Stops reading it; what it has at this size is all there is.
    pub(super) fn finish(&mut self, size: u64) {
        (self.reader, self.finished, self.n_used) = (None, Some(size), size);
    }
}

/// What a compressed file gave.
pub(super) struct Piece {
    pub(super) raw: RawChunk,
    /// What comes before the end of it.
    pub(super) tail: Fingerprint,
    /// The bytes it stands for, as they lie there.
    pub(super) n_source_bytes: u64,
}

impl Compressed {
    /// Begins to read, at the place it has come to.
    ///
    /// # Errors
    ///
    /// If it cannot be read or decompressed as far as that, or holds something else there.
    pub(super) fn open(
        &mut self,
        file: &File,
        chunker: Chunker,
        alarm: &Alarm,
        is_stopped: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let mut input = decompressed(file, alarm)?;
        let mut window = Window::new();
        skip(&mut input, &mut window, self.offset, is_stopped)?;
        if !window.ends_with(self.tail) {
            return Err(io::Error::other(super::guarded::Changed));
        }
        let mut chunker = chunker;
        if self.offset > 0 {
            chunker.go_on();
        }
        self.n_used = self.n_used.max(input.n_used());
        let sent = Some(window.clone());
        self.reader = Some(Reader { input, chunker, window, sent });
        Ok(())
    }

    /// Reads and decompresses once; returns how many bytes of content that gave, 0 at the end.
    pub(super) fn fill(&mut self) -> io::Result<usize> {
        let Some(Reader { input, chunker, window, .. }) = &mut self.reader else {
            return Ok(0);
        };
        chunker.fill(&mut Watched { input, window })
    }

    /// Takes the whole lines there are.
    pub(super) fn take(&mut self) -> Option<Piece> {
        let raw = self.reader.as_mut()?.chunker.take()?;
        Some(self.piece(raw))
    }

    /// Takes what is left at the end, an unfinished line included.
    pub(super) fn take_rest(&mut self) -> Option<Piece> {
        let raw = self.reader.as_mut()?.chunker.finish()?;
        Some(self.piece(raw))
    }

    /// Stops reading for now, to begin again at the same place.
    pub(super) fn close(&mut self) {
        self.reader = None;
    }

    fn piece(&mut self, raw: RawChunk) -> Piece {
        self.offset += raw.n_bytes_read;
        if let Some(reader) = &mut self.reader {
            reader.pass(&raw);
            // Where it is not known, the place is found again by counting alone.
            self.tail = reader.sent.as_ref().map(Window::fingerprint).unwrap_or_default();
        }
        let n_used = self.reader.as_ref().map_or(self.n_used, |reader| reader.input.n_used());
        let n_source_bytes = n_used.saturating_sub(self.n_used);
        self.n_used = self.n_used.max(n_used);
        Piece { raw, tail: self.tail, n_source_bytes }
    }
}

impl Reader {
    /// Takes note of what is sent.
    fn pass(&mut self, raw: &RawChunk) {
        let is_all = raw.n_bytes_read == raw.bytes.len() as u64;
        self.sent = match self.sent.take() {
            Some(mut sent) if is_all => {
                sent.extend(&raw.bytes);
                Some(sent)
            }
            // Some of it was skipped and is gone.
            _ => (self.chunker.n_unfinished() == 0).then(|| self.window.clone()),
        };
    }
}

/// Returns the first bytes of what is in a compressed file, as many as a head takes, or can be decompressed.
pub(super) fn head(file: &File, alarm: &Alarm) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut input = decompressed(file, alarm)?.take(WINDOW_BYTES as u64);
    // What can be had of it is there after an error as well, and reading on says what is wrong.
    input.read_to_end(&mut head).ok();
    Ok(head)
}

/// Looks at what is in a compressed file before each of these places. That it ends before the last of them, or is damaged
/// there, is no error.
pub(super) fn sample(
    file: &File,
    places: &BTreeSet<u64>,
    alarm: &Alarm,
    is_stopped: &dyn Fn() -> bool,
) -> io::Result<Sample> {
    let mut input = decompressed(file, alarm)?;
    let (mut window, mut windows, mut n_bytes) = (Window::new(), BTreeMap::new(), 0);
    let mut room = vec![0; SKIP_BYTES];
    let mut ended = None;
    for &place in places {
        while ended.is_none() && n_bytes < place {
            if is_stopped() {
                return Err(io::Error::other("told to stop"));
            }
            let n_wanted = (place - n_bytes).min(SKIP_BYTES as u64) as usize;
            match input.read(&mut room[..n_wanted]) {
                Ok(0) => ended = Some(Ok(())),
                Ok(n_read) => {
                    window.extend(&room[..n_read]);
                    n_bytes += n_read as u64;
                }
                Err(error) => ended = Some(Err(error)),
            }
        }
        if n_bytes == place {
            windows.insert(place, window.clone());
        }
    }
    windows.insert(n_bytes, window);
    let (is_whole, is_cut) = (matches!(ended, Some(Ok(()))), matches!(ended, Some(Err(_))));
    Ok(Sample { windows, n_bytes, is_cut, is_whole, is_gone: false })
}

fn decompressed(file: &File, alarm: &Alarm) -> io::Result<Decompressed> {
    let mut file = file.try_clone()?;
    std::io::Seek::rewind(&mut file)?;
    // What is read again to find a place is no progress.
    Ok(Decompressed::new(RawInput::new(file, alarm, &Arc::new(Progress::new()))?))
}

/// Reads `n_bytes` bytes and keeps the last ones.
fn skip(
    input: &mut Decompressed,
    window: &mut Window,
    n_bytes: u64,
    is_stopped: &dyn Fn() -> bool,
) -> io::Result<()> {
    let mut room = vec![0; SKIP_BYTES.min(n_bytes as usize)];
    let mut n_left = n_bytes;
    while n_left > 0 {
        if is_stopped() {
            return Err(io::Error::other("told to stop"));
        }
        let n_wanted = n_left.min(room.len() as u64) as usize;
        let n_read = input.read(&mut room[..n_wanted])?;
        if n_read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        window.extend(&room[..n_read]);
        n_left -= n_read as u64;
    }
    Ok(())
}

/// Keeps the last bytes of what is read.
struct Watched<'a> {
    input: &'a mut Decompressed,
    window: &'a mut Window,
}

impl Read for Watched<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let n_read = self.input.read(room)?;
        self.window.extend(&room[..n_read]);
        Ok(n_read)
    }
}
