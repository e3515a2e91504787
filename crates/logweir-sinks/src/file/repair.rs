//! Mends the end of a file that an earlier run was stopped in the middle of writing.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::config::{AckLevel, Compression, Tail};
use super::last_member;
use super::open_file::{Appender, end_line, ends_inside_a_line};
use super::target;
use crate::disk::{Disk, DiskFile};

/// The bytes that are looked at, or moved, at once.
const BLOCK_BYTES: usize = 64 << 10;

/// How files are mended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repair<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) compression: Compression,
    pub(super) tail: Tail,
    pub(super) ack: AckLevel,
}

impl Repair<'_> {
    /// Mends the end of a file, whose path is for naming what is taken off; returns how many bytes it has then.
    ///
    /// # Errors
    ///
    /// What the system says, and [`InvalidData`](ErrorKind::InvalidData) if the file is not what it should be at all,
    /// which is then left alone.
    pub(super) fn mend(&self, file: &dyn DiskFile, path: &Path) -> io::Result<u64> {
        let n_bytes = file.n_bytes()?;
        if self.compression != Compression::None {
            let end = last_member::end(file, self.compression, n_bytes)?;
            return self.set_aside(file, path, end, n_bytes);
        }
        if !ends_inside_a_line(file, n_bytes) {
            return Ok(n_bytes);
        }
        match self.tail {
            Tail::EndLine => {
                end_line(file)?;
                file.n_bytes()
            }
            Tail::SetAside => self.set_aside(file, path, last_line_end(file, n_bytes)?, n_bytes),
        }
    }

    /// Moves what lies behind `end` to a file beside. Should that be interrupted, it is done again, and the file
    /// beside has it twice.
    fn set_aside(&self, file: &dyn DiskFile, path: &Path, end: u64, n_bytes: u64) -> io::Result<u64> {
        if end == n_bytes {
            return Ok(end);
        }
        let beside = target::torn(path);
        tracing::warn!(
            path = %path.display(),
            n_bytes = n_bytes - end,
            to = %beside.display(),
            "the file ends in the middle of an event, which is set aside"
        );
        let torn = self.disk.open_beside(&beside)?;
        copy(file, end, &*torn)?;
        if self.ack == AckLevel::Synced {
            torn.sync()?;
            self.disk.sync_dir(path.parent().unwrap_or(Path::new("")))?;
        }
        file.cut(end)?;
        Ok(end)
    }
}

/// Adds all bytes of a file from `at` on to another.
fn copy(file: &dyn DiskFile, mut at: u64, to: &dyn DiskFile) -> io::Result<()> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match file.read_at(&mut block, at)? {
            0 => return Ok(()),
            n_read => {
                Appender(to).write_all(&block[..n_read])?;
                at += n_read as u64;
            }
        }
    }
}

/// Returns where the last line ends of a file of `n_bytes` bytes.
fn last_line_end(file: &dyn DiskFile, n_bytes: u64) -> io::Result<u64> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut end = n_bytes;
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES as u64);
        let room = &mut block[..(end - start) as usize];
        read_exact_at(file, room, start)?;
        if let Some(at) = memchr::memrchr(b'\n', room) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn read_exact_at(file: &dyn DiskFile, mut room: &mut [u8], mut at: u64) -> io::Result<()> {
    while !room.is_empty() {
        match file.read_at(room, at)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n_read => {
                room = &mut room[n_read..];
                at += n_read as u64;
            }
        }
    }
    Ok(())
}
