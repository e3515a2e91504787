//! What it costs to follow files in which nothing happens.

use std::fs;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::clock::wait_until;
use super::idle::{cpu_time, free_address};
use super::live::Live;
use super::scraper::Scraper;
use super::{Measured, start};
use crate::figure::{Bar, Figure, Unit};
use crate::job::{Ack, FILTER_AND_TRUNCATE};
use crate::lab::{Lab, OUTPUT};

/// Of one core, in percent, for a thousand files.
const MOST_CPU: Bar = Bar::Below(1.0);
/// Long enough for several of the searches that are made now and then even if nothing happens.
const SILENCE: Duration = Duration::from_secs(30);
const SHORT_SILENCE: Duration = Duration::from_secs(3);
/// For what is still to do when all events are written: the checkpoint.
const SETTLING: Duration = Duration::from_millis(2500);
/// The directory of the files.
const QUIET: &str = "quiet";

/// Measures the time on the cores and the memory while files are followed that nobody writes to, a thousand of them
/// and ten thousand.
///
/// # Errors
///
/// If it cannot be run, or does not read the files.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let silence = if lab.is_short { SHORT_SILENCE } else { SILENCE };
    let (few, many) = (run(lab, 1_000, silence)?, run(lab, 10_000, silence)?);
    let wrong = few.wrong.or(many.wrong);
    let (Some(cpu_of_few), Some(cpu_of_many), Some(rss_of_few), Some(rss_of_many)) =
        (few.cpu, many.cpu, few.rss, many.rss)
    else {
        let note = "the system does not tell the CPU time and memory of a process in /proc".to_owned();
        return Ok(Measured { note, wrong, ..Measured::default() });
    };
    let figure = |name, unit, value| Figure::median(name, unit, vec![value]);
    Ok(Measured {
        figures: vec![
            figure("cpu_1000_files", Unit::Percent, cpu_of_few).bar(MOST_CPU),
            figure("rss_1000_files", Unit::Mebibytes, rss_of_few),
            figure("cpu_10000_files", Unit::Percent, cpu_of_many),
            figure("rss_10000_files", Unit::Mebibytes, rss_of_many),
        ],
        note: format!(
            "of one core, in {} s in which nothing is added to the files; each has one event, which is written before",
            silence.as_secs()
        ),
        wrong,
    })
}

/// What a silence took.
struct Idled {
    /// Of one core, in percent; `None` where the system does not tell, like the next.
    cpu: Option<f64>,
    /// Resident at its end, in MiB.
    rss: Option<f64>,
    wrong: Option<String>,
}

fn run(lab: &Lab, n_files: u64, silence: Duration) -> anyhow::Result<Idled> {
    lab.clear()?;
    let expected = make_files(lab, n_files)?;
    let address = free_address()?;
    let yaml = FILTER_AND_TRUNCATE.follow_to_file(&format!("{QUIET}/*.ndjson"), OUTPUT, Ack::AsUnasked);
    lab.write_pipeline(&format!("{yaml}admin: {{ listen: \"{address}\" }}\n"))?;
    let live = Live::start(lab)?;
    Scraper::connect(&live, address)?.wait_for_all(&live, n_files)?;
    wait_until(Instant::now() + SETTLING);

    let begun = Instant::now();
    let before = cpu_time(live.pid());
    wait_until(begun + silence);
    let after = cpu_time(live.pid());
    let passed = begun.elapsed();
    let rss = rss(live.pid());

    live.stop(Instant::now())?;
    let is_right = fs::read(lab.dir.join(OUTPUT)).context(OUTPUT)? == expected && lab.summary()?.balanced;
    remove_files(lab)?;
    lab.clear()?;
    let cpu = before.zip(after).map(|(before, after)| after.saturating_sub(before).as_secs_f64());
    Ok(Idled {
        cpu: cpu.map(|cpu| 100.0 * cpu / passed.as_secs_f64()),
        rss,
        wrong: (!is_right).then(|| format!("the events of {n_files} files came out wrong")),
    })
}

/// Makes the files, the same event in each; returns what must be written for all of them.
fn make_files(lab: &Lab, n_files: u64) -> anyhow::Result<Vec<u8>> {
    remove_files(lab)?;
    let (event, written) = start::event()?;
    let dir = lab.dir.join(QUIET);
    fs::create_dir(&dir).context(QUIET)?;
    for number in 0..n_files {
        fs::write(dir.join(format!("{number}.ndjson")), &event)?;
    }
    Ok(written.repeat(usize::try_from(n_files)?))
}

fn remove_files(lab: &Lab) -> anyhow::Result<()> {
    match fs::remove_dir_all(lab.dir.join(QUIET)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context(QUIET),
        _ => Ok(()),
    }
}

/// Returns the memory that a process has resident, in MiB; nothing where the system does not tell.
fn rss(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_touched_is_resident() {
        let Some(before) = rss(std::process::id()) else { return };
        let touched = vec![1_u8; 64 << 20];
        let after = rss(std::process::id()).unwrap();
        assert!(touched.iter().all(|&byte| byte == 1));
        // Other tests run beside this one.
        assert!(after > before + 32.0 && after < before + 1024.0, "{before} {after}");
    }
}
