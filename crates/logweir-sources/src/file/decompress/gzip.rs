//! Reads gzip: RFC 1952, any number of members one after the other.

use std::io::{self, BufRead, ErrorKind, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// The largest window deflate knows, 2¹⁵ bytes.
const WINDOW_BITS: u8 = 15;

/// Decompresses gzip, giving everything before damage.
pub(super) struct Gunzip<R> {
    input: R,
    inflate: Decompress,
    /// Whether the current member has begun and not ended.
    in_member: bool,
    /// An error that came after bytes that had to be given first.
    failure: Option<io::Error>,
    is_damaged: bool,
}

impl<R: BufRead> Gunzip<R> {
    /// Returns the content of `input`.
    pub(super) fn new(input: R) -> Self {
        let inflate = Decompress::new_gzip(WINDOW_BITS);
        Self { input, inflate, in_member: false, failure: None, is_damaged: false }
    }

    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// Returns whether the data are damaged.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Skips zeros between members and behind the last: tapes and block devices pad with them, and gzip(1) ignores
    /// them too. Returns false at the end of the input.
    fn begin_member(&mut self) -> io::Result<bool> {
        loop {
            let available = self.input.fill_buf()?;
            let n_zeros = available.iter().take_while(|&&byte| byte == 0).count();
            if n_zeros < available.len() {
                self.input.consume(n_zeros);
                self.inflate = Decompress::new_gzip(WINDOW_BITS);
                self.in_member = true;
                return Ok(true);
            }
            if available.is_empty() {
                return Ok(false);
            }
            self.input.consume(n_zeros);
        }
    }

    /// Does one step; returns how many bytes it gave and what stopped it, if anything did.
    fn step(&mut self, room: &mut [u8]) -> io::Result<(usize, Option<io::Error>)> {
        let available = self.input.fill_buf()?;
        let is_end = available.is_empty();
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let result = self.inflate.decompress(available, room, FlushDecompress::None);
        let n_in = (self.inflate.total_in() - before_in) as usize;
        let n_out = (self.inflate.total_out() - before_out) as usize;
        self.input.consume(n_in);
        let failure = match result {
            Ok(Status::StreamEnd) => {
                self.in_member = false;
                None
            }
            Ok(_) if n_in > 0 || n_out > 0 => None,
            Ok(_) if is_end => {
                Some(io::Error::new(ErrorKind::UnexpectedEof, "the gzip data end in the middle"))
            }
            Ok(_) => Some(io::Error::new(ErrorKind::InvalidData, "the gzip data are damaged")),
            Err(error) => {
                Some(io::Error::new(ErrorKind::InvalidData, format!("the gzip data are damaged: {error}")))
            }
        };
        Ok((n_out, failure))
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(failure) = self.failure.take() {
                self.is_damaged = true;
                return Err(failure);
            }
            if !self.in_member && !self.begin_member()? {
                return Ok(0);
            }
            let (n_read, failure) = self.step(room)?;
            self.failure = failure;
            if n_read > 0 {
                return Ok(n_read);
            }
        }
    }
}
