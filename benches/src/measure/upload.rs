//! How fast events are delivered compressed, each batch as one file, against compressing alone.

use std::fs;

use anyhow::Context as _;
use logweir_testkit::generate::Workload;

use super::Measured;
use crate::compress::{self, With};
use crate::figure::{Bar, Figure, Unit};
use crate::input::Input;
use crate::job::FILTER_AND_TRUNCATE;
use crate::lab::{COMPRESSED, Lab, OBJECTS};
use crate::objects::Objects;
use crate::race::{cpu_costs, peaks, rates, wall_ratio};
use crate::stopwatch::Taken;

/// Of the rate of compressing alone.
const LEAST_SHARE: Bar = Bar::AtLeast(0.6);
/// Of compressing alone, in megabytes of input a second of one core.
const LEAST_RATE: Bar = Bar::AtLeast(250.0);

/// Measures the main job into a directory that stands for a bucket, with batches as they are where nothing is said,
/// against the same compressor alone, and against another one.
///
/// # Errors
///
/// If something cannot be run, or what was compressed alone is wrong.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let input = lab.input(Workload::Mix)?;
    lab.write_pipeline(&FILTER_AND_TRUNCATE.file_to_directory(&input.name, OBJECTS))?;
    let [mut alone, mut other, mut upload] = [const { Runs { taken: Vec::new(), ratio: 0.0 } }; 3];
    // One round that is not measured, in which what is compressed alone is checked.
    for round in 0..=lab.runs {
        for (with, runs) in [(With::ZlibRs, &mut alone), (With::Libdeflate, &mut other)] {
            let taken = compress_alone(lab, with, &input)?;
            let path = lab.dir.join(COMPRESSED);
            if round == 0 {
                compress::check(&path, &input.path)?;
                runs.ratio = input.n_bytes as f64 / fs::metadata(&path)?.len() as f64;
            } else {
                runs.taken.push(taken);
            }
        }
        let taken = deliver(lab, &input)?;
        if round > 0 {
            upload.taken.push(taken);
        }
    }
    let objects = Objects::find(&lab.dir.join(OBJECTS))?;
    let (n_objects, n_object_bytes) = (objects.n(), objects.n_bytes);
    let n_bytes_out = lab.summary()?.bytes_out;
    upload.ratio = n_bytes_out as f64 / n_object_bytes as f64;
    let wrong = lab.wrong_in(&FILTER_AND_TRUNCATE, &input, objects.read());
    lab.clear()?;
    Ok(Measured {
        figures: figures(input.n_bytes, &alone, &other, &upload),
        note: note(n_objects, n_bytes_out as f64 / input.n_bytes as f64),
        wrong,
    })
}

/// The runs of one program.
struct Runs {
    taken: Vec<Taken>,
    /// How many times as large as what came out of the compressor that is which went in.
    ratio: f64,
}

/// Compresses the input to [`COMPRESSED`], from the page cache.
fn compress_alone(lab: &Lab, with: With, input: &Input) -> anyhow::Result<Taken> {
    lab.make_ready_for_disk(input)?;
    let bench = std::env::current_exe()?;
    with.program(lab, &bench, input).measure()
}

/// Runs the job.
fn deliver(lab: &Lab, input: &Input) -> anyhow::Result<Taken> {
    lab.make_ready_for_disk(input)?;
    fs::create_dir(lab.dir.join(OBJECTS)).context(OBJECTS)?;
    lab.logweir().measure()
}

fn figures(n_bytes: u64, alone: &Runs, other: &Runs, upload: &Runs) -> Vec<Figure> {
    let rate = |name, runs: &Runs| {
        let rates = rates(&runs.taken, n_bytes).into_iter().map(|rate| rate * 1e3).collect();
        Figure::median(name, Unit::MegabytesPerSecond, rates)
    };
    // By the time on the core, which is no longer where others want that core too.
    let core_rate = |name, runs: &Runs| {
        let rates = cpu_costs(&runs.taken, n_bytes).into_iter().map(|cost| 1e3 / cost).collect();
        Figure::median(name, Unit::MegabytesPerSecond, rates)
    };
    let cpu =
        |name, runs: &Runs| Figure::median(name, Unit::SecondsPerGigabyte, cpu_costs(&runs.taken, n_bytes));
    let ratio = |name, runs: &Runs| Figure::median(name, Unit::Times, vec![runs.ratio]);
    let walls = upload.taken.iter().map(|taken| taken.wall.as_secs_f64() * 1e3).collect();
    vec![
        wall_ratio("rate_over_alone", &alone.taken, &upload.taken).bar(LEAST_SHARE),
        rate("rate", upload),
        rate("rate_alone", alone),
        core_rate("core_rate_alone", alone).bar(LEAST_RATE),
        rate("rate_libdeflate", other),
        Figure::median("wall", Unit::Milliseconds, walls),
        cpu("cpu", upload),
        cpu("cpu_alone", alone),
        cpu("cpu_libdeflate", other),
        ratio("compression", upload),
        ratio("compression_alone", alone),
        ratio("compression_libdeflate", other),
        Figure::largest("peak_rss", Unit::Mebibytes, peaks(&upload.taken)),
    ]
}

fn note(n_objects: usize, share_out: f64) -> String {
    format!(
        "the job of `mix` into a directory that stands for a bucket, until the end; batches and compression are as where \
         nothing is said: objects: {n_objects}, which hold {:.1} % of the bytes of the input, each brought to the disk in \
         the spool, and again where it is delivered. *alone*: the same compressor at the same level in one thread of a \
         process of its own, from the whole input to one file, which is not brought to the disk. *libdeflate*: likewise, \
         at level 1, one gzip member for each MiB. Rates are of the input, the *core rate* by the time on the core",
        100.0 * share_out
    )
}
