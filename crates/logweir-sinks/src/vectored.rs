//! Writes many runs of bytes with few system calls.

use std::io::{self, ErrorKind, IoSlice, Write};
use std::ops::Range;

use bytes::Bytes;
use logweir_event::Payload;

/// The most runs the system takes in one call: `IOV_MAX` on Linux and macOS.
const MAX_SLICES: usize = 1024;

/// Writing ended in the middle.
#[derive(Debug)]
pub struct CutOff {
    /// Bytes that were taken before.
    pub n_taken: u64,
    /// Why no more were.
    pub source: io::Error,
}

/// Writes all bytes of a payload, going on after a part was taken or a signal came.
///
/// It allocates once, a list of at most 1024 slices.
///
/// # Errors
///
/// How many bytes were taken before the writer failed, or took none of those offered
/// ([`WriteZero`](ErrorKind::WriteZero)).
pub fn write_payload(out: &mut impl Write, payload: &Payload) -> Result<(), CutOff> {
    write_range(out, payload.parts(), 0..payload.n_bytes())
}

/// Writes the bytes `range` of `parts`, counted through all of them; the bytes taken are counted from its start.
pub(crate) fn write_range(out: &mut impl Write, parts: &[Bytes], range: Range<u64>) -> Result<(), CutOff> {
    let mut runs = runs(parts, range).peekable();
    let mut n_taken = 0;
    let mut list = Vec::with_capacity(parts.len().min(MAX_SLICES));
    while runs.peek().is_some() {
        list.clear();
        list.extend(runs.by_ref().take(MAX_SLICES).map(IoSlice::new));
        write_slices(out, &mut list, &mut n_taken).map_err(|source| CutOff { n_taken, source })?;
    }
    Ok(())
}

fn write_slices(out: &mut impl Write, mut slices: &mut [IoSlice<'_>], n_taken: &mut u64) -> io::Result<()> {
    while !slices.is_empty() {
        match out.write_vectored(slices) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => {
                *n_taken += n as u64;
                IoSlice::advance_slices(&mut slices, n);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns the bytes `range` of `parts`, in runs that are not empty.
pub(crate) fn runs(parts: &[Bytes], range: Range<u64>) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    parts.iter().filter_map(move |part| {
        let within = |place: u64| place.saturating_sub(at).min(part.len() as u64) as usize;
        let run = &part[within(range.start)..within(range.end.max(range.start))];
        at += part.len() as u64;
        (!run.is_empty()).then_some(run)
    })
}
