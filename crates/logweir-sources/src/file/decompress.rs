//! Reads what is in a file, compressed or not.
//!
//! The decoders are driven step by step, not through ready-made readers, because of damaged data: a ready-made reader
//! that meets an error may have decoded good bytes in the same step, and forgets them.

mod gzip;
mod zstd;

use std::io::{self, BufReader, Read};

use crate::pump::Input;
use crate::raw::RawInput;
use gzip::Gunzip;
use zstd::Unzstd;

/// Bytes that are read at once for a decoder: enough that a read costs little beside decoding what it gave.
const READ_BYTES: usize = 64 * 1024;

/// What a file can be compressed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Compression {
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstandard,
}

/// A file whose content is decompressed, if it begins like a compressed one.
pub(crate) struct Decompressed {
    form: Form,
    /// An error that came after bytes that had to be given first.
    failure: Option<io::Error>,
    /// Whether the last error was the decoder's.
    is_damaged: bool,
}

enum Form {
    /// Nothing has been read yet, or not enough to tell.
    Unknown(Peeked),
    Plain(Peeked),
    Gzip(Box<Gunzip<BufReader<Peeked>>>),
    Zstd(Box<Unzstd<BufReader<Peeked>>>),
    /// A decoder could not be made; the error has been given.
    Failed,
}

impl Decompressed {
    /// Returns the content of `raw`, of which nothing has been read yet.
    pub(crate) fn new(raw: RawInput) -> Self {
        let head = Peeked { raw, head: [0; MAX_MAGIC], n_head: 0, at: 0 };
        Self { form: Form::Unknown(head), failure: None, is_damaged: false }
    }

    /// Returns the file, unless its decoder could not be made.
    fn raw(&self) -> Option<&RawInput> {
        match &self.form {
            Form::Unknown(input) | Form::Plain(input) => Some(&input.raw),
            Form::Gzip(input) => Some(&input.input().get_ref().raw),
            Form::Zstd(input) => Some(&input.input().get_ref().raw),
            Form::Failed => None,
        }
    }

    /// Returns how many bytes of the file have been used, compressed ones counted compressed.
    pub(crate) fn n_used(&self) -> u64 {
        match &self.form {
            Form::Unknown(input) | Form::Plain(input) => input.raw.n_read(),
            Form::Gzip(input) => n_used(input.input()),
            Form::Zstd(input) => n_used(input.input()),
            Form::Failed => 0,
        }
    }

    /// Returns whether it was the decoder that failed, not the reading.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    fn recognise(&mut self) -> io::Result<()> {
        let Form::Unknown(input) = &mut self.form else {
            return Ok(());
        };
        let compression = input.peek()?;
        let Form::Unknown(input) = std::mem::replace(&mut self.form, Form::Failed) else {
            return Ok(());
        };
        self.form = match compression {
            Compression::None => Form::Plain(input),
            Compression::Gzip => {
                Form::Gzip(Box::new(Gunzip::new(BufReader::with_capacity(READ_BYTES, input))))
            }
            Compression::Zstandard => {
                Form::Zstd(Box::new(Unzstd::new(BufReader::with_capacity(READ_BYTES, input))?))
            }
        };
        Ok(())
    }

    fn read_once(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let (result, is_damaged) = match &mut self.form {
            Form::Unknown(_) | Form::Failed => (Ok(0), false),
            Form::Plain(input) => (input.read(room), false),
            Form::Gzip(input) => (input.read(room), input.is_damaged()),
            Form::Zstd(input) => (input.read(room), input.is_damaged()),
        };
        self.is_damaged = is_damaged;
        result
    }

    /// Returns whether a step of a decoder gives less than there is room for although more could be had at once.
    fn is_worth_filling(&self) -> bool {
        matches!(self.form, Form::Gzip(_) | Form::Zstd(_)) && self.raw().is_some_and(RawInput::never_waits)
    }
}

impl Read for Decompressed {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.recognise()?;
        let mut n_read = self.read_once(room)?;
        while n_read > 0 && n_read < room.len() && self.is_worth_filling() {
            match self.read_once(&mut room[n_read..]) {
                Ok(0) => break,
                Ok(n_more) => n_read += n_more,
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        Ok(n_read)
    }
}

impl Input for Decompressed {
    fn n_source_bytes(&self) -> Option<u64> {
        match &self.form {
            Form::Unknown(_) | Form::Plain(_) => None,
            Form::Gzip(_) | Form::Zstd(_) | Form::Failed => Some(self.n_used()),
        }
    }

    fn can_be_read_again(&self) -> bool {
        self.raw().is_none_or(RawInput::never_waits)
    }
}

fn n_used(input: &BufReader<Peeked>) -> u64 {
    input.get_ref().raw.n_read() - input.buffer().len() as u64
}

/// The bytes that tell the longest of the beginnings in [`recognise`].
pub(crate) const MAX_MAGIC: usize = 4;

/// Returns whether a file that begins with `head` is compressed; `None` if it takes more bytes to tell.
pub(crate) fn is_compressed(head: &[u8]) -> Option<bool> {
    recognise(head).map(|compression| compression != Compression::None)
}

/// Returns what a file that begins with `head` is compressed with; `None` if it takes more bytes to tell.
fn recognise(head: &[u8]) -> Option<Compression> {
    let begins =
        |magic: &[u8]| head.iter().zip(magic).all(|(a, b)| a == b).then_some(head.len() >= magic.len());
    // A skippable frame's number is one of sixteen, RFC 8878, section 3.1.2.
    let skippable = [
        head.first().map_or(0x50, |&first| if first & 0xf0 == 0x50 { first } else { 0x50 }),
        0x2a,
        0x4d,
        0x18,
    ];
    let magics: [(&[u8], Compression); 3] = [
        (&[0x1f, 0x8b], Compression::Gzip),
        (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstandard),
        (&skippable, Compression::Zstandard),
    ];
    let mut is_open = false;
    for (magic, compression) in magics {
        match begins(magic) {
            Some(true) => return Some(compression),
            Some(false) => is_open = true,
            None => {}
        }
    }
    (!is_open).then_some(Compression::None)
}

/// An input that one could look at the beginning of.
struct Peeked {
    raw: RawInput,
    head: [u8; MAX_MAGIC],
    /// Bytes of `head` that have been read.
    n_head: usize,
    /// Bytes of `head` that have been given.
    at: usize,
}

impl Peeked {
    /// Reads as little as tells what the input is compressed with.
    fn peek(&mut self) -> io::Result<Compression> {
        loop {
            if let Some(compression) = recognise(&self.head[..self.n_head]) {
                return Ok(compression);
            }
            match self.raw.read(&mut self.head[self.n_head..])? {
                0 => return Ok(Compression::None),
                n_read => self.n_head += n_read,
            }
        }
    }
}

impl Read for Peeked {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut head = &self.head[self.at..self.n_head];
        if head.is_empty() {
            return self.raw.read(room);
        }
        let n_read = head.read(room)?;
        self.at += n_read;
        Ok(n_read)
    }
}
