//! How much faster two cores are than one.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use logweir_testkit::generate::Workload;

use super::Measured;
use crate::figure::{Bar, Figure, Unit};
use crate::input::Input;
use crate::job::{Ack, FILTER_AND_TRUNCATE};
use crate::lab::{Lab, OUTPUT};
use crate::race::{rates, wall_ratio};
use crate::stopwatch::{Program, Taken};

const TASKSET: &str = "taskset";
const LEAST_SPEEDUP: Bar = Bar::AtLeast(1.5);

/// Measures the main job, file to file, on one core and on two.
///
/// # Errors
///
/// If something cannot be run.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    if let Some(note) = obstacle()? {
        return Ok(Measured { note, ..Measured::default() });
    }
    let Some([first, second]) = two_cores() else {
        return Ok(Measured { note: "needs two cores".to_owned(), ..Measured::default() });
    };
    let (one_core, two_cores) = (first.to_string(), format!("{first},{second}"));

    let input = lab.input(Workload::Mix)?;
    lab.write_pipeline(&FILTER_AND_TRUNCATE.file_to_file(&input.name, OUTPUT, Ack::AsUnasked))?;
    measure_on(lab, &input, &two_cores)?;
    measure_on(lab, &input, &one_core)?;
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..lab.runs {
        two.push(measure_on(lab, &input, &two_cores)?);
        one.push(measure_on(lab, &input, &one_core)?);
    }
    let wrong = lab.wrong(&FILTER_AND_TRUNCATE, &input);
    lab.clear()?;
    let rate = |name, taken| Figure::median(name, Unit::GigabytesPerSecond, rates(taken, input.n_bytes));
    Ok(Measured {
        figures: vec![
            wall_ratio("two_cores_over_one", &one, &two).bar(LEAST_SPEEDUP),
            rate("rate_of_one", &one),
            rate("rate_of_two", &two),
        ],
        note: format!("the job of `mix` under `taskset -c {one_core}` and `taskset -c {two_cores}`"),
        wrong,
    })
}

/// Runs the pipeline on these cores; the affinity that `taskset` sets is inherited by what it becomes.
fn measure_on(lab: &Lab, input: &Input, cores: &str) -> anyhow::Result<Taken> {
    lab.make_ready(input)?;
    let logweir = lab.logweir();
    let mut args: Vec<OsString> = vec!["-c".into(), cores.into(), logweir.path.into()];
    args.extend(logweir.args);
    Program { path: Path::new(TASKSET), args, ..lab.logweir() }.measure()
}

/// Returns why processes cannot be bound to cores here.
fn obstacle() -> anyhow::Result<Option<String>> {
    match Command::new(TASKSET).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(Some("there is no `taskset` here".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the first two cores that this process may use.
fn two_cores() -> Option<[usize; 2]> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    first_two(list.trim())
}

/// Returns the first two numbers of a list like `0-3,8`.
fn first_two(list: &str) -> Option<[usize; 2]> {
    let ranges = list.split(',').filter_map(|range| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        Some(low.parse::<usize>().ok()?..=high.parse().ok()?)
    });
    let mut cores = ranges.flatten();
    Some([cores.next()?, cores.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_cores_of_a_list() {
        assert_eq!(first_two("0-1"), Some([0, 1]));
        assert_eq!(first_two("3,5-7"), Some([3, 5]));
        assert_eq!(first_two("2-2,9"), Some([2, 9]));
        assert_eq!(first_two("4"), None);
        assert_eq!(first_two(""), None);
    }
}
