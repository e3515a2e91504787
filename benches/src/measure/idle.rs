//! What a pipeline costs while nothing comes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use logweir_testkit::process::http_get;

use super::clock::wait_until;
use super::watchdog::watched;
use super::{Measured, PATIENCE, start};
use crate::figure::{Bar, Figure, Unit};
use crate::job::FILTER_AND_TRUNCATE;
use crate::lab::Lab;

/// Of one core, in percent.
const MOST_CPU: Bar = Bar::Below(0.2);
const SILENCE: Duration = Duration::from_secs(10);
const SHORT_SILENCE: Duration = Duration::from_secs(3);
/// For what is still to do behind the first event and the first scrape.
const SETTLING: Duration = Duration::from_millis(500);

/// Measures the time on the cores while standard input is open and silent and the endpoint for metrics listens.
///
/// # Errors
///
/// If it cannot be run, or does not answer.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let silence = if lab.is_short { SHORT_SILENCE } else { SILENCE };
    let address = free_address()?;
    let yaml = FILTER_AND_TRUNCATE.stdin_to_stdout();
    lab.write_pipeline(&format!("{yaml}admin: {{ listen: \"{address}\" }}\n"))?;
    let (event, expected) = start::event()?;

    let mut running = lab.logweir_by_hand().deadline(silence + 2 * PATIENCE).start();
    let mut stdin = running.take_stdin().context("no pipe")?;
    let mut stdout = running.take_stdout().context("no pipe")?;
    stdin.write_all(&event)?;
    let mut written = vec![0; expected.len()];
    watched(running.pid(), PATIENCE, || stdout.read_exact(&mut written)).context("nothing came out")?;
    let (status, _) = http_get(address, "/metrics").context("the endpoint for metrics")?;
    anyhow::ensure!(status == 200, "/metrics answers {status}");
    wait_until(Instant::now() + SETTLING);

    let begun = Instant::now();
    let before = cpu_time(running.pid());
    wait_until(begun + silence);
    let after = cpu_time(running.pid());
    let passed = begun.elapsed();

    drop(stdin);
    stdout.read_to_end(&mut written)?;
    let ran = running.wait();
    anyhow::ensure!(ran.status.success(), "{}", ran.stderr_text());
    let wrong = (written != expected).then(|| "the event before the silence came out wrong".to_owned());
    let (Some(before), Some(after)) = (before, after) else {
        let note =
            "the system does not tell the CPU time of threads in /proc/PID/task/*/schedstat".to_owned();
        return Ok(Measured { note, wrong, ..Measured::default() });
    };
    let percent = 100.0 * after.saturating_sub(before).as_secs_f64() / passed.as_secs_f64();
    Ok(Measured {
        figures: vec![Figure::median("cpu", Unit::Percent, vec![percent]).bar(MOST_CPU)],
        note: format!("of one core, in {} s of silence", silence.as_secs()),
        wrong,
    })
}

/// Returns an address that nobody listens on just now; logweir does not tell under `--quiet` which one it has taken.
pub(super) fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Returns the time that all threads of a process have spent on cores, to the nanosecond; nothing where the system
/// does not tell. No thread may end meanwhile: its time would be lost.
pub(super) fn cpu_time(pid: u32) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_busy_thread_is_seen() {
        let Some(before) = cpu_time(std::process::id()) else { return };
        let begun = Instant::now();
        let mut seen = Duration::ZERO;
        while seen < Duration::from_millis(1) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{before:?} {seen:?}");
            // The thread of another test may end while its time is read.
            seen = cpu_time(std::process::id()).map_or(seen, |now| now.saturating_sub(before));
        }
        assert!(seen < 100 * begun.elapsed(), "{before:?} {seen:?}");
    }
}
