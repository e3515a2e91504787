//! How fast simd-json alone makes tapes of the same events: on one core, with nothing read, kept or written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use memchr::{memchr_iter, memrchr};
use simd_json::{Buffers, INPUT_PADDING, Tape, fill_tape_padded};

/// As much as a chunk has by default, so that the events are as near in the caches as they are for a decoder.
const BLOCK_BYTES: usize = 512 * 1024;

/// What simd-json made of a file.
#[derive(Clone, Default)]
pub(crate) struct Taped {
    /// Time that it took; reading the file and finding its lines is not counted.
    time: Duration,
    /// Bytes of the lines that it made a tape of.
    n_bytes: u64,
    /// Lines that it refused, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Taped {
    /// Returns the bytes a second, of lines that were not refused.
    pub(crate) fn rate(&self) -> f64 {
        self.n_bytes as f64 / self.time.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Makes a tape of each line of a file, and forgets it.
///
/// simd-json unescapes strings where they stand and wants [`INPUT_PADDING`] bytes behind a line; these may be the next
/// line's, so the block that was read serves as the scratch memory and nothing is copied.
///
/// # Errors
///
/// If the file cannot be read.
pub(crate) fn measure(path: &Path) -> std::io::Result<Taped> {
    let mut file = File::open(path)?;
    let mut taped = Taped::default();
    let mut tape_maker = TapeMaker { buffers: Buffers::default(), tape: Tape(Vec::new()) };
    let mut block = vec![0; BLOCK_BYTES + INPUT_PADDING];
    let mut ends = Vec::new();
    let mut n_filled = 0;
    loop {
        let room = block.len() - INPUT_PADDING;
        let n_read = file.read(&mut block[n_filled..room])?;
        n_filled += n_read;
        let n_whole = match memrchr(b'\n', &block[..n_filled]) {
            Some(last) if n_read > 0 => last + 1,
            _ if n_read > 0 => 0,
            _ => n_filled,
        };
        ends.clear();
        ends.extend(memchr_iter(b'\n', &block[..n_whole]));
        if n_read == 0 && n_whole > 0 {
            ends.push(n_whole);
        }
        // simd-json may have unescaped strings of the lines, but never touches what is behind the last of them.
        tape_maker.run(&mut block, &ends, &mut taped);
        if n_read == 0 {
            return Ok(taped);
        }
        block.copy_within(n_whole..n_filled, 0);
        n_filled -= n_whole;
        if n_filled + INPUT_PADDING == block.len() {
            block.resize(2 * block.len(), 0);
        }
    }
}

/// What simd-json keeps from line to line.
struct TapeMaker {
    buffers: Buffers,
    /// Empty between two lines; kept for its memory.
    tape: Tape<'static>,
}

impl TapeMaker {
    /// Makes a tape of each line of `block`; `ends` are the places behind their last bytes.
    fn run(&mut self, block: &mut [u8], ends: &[usize], taped: &mut Taped) {
        let started = Instant::now();
        let mut start = 0;
        for &end in ends {
            let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
            let n_bytes = end - start;
            match fill_tape_padded(&mut block[start..], n_bytes, &mut self.buffers, &mut tape) {
                Ok(()) => taped.n_bytes += n_bytes as u64 + 1,
                Err(error) => *taped.refused.entry(format!("{:?}", error.error())).or_default() += 1,
            }
            self.tape = tape.reset();
            start = end + 1;
        }
        taped.time += started.elapsed();
    }
}

#[cfg(test)]
mod tests {
    use logweir_testkit::samples;

    use super::*;

    #[test]
    fn every_line_is_counted_once_with_or_without_a_last_line_feed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.ndjson");
        // Longer than a block, with lines across its end, and a line that is longer than a block itself.
        let long = format!("{{\"Logs\":\"{}\"}}\n", "é\\n".repeat(BLOCK_BYTES / 2));
        let events = [samples::EVENTS, long.as_bytes(), samples::EVENTS].concat();
        for events in [&events[..], events.strip_suffix(b"\n").unwrap()] {
            std::fs::write(&path, events).unwrap();
            let taped = measure(&path).unwrap();

            let alone = |line: &&[u8]| simd_json::to_tape(&mut line.to_vec()).is_err();
            let lines = events.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
            let refused: Vec<&[u8]> = lines.filter(alone).collect();
            assert!(!refused.is_empty());
            assert_eq!(taped.refused.values().sum::<u64>(), refused.len() as u64);
            let n_refused_bytes: usize = refused.iter().map(|line| line.len() + 1).sum();
            let ending = usize::from(!events.ends_with(b"\n"));
            assert_eq!(taped.n_bytes, (events.len() + ending - n_refused_bytes) as u64);
        }
    }
}
