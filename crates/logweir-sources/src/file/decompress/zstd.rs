//! Reads Zstandard: RFC 8878, any number of frames one after the other, skippable ones too.

use std::io::{self, BufRead, ErrorKind, Read};

use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

/// The largest window that is read, 2²⁷ bytes or 128 MiB: what the `zstd` command reads without being asked for more.
/// A frame may ask for gigabytes.
const MAX_WINDOW_LOG: u32 = 27;

/// The bytes with which a frame's header begins telling its own length.
const FRAME_PREFIX_BYTES: usize = 5;

/// The length of a block's header, RFC 8878, section 3.1.1.2.
const BLOCK_HEADER_BYTES: usize = 3;

/// Decompresses Zstandard, giving everything before damage.
pub(super) struct Unzstd<R> {
    input: R,
    context: DCtx<'static>,
    /// Whether the current frame has begun and not ended.
    in_frame: bool,
    /// The bytes that the decoder asks for next.
    n_wanted: usize,
    is_damaged: bool,
}

impl<R: BufRead> Unzstd<R> {
    /// Returns the content of `input`.
    pub(super) fn new(input: R) -> io::Result<Self> {
        let mut context = DCtx::try_create().ok_or(ErrorKind::OutOfMemory)?;
        context
            .set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG))
            .map_err(|code| io::Error::other(get_error_name(code)))?;
        Ok(Self { input, context, in_frame: false, n_wanted: FRAME_PREFIX_BYTES, is_damaged: false })
    }

    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// Returns whether the data are damaged.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    fn damaged(&mut self, kind: ErrorKind, what: &str) -> io::Error {
        self.is_damaged = true;
        io::Error::new(kind, what)
    }

    fn refused(&mut self, code: usize) -> io::Error {
        let name = get_error_name(code);
        let limit = if name.contains("memory") { "; windows of up to 2^27 bytes are read" } else { "" };
        self.damaged(ErrorKind::InvalidData, &format!("the Zstandard data cannot be read: {name}{limit}"))
    }
}

impl<R: BufRead> Read for Unzstd<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        loop {
            let available = self.input.fill_buf()?;
            let is_end = available.is_empty();
            if is_end && !self.in_frame {
                return Ok(0);
            }
            // A step that fails gives nothing, not even what it had decoded before. So no step gets more than what
            // ends one block: the decoder asks for a block and the header behind it, and has to ask again for that.
            let n_wanted = match self.n_wanted {
                n_wanted if n_wanted > BLOCK_HEADER_BYTES => n_wanted - BLOCK_HEADER_BYTES,
                n_wanted => n_wanted,
            };
            let mut source = InBuffer::around(&available[..n_wanted.min(available.len())]);
            let mut target = OutBuffer::around(&mut *room);
            let result = self.context.decompress_stream(&mut target, &mut source);
            let (n_in, n_out) = (source.pos(), target.pos());
            self.input.consume(n_in);
            match result {
                Ok(0) => (self.in_frame, self.n_wanted) = (false, FRAME_PREFIX_BYTES),
                Ok(n_wanted) => (self.in_frame, self.n_wanted) = (true, n_wanted),
                Err(code) => return Err(self.refused(code)),
            }
            if n_out > 0 {
                return Ok(n_out);
            }
            if is_end && self.in_frame {
                return Err(self.damaged(ErrorKind::UnexpectedEof, "the Zstandard data end in the middle"));
            }
        }
    }
}
