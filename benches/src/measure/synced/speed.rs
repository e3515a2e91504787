//! How fast events are brought to the disk.

use logweir_testkit::generate::Workload;

use crate::figure::{Bar, Figure, Unit};
use crate::input::Input;
use crate::job::{Ack, COPY};
use crate::lab::{Lab, OUTPUT};
use crate::measure::{Measured, dd};
use crate::race::{rates, wall_ratio};
use crate::stopwatch::Taken;

/// Of the rate of a copy that is on the disk when it ends.
const LEAST_SHARE: Bar = Bar::AtLeast(0.8);

/// Measures a run that ends once all is on the disk, against a copy by `dd` that does, and against a run that does not
/// wait for the disk. All of them write the same bytes.
///
/// # Errors
///
/// If something cannot be run.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    if let Some(note) = dd::obstacle(lab)? {
        return Ok(Measured { note, ..Measured::default() });
    }
    let input = lab.input(Workload::Mix)?;
    // One round that is not measured.
    let [mut dd, mut synced, mut written] = [const { Vec::new() }; 3];
    for round in 0..=lab.runs {
        lab.make_ready_for_disk(&input)?;
        let taken = [
            dd::synced_copy(lab, &input).measure()?,
            measure_logweir(lab, &input, Ack::Written)?,
            measure_logweir(lab, &input, Ack::Synced)?,
        ];
        if round > 0 {
            dd.push(taken[0]);
            written.push(taken[1]);
            synced.push(taken[2]);
        }
    }
    let wrong = lab.wrong(&COPY, &input);
    lab.clear()?;
    let rate =
        |name, taken: &[Taken]| Figure::median(name, Unit::GigabytesPerSecond, rates(taken, input.n_bytes));
    Ok(Measured {
        figures: vec![
            wall_ratio("rate_over_dd", &dd, &synced).bar(LEAST_SHARE),
            rate("rate", &synced),
            rate("dd_rate", &dd),
            rate("written_rate", &written),
            wall_ratio("rate_over_written", &written, &synced),
        ],
        note: "*rate*: `mix` from file to file without stages, `ack: synced`, until the end, against \
               `dd bs=1M conv=fdatasync` of the same file and against `ack: written`"
            .to_owned(),
        wrong,
    })
}

fn measure_logweir(lab: &Lab, input: &Input, ack: Ack) -> anyhow::Result<Taken> {
    lab.write_pipeline(&COPY.file_to_file(&input.name, OUTPUT, ack))?;
    lab.make_ready_for_disk(input)?;
    lab.logweir().measure()
}
