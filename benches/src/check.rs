//! Compares what was written with what the naive oracle says must be written.
//!
//! An event that came out byte for byte is taken as right unless it is among those that are looked at anyway; every
//! event that did not, because it was dropped or cut, is put before the oracle. So each byte of the output is
//! accounted for, at a speed that the oracle alone would not allow.

use std::io::BufRead;
use std::thread::{self, available_parallelism};

use anyhow::{Context as _, ensure};
use logweir_testkit::oracle::{Outcome, same_lines};

use crate::job::{Job, Oracle};
use crate::summary::Summary;

/// The first events, all of which are put before the oracle.
const N_FIRST: u64 = 2_000;
/// Of the others, one in this many; a prime, so that it does not keep step with what repeats in a workload.
const ONE_IN: u64 = 97;
/// Events that are read at once, so that the oracle can be asked of many of them on all cores.
const BLOCK_EVENTS: usize = 4_096;

/// Checks that `output` is what the job makes of `input`, and that the summary tells the truth about it.
///
/// # Errors
///
/// The first thing that is wrong.
pub(crate) fn check(
    job: &Job,
    input: impl BufRead,
    output: impl BufRead,
    summary: &Summary,
) -> anyhow::Result<()> {
    let oracle = job.oracle();
    let (mut input, mut output) = (Lines::new(input), Lines::new(output));
    let mut seen = Outcome::default();
    output.advance()?;
    loop {
        let events = read_block(job, &mut input)?;
        if events.is_empty() {
            break;
        }
        for (event, foreseen) in events.iter().zip(foresee(&oracle, &events)) {
            seen.read += 1;
            if foreseen.is_none() && output.line == event.line {
                seen.written += 1;
                output.advance()?;
                continue;
            }
            let expected = foreseen.unwrap_or_else(|| oracle.run(&event.line));
            add(&mut seen, &expected);
            if !expected.output.is_empty() {
                compare(&expected, &output.line).with_context(|| {
                    format!("event {} of the input, line {} of the output", event.n, output.n)
                })?;
                output.advance()?;
            }
        }
    }
    ensure!(output.line.is_empty(), "there is output behind that of the last event, from line {}", output.n);
    tells_the_truth(summary, &seen, input.n_bytes, output.n_bytes)
}

/// One event of the input.
struct Event {
    line: Vec<u8>,
    /// Its number, from 1.
    n: u64,
    /// Whether it is put before the oracle whatever has become of it.
    is_looked_at: bool,
}

/// Reads the next events; none at the end.
fn read_block(job: &Job, input: &mut Lines<impl BufRead>) -> std::io::Result<Vec<Event>> {
    let mut events = Vec::new();
    while events.len() < BLOCK_EVENTS && input.advance()? {
        let is_looked_at = input.n <= N_FIRST || input.n.is_multiple_of(ONE_IN) || !job.is_mostly_a_copy;
        events.push(Event { line: input.line.clone(), n: input.n, is_looked_at });
    }
    Ok(events)
}

/// Asks the oracle, on all cores, of the events that are looked at.
fn foresee(oracle: &Oracle, events: &[Event]) -> Vec<Option<Outcome>> {
    let n_cores = available_parallelism().map_or(1, usize::from);
    let ask = |events: &[Event]| -> Vec<_> {
        events.iter().map(|event| event.is_looked_at.then(|| oracle.run(&event.line))).collect()
    };
    thread::scope(|scope| {
        let parts = events.chunks(events.len().div_ceil(n_cores));
        let asked: Vec<_> = parts.map(|part| scope.spawn(move || ask(part))).collect();
        asked.into_iter().flat_map(|part| part.join().expect("the oracle does not panic")).collect()
    })
}

/// Compares the line that came out with the one that must: cut texts may be spelled in another way.
fn compare(expected: &Outcome, line: &[u8]) -> anyhow::Result<()> {
    if expected.truncated == 0 {
        ensure!(expected.output == line, "an event that is not cut has changed or is missing");
        return Ok(());
    }
    same_lines(&expected.output, line).map_err(anyhow::Error::msg)
}

fn add(seen: &mut Outcome, expected: &Outcome) {
    seen.written += expected.written;
    seen.filtered += expected.filtered;
    seen.sampled_out += expected.sampled_out;
    seen.truncated += expected.truncated;
    for (sum, lost) in seen.truncated_characters.iter_mut().zip(expected.truncated_characters) {
        *sum += lost;
    }
}

/// Compares the summary with what has been seen of input and output.
fn tells_the_truth(
    summary: &Summary,
    seen: &Outcome,
    n_bytes_in: u64,
    n_bytes_out: u64,
) -> anyhow::Result<()> {
    let malformed = &summary.malformed;
    let pairs = [
        ("read", summary.read, seen.read),
        ("written", summary.written, seen.written),
        ("filtered", summary.filtered, seen.filtered),
        ("sampled_out", summary.sampled_out, seen.sampled_out),
        ("not_utf8", malformed.not_utf8, 0),
        ("not_json", malformed.not_json, 0),
        ("not_object", malformed.not_object, 0),
        ("oversized", summary.oversized, 0),
        ("failed", summary.failed, 0),
        ("returned", summary.returned, 0),
        ("truncated", summary.truncated, seen.truncated),
        ("truncated_characters", summary.truncated_characters, seen.truncated_characters.iter().sum()),
        ("bytes_in", summary.bytes_in, n_bytes_in),
        ("bytes_out", summary.bytes_out, n_bytes_out),
    ];
    for (name, said, is) in pairs {
        ensure!(said == is, "the summary says `{name}` is {said}, but it is {is}");
    }
    ensure!(summary.balanced, "the ledger does not balance");
    Ok(())
}

