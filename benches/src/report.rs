//! Everything that one call has measured.

use serde::Serialize;

use crate::lab::Lab;
use crate::machine::Machine;
use crate::measure::Measured;
use crate::race::Race;

/// What is shown as tables, and written as JSON.
#[derive(Serialize)]
pub(crate) struct Report {
    /// The command as it was given, without the directories of this machine before the program's name.
    pub(crate) command: String,
    /// The machine as it was before.
    pub(crate) machine: Machine,
    /// Its load afterwards.
    pub(crate) load_after: String,
    /// The size that inputs were asked to have.
    pub(crate) n_bytes: u64,
    /// Measured runs of each program.
    pub(crate) runs: usize,
    pub(crate) cases: Vec<Race>,
    pub(crate) measurements: Vec<Named>,
}

/// One of the measurements besides the main table.
#[derive(Serialize)]
pub(crate) struct Named {
    pub(crate) name: &'static str,
    #[serde(flatten)]
    pub(crate) measured: Measured,
}

impl Report {
    /// Looks at the machine, and has nothing measured yet.
    pub(crate) fn begin(lab: &Lab) -> Self {
        Self {
            command: command(),
            machine: Machine::look(),
            load_after: String::new(),
            n_bytes: lab.n_bytes,
            runs: lab.runs,
            cases: Vec::new(),
            measurements: Vec::new(),
        }
    }

    /// Adds what the machine is like now.
    pub(crate) fn end(&mut self) {
        self.load_after = Machine::look().load;
    }

    /// Returns the names of all cases and measurements in which something was wrong, with what it was.
    pub(crate) fn wrong(&self) -> Vec<(&'static str, &str)> {
        let cases = self.cases.iter().map(|race| (race.name, &race.wrong));
        let others = self.measurements.iter().map(|named| (named.name, &named.measured.wrong));
        cases.chain(others).filter_map(|(name, wrong)| Some((name, wrong.as_deref()?))).collect()
    }
}

fn command() -> String {
    let mut command = "bench".to_owned();
    for arg in std::env::args().skip(1) {
        command.push(' ');
        command.push_str(&arg);
    }
    command
}
