//! The bytes of an input as they lie there.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};

use crate::progress::Progress;
use crate::thread::Alarm;

/// An open input, read directly, that counts what is read.
pub(crate) struct RawInput {
    file: File,
    /// Ends a wait for bytes; `None` for a regular file, which never lets anybody wait, and where nobody minds waiting.
    alarm: Option<Alarm>,
    n_read: u64,
    progress: Arc<Progress>,
}

impl RawInput {
    /// Returns an input that is polled before each read, so that `alarm` can end the wait, unless it is a regular file.
    pub(crate) fn new(file: File, alarm: &Alarm, progress: &Arc<Progress>) -> io::Result<Self> {
        let waits = !file.metadata()?.is_file();
        if waits {
            widen(&file);
        }
        let alarm = waits.then(|| alarm.clone());
        Ok(Self { file, alarm, n_read: 0, progress: progress.clone() })
    }

    /// Returns an input that nobody stops: a read waits as long as it takes.
    pub(crate) fn unwatched(file: File) -> Self {
        Self { file, alarm: None, n_read: 0, progress: Arc::new(Progress::new()) }
    }

    /// Returns the bytes read so far.
    pub(crate) fn n_read(&self) -> u64 {
        self.n_read
    }

    /// Returns whether it is a regular file, which always has bytes, or its end, to give at once.
    pub(crate) fn never_waits(&self) -> bool {
        self.alarm.is_none()
    }
}

impl Read for RawInput {
    /// Fails once the alarm has gone off.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(alarm) = &self.alarm {
                wait(&self.file, alarm)?;
            }
            match self.file.read(room) {
                // Somebody else set the description to non-blocking, or read what was there first.
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.alarm.is_some() => {}
                Err(error) => return Err(error),
                Ok(n_read) => {
                    self.n_read += n_read as u64;
                    self.progress.add_read(n_read as u64);
                    return Ok(n_read);
                }
            }
        }
    }
}

/// Lets a pipe hold more, so that its writer goes on while what it wrote is read: with the 64 KiB that a pipe has, the two
/// take turns.
#[cfg(target_os = "linux")]
fn widen(file: &File) {
    /// Of all the pipes of a user the system grants 64 MiB beyond what they have by default (`fs.pipe-user-pages-soft`),
    /// and makes tiny ones after that: enough for a hundred pipelines.
    const PIPE_BYTES: usize = 256 << 10;
    if rustix::pipe::fcntl_getpipe_size(file).is_ok_and(|n_bytes| n_bytes < PIPE_BYTES)
        && let Err(error) = rustix::pipe::fcntl_setpipe_size(file, PIPE_BYTES)
    {
        tracing::debug!(%error, "the pipe stays as it is");
    }
}

#[cfg(not(target_os = "linux"))]
fn widen(_file: &File) {}

/// Waits until `file` has bytes, an end or an error to read; fails once the alarm has gone off.
fn wait(file: &File, alarm: &Alarm) -> io::Result<()> {
    loop {
        let mut polled = [PollFd::new(file, PollFlags::IN), PollFd::new(alarm.as_ref(), PollFlags::IN)];
        match poll(&mut polled, None) {
            Err(rustix::io::Errno::INTR) => continue,
            result => result?,
        };
        if !polled[1].revents().is_empty() {
            return Err(io::Error::other("told to stop"));
        }
        if !polled[0].revents().is_empty() {
            return Ok(());
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::OwnedFd;

    use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};

    use super::*;

    #[test]
    fn a_pipe_is_made_to_hold_more_and_never_less() {
        let (reader, writer) = io::pipe().unwrap();
        let file = File::from(OwnedFd::from(reader));
        widen(&file);
        assert_eq!(fcntl_getpipe_size(&writer).unwrap(), 256 << 10, "seen from the other end, too");
        fcntl_setpipe_size(&writer, 512 << 10).unwrap();
        widen(&file);
        assert_eq!(fcntl_getpipe_size(&file).unwrap(), 512 << 10);
    }
}