/// The lines of a file, one at a time.
struct Lines<R> {
    reader: R,
    /// The line at hand with its ending; empty behind the last.
    line: Vec<u8>,
    /// Its number, from 1.
    n: u64,
    /// Bytes up to its end.
    n_bytes: u64,
}

impl<R: BufRead> Lines<R> {
    /// Returns the lines, the first one not yet at hand.
    fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), n: 0, n_bytes: 0 }
    }

    /// Goes to the next line; returns whether there is one.
    fn advance(&mut self) -> std::io::Result<bool> {
        self.line.clear();
        self.n += 1;
        let n_bytes = self.reader.read_until(b'\n', &mut self.line)?;
        self.n_bytes += n_bytes as u64;
        Ok(n_bytes > 0)
    }
}

#[cfg(test)]
mod tests {
    use logweir_testkit::generate::{self, Workload};

    use super::*;
    use crate::job::{FILTER_AND_TRUNCATE, SAMPLE, SIX_FIELDS};
    use crate::summary::Malformed;

    /// More events than are looked at without exception.
    const N_BYTES: u64 = 4_000_000;

    /// What a program without faults makes of a workload: events, output, summary.
    fn right(workload: Workload) -> (Vec<u8>, Vec<u8>, Summary) {
        right_for(&FILTER_AND_TRUNCATE, workload)
    }

    fn right_for(job: &Job, workload: Workload) -> (Vec<u8>, Vec<u8>, Summary) {
        let mut input = Vec::new();
        generate::write(workload, 7, N_BYTES, &mut input).unwrap();
        let made = job.oracle().run(&input);
        let summary = Summary {
            read: made.read,
            written: made.written,
            filtered: made.filtered,
            sampled_out: made.sampled_out,
            malformed: Malformed { not_utf8: 0, not_json: 0, not_object: 0 },
            oversized: 0,
            failed: 0,
            returned: 0,
            truncated: made.truncated,
            truncated_characters: made.truncated_characters.iter().sum(),
            bytes_in: input.len() as u64,
            bytes_out: made.output.len() as u64,
            balanced: true,
        };
        (input, made.output, summary)
    }

    fn checked(input: &[u8], output: &[u8], summary: &Summary) -> Result<(), String> {
        checked_for(&FILTER_AND_TRUNCATE, input, output, summary)
    }

    fn checked_for(job: &Job, input: &[u8], output: &[u8], summary: &Summary) -> Result<(), String> {
        check(job, input, output, summary).map_err(|error| format!("{error:#}"))
    }

    /// Returns where the line after the `n`-th byte starts.
    fn line_after(bytes: &[u8], n: usize) -> usize {
        n + bytes[n..].iter().position(|&byte| byte == b'\n').unwrap() + 1
    }

    #[test]
    fn what_is_right_passes() {
        for workload in [Workload::Mix, Workload::Real] {
            let (input, output, summary) = right(workload);
            assert!(summary.truncated > 0 && summary.filtered > 0 && summary.read > N_FIRST);
            assert_eq!(checked(&input, &output, &summary), Ok(()));
        }
    }

    #[test]
    fn fields_and_samples_are_held_to_the_byte() {
        for job in [SIX_FIELDS, SAMPLE] {
            let (input, output, summary) = right_for(&job, Workload::Mix);
            assert_eq!(checked_for(&job, &input, &output, &summary), Ok(()));
            // A space that no JSON reader would see, far behind the first events.
            let at = line_after(&output, output.len() - 20_000) + 1;
            let spaced = [&output[..at], b" ", &output[at..]].concat();
            let summary = Summary { bytes_out: spaced.len() as u64, ..summary };
            assert!(checked_for(&job, &input, &spaced, &summary).is_err());
        }
    }

    #[test]
    fn a_changed_byte_anywhere_fails() {
        let (input, output, summary) = right(Workload::Mix);
        for at in [0, output.len() / 2, output.len() - 3] {
            let mut changed = output.clone();
            changed[at] ^= 1;
            assert!(checked(&input, &changed, &summary).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_lost_or_doubled_event_fails_even_if_the_summary_agrees() {
        let (input, output, summary) = right(Workload::Mix);
        let start = line_after(&output, output.len() / 2);
        let end = line_after(&output, start);
        let lost = [&output[..start], &output[end..]].concat();
        let doubled = [&output[..end], &output[start..]].concat();
        for (wrong, n_written) in [(lost, summary.written - 1), (doubled, summary.written + 1)] {
            let summary = Summary { written: n_written, bytes_out: wrong.len() as u64, ..summary.clone() };
            assert!(checked(&input, &wrong, &summary).is_err());
        }
    }

    #[test]
    fn a_copy_without_stages_fails() {
        let (input, _, summary) = right(Workload::Mix);
        let summary = Summary {
            written: summary.read,
            filtered: 0,
            truncated: 0,
            bytes_out: summary.bytes_in,
            ..summary
        };
        assert!(checked(&input, &input, &summary).is_err());
    }

    #[test]
    fn a_summary_that_is_off_by_one_fails() {
        let (input, output, summary) = right(Workload::Mix);
        let off: [fn(&mut Summary); 6] = [
            |summary| summary.read += 1,
            |summary| summary.written -= 1,
            |summary| summary.filtered += 1,
            |summary| summary.truncated_characters += 1,
            |summary| summary.bytes_in -= 1,
            |summary| summary.balanced = false,
        ];
        for change in off {
            let mut summary = summary.clone();
            change(&mut summary);
            assert!(checked(&input, &output, &summary).is_err());
        }
    }
}
