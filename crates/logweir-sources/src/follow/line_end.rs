//! Searches for the end of a long line that is not finished.
//!
//! What has been read of an unfinished line is not kept, as many files may have one. While it is short, it is read again
//! each time the file grows. A long one is searched for its end, from where the last search ended; one that is longer than
//! an event may be is then counted without being read again.

use std::io;

use bytes::Bytes;

use super::Follower;
use super::followed::{Content, Plain};
use super::guarded::{GuardedRead, is_changed};
use super::read::{Begun, TURN_BYTES};
use crate::chunker::RawChunk;

/// An unfinished line that is longer is searched for its end before it is read again as a whole.
const LONG_LINE_BYTES: u64 = 64 * 1024;

impl Follower {
    /// Begins a turn if there is a whole line to read, or may be; of a long one that is unfinished, only what is new is
    /// looked at.
    pub(super) fn find_line_end(&mut self, key: u32) -> io::Result<Begun> {
        let (max_line_bytes, is_over) = (self.max_line_bytes(), self.is_over(key));
        let Some(followed) = self.files.get_mut(key) else { return Ok(Begun::No) };
        let (Content::Plain(plain), Some(file)) = (&mut followed.content, &followed.file) else {
            return Ok(Begun::No);
        };
        let start = plain.place.offset;
        let n_scanned = plain.scanned.offset - start;
        // What is longer than an event may be is never read again, or it would be for ever.
        if n_scanned < LONG_LINE_BYTES && n_scanned <= max_line_bytes {
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
