//! How fast files are followed, against reading the same once.
//!
//! Both are timed alike: until the output is there in all its length. What is compared is reading, so with both an event
//! counts as delivered once the system has taken it.

use std::fs;
use std::time::Instant;

use logweir_testkit::generate::Workload;

use super::dd::{self, Adding};
use super::live::Live;
use super::{Measured, start};
use crate::figure::{Bar, Figure, Unit};
use crate::input::Input;
use crate::job::{Ack, FILTER_AND_TRUNCATE};
use crate::lab::{LIVE, Lab, OUTPUT};
use crate::race::{rates, wall_ratio};
use crate::stopwatch::Taken;

/// Of the rate of reading once.
const LEAST_SHARE: Bar = Bar::AtLeast(0.8);

/// Measures a file that is there when logweir starts, and one that another process adds to as fast as it can.
///
/// # Errors
///
/// If something cannot be run, or does not write all.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    if let Some(note) = dd::obstacle(lab)? {
        return Ok(Measured { note, ..Measured::default() });
    }
    let input = lab.input(Workload::Mix)?;
    let mut track = Track::new(lab, &input)?;
    // One round that is not measured.
    track.there()?;
    track.added()?;
    let [mut once, mut there, mut once_beside, mut added] = [const { Vec::new() }; 4];
    for _ in 0..lab.runs {
        once.push(track.once()?);
        there.push(track.there()?);
        once_beside.push(track.once_beside()?);
        added.push(track.added()?);
    }
    lab.clear()?;
    let rate =
        |name, taken: &[Taken]| Figure::median(name, Unit::GigabytesPerSecond, rates(taken, input.n_bytes));
    Ok(Measured {
        figures: vec![
            wall_ratio("there_over_once", &once, &there).bar(LEAST_SHARE),
            rate("rate_there", &there),
            rate("rate_once", &once),
            wall_ratio("added_over_once", &once_beside, &added).bar(LEAST_SHARE),
            rate("rate_added", &added),
            rate("rate_once_beside", &once_beside),
        ],
        note: "the job of `mix` with `read: follow`, as times the rate of `read: once`, both with `ack: written` and until \
               all output is there. *there*: the file is there at the start. *added*: from the first byte that `dd bs=64K` \
               adds to a file that is followed already, against *once beside*: the whole file is read once while the same \
               `dd` adds to another one"
            .to_owned(),
        wrong: track.wrong,
    })
}

/// What all runs share.
struct Track<'a> {
    lab: &'a Lab,
    input: &'a Input,
    /// The event that is in the live file before the clock starts, so that logweir is known to follow it.
    ahead: Vec<u8>,
    /// Length of what is written for it.
    n_ahead_out: u64,
    /// Length of what is written for the input.
    n_out: u64,
    /// What was wrong first.
    wrong: Option<String>,
}

impl<'a> Track<'a> {
    /// Reads the input once, to learn how much is written for it.
    fn new(lab: &'a Lab, input: &'a Input) -> anyhow::Result<Self> {
        let (ahead, written) = start::event()?;
        lab.write_pipeline(&FILTER_AND_TRUNCATE.file_to_file(&input.name, OUTPUT, Ack::Written))?;
        lab.clear()?;
        lab.logweir().measure()?;
        let wrong = lab.wrong(&FILTER_AND_TRUNCATE, input);
        let n_out = lab.summary()?.bytes_out;
        Ok(Self { lab, input, ahead, n_ahead_out: written.len() as u64, n_out, wrong })
    }

    /// Reads once.
    fn once(&self) -> anyhow::Result<Taken> {
        self.prepare_once()?;
        let live = Live::start(self.lab)?;
        let out_at = live.wait_for_output(self.n_out)?;
        live.end(out_at)
    }

    /// Follows a file that is there.
    fn there(&mut self) -> anyhow::Result<Taken> {
        self.prepare_follow(&self.input.name)?;
        let live = Live::start(self.lab)?;
        let out_at = live.wait_for_output(self.n_out)?;
        let taken = live.stop(out_at)?;
        self.check(b"");
        Ok(taken)
    }

    /// Reads once while another file is added to.
    fn once_beside(&self) -> anyhow::Result<Taken> {
        self.prepare_once()?;
        let live = Live::start(self.lab)?;
        let adding = Adding::start(self.lab, self.input)?;
        let out_at = live.wait_for_output(self.n_out)?;
        let taken = live.end(out_at)?;
        adding.wait()?;
        Ok(taken)
    }

    /// Follows a file that is added to; on the clock from the first byte.
    fn added(&mut self) -> anyhow::Result<Taken> {
        self.prepare_follow(LIVE)?;
        fs::write(self.lab.dir.join(LIVE), &self.ahead)?;
        let live = Live::start(self.lab)?;
        live.wait_for_output(self.n_ahead_out)?;
        let begun = Instant::now();
        let adding = Adding::start(self.lab, self.input)?;
        let out_at = live.wait_for_output(self.n_ahead_out + self.n_out)?;
        let taken = live.stop(out_at)?;
        adding.wait()?;
        self.check(&self.ahead.clone());
        Ok(Taken { wall: out_at.saturating_duration_since(begun), ..taken })
    }

    /// Checks what was written for these events and the input behind them.
    fn check(&mut self, ahead: &[u8]) {
        if self.wrong.is_none() {
            self.wrong = self.lab.wrong_after(&FILTER_AND_TRUNCATE, ahead, self.input);
        }
    }

    fn prepare_once(&self) -> anyhow::Result<()> {
        self.lab.make_ready_for_disk(self.input)?;
        self.lab.write_pipeline(&FILTER_AND_TRUNCATE.file_to_file(&self.input.name, OUTPUT, Ack::Written))
    }

    fn prepare_follow(&self, name: &str) -> anyhow::Result<()> {
        self.lab.make_ready_for_disk(self.input)?;
        self.lab.write_pipeline(&FILTER_AND_TRUNCATE.follow_to_file(name, OUTPUT, Ack::Written))
    }
}
