//! The chunker gives the same lines however the input is split into reads.

use std::io::{self, Read};

use logweir_sources::{BufferPool, ChunkLimits, Chunker, RawChunk};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Gives bytes in reads of the lengths given, over and over.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let wanted = *self.lengths.next().expect("some length");
        if wanted == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let n = wanted.min(room.len()).min(self.bytes.len());
        room[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

/// What chunks say of an input.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    lines: Vec<Vec<u8>>,
    n_bytes_read: u64,
    n_oversized: u64,
}

impl Seen {
    /// Adds a chunk as decode sees it: a line too long inside it counts as oversized.
    fn add(&mut self, raw: &RawChunk, max_event_bytes: usize) {
        self.n_bytes_read += raw.n_bytes_read;
        self.n_oversized += raw.n_oversized;
        for line in raw.bytes.split_inclusive(|&byte| byte == b'\n') {
            self.add_line(line, max_event_bytes);
        }
    }

    fn add_line(&mut self, line: &[u8], max_event_bytes: usize) {
        if content_len(line) > max_event_bytes {
            self.n_oversized += 1;
        } else {
            self.lines.push(line.to_vec());
        }
    }
}

fn content_len(line: &[u8]) -> usize {
    let Some(line) = line.strip_suffix(b"\n") else {
        return line.len();
    };
    line.strip_suffix(b"\r").unwrap_or(line).len()
}

/// What the input holds, found in the plainest way.
fn naive(input: &[u8], max_event_bytes: usize) -> Seen {
    let mut seen = Seen { n_bytes_read: input.len() as u64, ..Seen::default() };
    for line in input.strip_prefix(BOM).unwrap_or(input).split_inclusive(|&byte| byte == b'\n') {
        seen.add_line(line, max_event_bytes);
    }
    seen
}

/// Runs inputs through one chunker, taking after each fill for which `takes` says so.
fn chunked(inputs: &[Vec<u8>], limits: ChunkLimits, lengths: &[usize], takes: &[bool]) -> Vec<Seen> {
    let pool = BufferPool::new(1 << 20, limits.chunk_bytes);
    let mut chunker = Chunker::new(pool.clone(), limits);
    let mut takes = takes.iter().cycle();
    let mut all = Vec::new();
    for bytes in inputs {
        let mut seen = Seen::default();
        let mut reader = Pieces { bytes, lengths: lengths.iter().cycle() };
        while chunker.wait(&CancellationToken::new()) && chunker.fill(&mut reader).unwrap() > 0 {
            if *takes.next().expect("some") {
                while let Some(raw) = chunker.take() {
                    assert!(raw.bytes.is_empty() || raw.bytes.ends_with(b"\n"), "whole lines only");
                    seen.add(&raw, limits.max_event_bytes);
                }
            }
        }
        if let Some(raw) = chunker.finish() {
            seen.add(&raw, limits.max_event_bytes);
        }
        assert!(chunker.finish().is_none(), "nothing is given twice");
        all.push(seen);
    }
    drop(chunker);
    assert_eq!(pool.held(), 0, "all memory came back");
    all
}

fn inputs() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop_oneof![
        4 => Just(b"a".to_vec()), 3 => Just(b"\n".to_vec()), 2 => Just(b"\r".to_vec()), 1 => Just(BOM.to_vec()),
        1 => Just(BOM[..2].to_vec()), 1 => (0..60usize).prop_map(|n| vec![b'x'; n]),
    ];
    let input = proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
    proptest::collection::vec(input, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_into_reads_gives_the_same_lines(
        inputs in inputs(),
        chunk_bytes in 1..80usize,
        max_event_bytes in 0..40usize,
        mut lengths in proptest::collection::vec(0..30usize, 1..6),
        mut takes in proptest::collection::vec(any::<bool>(), 1..4),
    ) {
        lengths.push(7);
        takes.push(true);
        let limits = ChunkLimits { max_event_bytes, chunk_bytes };
        let expected: Vec<Seen> = inputs.iter().map(|input| naive(input, max_event_bytes)).collect();
        prop_assert_eq!(chunked(&inputs, limits, &lengths, &takes), expected);
    }
}

#[test]
fn a_line_of_exactly_the_limit_is_kept_wherever_the_reads_fall() {
    for ending in ["\n", "\r\n", ""] {
        for length in 1..14 {
            let input = format!("{}{ending}", "x".repeat(10)).into_bytes();
            let limits = ChunkLimits { max_event_bytes: 10, chunk_bytes: 4 };
            let seen = &chunked(std::slice::from_ref(&input), limits, &[length], &[true])[0];
            assert_eq!(
                (seen.lines.clone(), seen.n_oversized),
                (vec![input], 0),
                "{ending:?}, reads of {length}"
            );
        }
    }
}

#[test]
fn an_endless_line_is_counted_once_and_never_held() {
    let limits = ChunkLimits { max_event_bytes: 1 << 20, chunk_bytes: 1 << 16 };
    let pool = BufferPool::new(1 << 20, limits.chunk_bytes);
    let mut chunker = Chunker::new(pool.clone(), limits);
    let mut reader = io::repeat(b'x').take(200 << 20).chain(&b"\n{}\n"[..]);
    let (mut most, mut chunks) = (0, Vec::new());
    while chunker.fill(&mut reader).unwrap() > 0 {
        most = most.max(pool.held());
        chunks.extend(chunker.take());
    }
    chunks.extend(chunker.finish());
    assert!(most <= limits.max_event_bytes + 2, "held {most} bytes");
    let n_bytes: u64 = chunks.iter().map(|raw| raw.n_bytes_read).sum();
    assert_eq!((chunks.iter().map(|raw| raw.n_oversized).sum::<u64>(), n_bytes), (1, (200 << 20) + 4));
    assert_eq!(chunks.iter().map(|raw| raw.bytes.len()).sum::<usize>(), 3);
}

#[test]
fn a_trickle_holds_no_more_than_its_bytes_and_one_buffer() {
    let limits = ChunkLimits { max_event_bytes: 1 << 20, chunk_bytes: 1 << 16 };
    let pool = BufferPool::new(1 << 30, limits.chunk_bytes);
    let mut chunker = Chunker::new(pool.clone(), limits);
    let mut held = Vec::new();
    for _ in 0..1000 {
        chunker.fill(&mut &b"{\"Outcome\":\"ok\"}\n"[..]).unwrap();
        held.extend(chunker.take());
    }
    assert_eq!(held.len(), 1000);
    assert_eq!(pool.held(), limits.chunk_bytes + 17 * 1000);
}

#[test]
fn a_pool_at_its_bound_waits_until_a_slice_is_dropped_or_it_is_told_to_stop() {
    let limits = ChunkLimits { max_event_bytes: 64, chunk_bytes: 64 };
    let mut chunker = Chunker::new(BufferPool::new(64, 64), limits);
    chunker.fill(&mut &[b'\n'; 64][..]).unwrap();
    let slice = chunker.take().expect("whole lines").bytes.slice(3..4);
    let stop = CancellationToken::new();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| chunker.wait(&stop));
        drop(slice);
        assert!(waiting.join().unwrap());
    });
    stop.cancel();
    assert!(!chunker.wait(&stop));
}
