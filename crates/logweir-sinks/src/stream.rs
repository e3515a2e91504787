//! Writes to what may let its writer wait: pipes, terminals, devices.
//!
//! A write to a full pipe waits until somebody reads, which may be never. So a stream is written without waiting, and
//! where it has no room it is polled together with an [`Alarm`]. That a description does not wait is known to all who
//! share it, and standard output is shared with strangers: it is opened anew, which gives one of our own. Where that
//! cannot be done, not more is written at once than a stream that polls as ready takes.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use logweir_event::Payload;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;

use crate::append;
use crate::error::SinkError;
use crate::hold::Hold;
use crate::thread::Alarm;
use crate::vectored::{CutOff, write_range};

/// What a pipe that polls as ready takes without waiting: `PIPE_BUF` on Linux; a socket takes more.
const READY_BYTES: usize = 4096;

/// The longest pause between two looks whether somebody reads a named pipe: short, for who starts both ends.
const LONGEST_LOOK: Duration = Duration::from_millis(50);

/// How long a named pipe may be without a reader before that is worth a word.
const READER_IS_LATE: Duration = Duration::from_secs(1);

/// A descriptor that is written to until an alarm goes off.
#[derive(Debug)]
pub(crate) struct Stream {
    file: File,
    alarm: Alarm,
    patience: Patience,
    /// Whether it last took less than was offered: then there is no room, and to try would only say so.
    is_full: bool,
}

/// What is done so that no write waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Patience {
    /// Nothing: its description says that it does not wait, or it is a regular file.
    NoneNeeded,
    /// It is polled first and gets a little at a time.
    Polled,
}

impl Stream {
    /// Returns a stream that writes to `file`, whose description others may share.
    pub(crate) fn shared(file: File, alarm: Alarm) -> Self {
        append::widen_pipe(&file);
        let file_type = file.metadata().map(|metadata| metadata.file_type());
        if file_type.is_ok_and(|file_type| file_type.is_file()) {
            return Self { file, alarm, patience: Patience::NoneNeeded, is_full: false };
        }
        match own_description(&file) {
            Some(file) => Self { file, alarm, patience: Patience::NoneNeeded, is_full: false },
            None => Self { file, alarm, patience: Patience::Polled, is_full: false },
        }
    }

    /// Opens a pipe or device to write to it. Of a named pipe a reader is waited for; not opened for reading as well,
    /// which would not have to wait: then nobody would notice that the reader has gone.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened, or that the time to wait is over.
    pub(crate) fn open(path: &Path, alarm: Alarm, hold: &mut Hold) -> Result<Self, SinkError> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            let source = match open_without_waiting(path) {
                Ok(file) => {
                    hold.is_over();
                    append::widen_pipe(&file);
                    return Ok(Self { file, alarm, patience: Patience::NoneNeeded, is_full: false });
                }
                Err(source) => source,
            };
            if !is_unread(path, &source) {
                hold.wait_out(SinkError::Open { path: path.to_owned(), source })?;
                continue;
            }
            let source = io::Error::new(ErrorKind::NotConnected, "nobody reads this named pipe");
            let error = SinkError::Open { path: path.to_owned(), source };
            if began.elapsed() > READER_IS_LATE {
                hold.tell(&error);
            }
            if hold.waiter().pause(pause, hold.abort()) {
                return Err(error);
            }
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }

    /// Waits until it takes more, or until the alarm goes off, which is an error.
    fn wait(&self) -> io::Result<()> {
        let mut fds = [PollFd::new(&self.file, PollFlags::OUT), PollFd::new(&*self.alarm, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) if !fds[1].revents().is_empty() => {
                Err(io::Error::new(ErrorKind::TimedOut, "its reader does not read, and the time is over"))
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            if self.is_full || self.patience == Patience::Polled {
                self.wait()?;
            }
            let result = match self.patience {
                Patience::NoneNeeded => self.file.write_vectored(slices),
                Patience::Polled => self.file.write(beginning(slices)),
            };
            match result {
                // Somebody else was faster, or has set it to non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_full = true,
                Ok(n_taken) => {
                    self.is_full = n_taken < slices.iter().map(|slice| slice.len()).sum();
                    return Ok(n_taken);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one payload, holding for as long as it takes, and settles it.
///
/// # Errors
///
/// Why no more can be written; the payload is settled as cut off.
pub(crate) fn write_held(
    stream: &mut Stream,
    payload: Payload,
    hold: &mut Hold,
    failed: impl Fn(io::Error) -> SinkError,
) -> Result<(), SinkError> {
    let mut n_done = 0;
    while let Err(CutOff { n_taken, source }) =
        write_range(stream, payload.parts(), n_done..payload.n_bytes())
    {
        n_done += n_taken;
        if let Err(error) = hold.wait_out(failed(source)) {
            payload.cut_off(n_done);
            return Err(error);
        }
    }
    hold.is_over();
    payload.written();
    Ok(())
}

/// Returns the first bytes there are, no more than a ready stream takes.
fn beginning<'a>(slices: &'a [IoSlice<'_>]) -> &'a [u8] {
    let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
    &first[..first.len().min(READY_BYTES)]
}

/// Opens what a descriptor leads to once more, so that nobody else has to do with how it is written.
fn own_description(file: &File) -> Option<File> {
    open_without_waiting(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd()))).ok()
}

/// Returns whether a path could not be opened because it is a named pipe that nobody reads.
fn is_unread(path: &Path, error: &io::Error) -> bool {
    let is_pipe = || std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo());
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NXIO) && is_pipe()
}

fn open_without_waiting(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().write(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let file_type = file.metadata()?.file_type();
    if file_type.is_fifo() || file_type.is_char_device() {
        return Ok(file);
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is no pipe and no character device any more"))
}
