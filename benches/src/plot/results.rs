//! Recorded results, as they are read back: what of them is plotted and shown.

use serde::Deserialize;

/// What one or more calls have recorded.
#[derive(Default)]
pub(super) struct Results {
    /// The calls, in order.
    pub(super) calls: Vec<Call>,
    pub(super) cases: Vec<Case>,
    pub(super) measurements: Vec<Measurement>,
}

/// A call of the bench and where it ran.
#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) command: String,
    pub(super) machine: Machine,
    pub(super) load_after: String,
    pub(super) n_bytes: u64,
    pub(super) runs: usize,
}

#[derive(Deserialize)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) n_cores: usize,
    pub(super) kernel: String,
    pub(super) rustc: String,
    pub(super) commit: String,
    pub(super) load: String,
}

/// A row of the main table.
#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) n_events: u64,
    pub(super) n_bytes_in: u64,
    wrong: Option<String>,
    pub(super) figures: Figures,
}

#[derive(Deserialize)]
pub(super) struct Figures {
    pub(super) wall_over_cat: Figure,
    pub(super) rate: Figure,
    pub(super) cat_rate: Figure,
    pub(super) cpu: Figure,
    pub(super) cat_cpu: Figure,
    pub(super) tape_rate: Figure,
}

/// One of the measurements besides the main table.
#[derive(Deserialize)]
pub(super) struct Measurement {
    pub(super) name: String,
    pub(super) figures: Vec<Figure>,
    pub(super) note: String,
    wrong: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Figure {
    #[serde(default)]
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) n_bytes_in: Option<u64>,
    pub(super) value: f64,
    pub(super) runs: Vec<f64>,
    pub(super) bar: Option<Bar>,
}

/// The bars that are plotted; others are left out.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Bar {
    pub(super) at_most: Option<f64>,
}

/// One file.
#[derive(Deserialize)]
struct Recorded {
    #[serde(flatten)]
    call: Call,
    cases: Vec<Case>,
    measurements: Vec<Measurement>,
}

impl Results {
    /// Adds what a file holds, in the place of what is there under the same name.
    ///
    /// # Errors
    ///
    /// If it holds no results, or results of something that wrote what is wrong.
    pub(super) fn add(&mut self, json: &str) -> anyhow::Result<()> {
        let recorded: Recorded = serde_json::from_str(json)?;
        let cases = recorded.cases.iter().map(|case| (&case.name, &case.wrong));
        let others = recorded.measurements.iter().map(|other| (&other.name, &other.wrong));
        for (name, wrong) in cases.chain(others) {
            if let Some(wrong) = wrong {
                anyhow::bail!("{name} is wrong: {wrong}");
            }
        }
        self.calls.push(recorded.call);
        for case in recorded.cases {
            put(&mut self.cases, case, |case| &case.name);
        }
        for measurement in recorded.measurements {
            put(&mut self.measurements, measurement, |measurement| &measurement.name);
        }
        Ok(())
    }

    /// Returns the measurement of that name, if it was made.
    pub(super) fn measurement(&self, name: &str) -> Option<&Measurement> {
        self.measurements
            .iter()
            .find(|measurement| measurement.name == name && !measurement.figures.is_empty())
    }

    /// Returns the peaks of memory with the sizes of the inputs, the smallest first.
    pub(super) fn memory(&self) -> Vec<(u64, &Figure)> {
        let figures = self.measurement("memory").map_or(&[][..], |memory| &memory.figures);
        let mut peaks: Vec<_> = figures
            .iter()
            .filter(|figure| figure.name == "peak_rss")
            .filter_map(|figure| Some((figure.n_bytes_in?, figure)))
            .collect();
        peaks.sort_by_key(|&(n_bytes, _)| n_bytes);
        peaks
    }
}

/// Puts something in the place of what has the same name, or behind all.
fn put<T>(all: &mut Vec<T>, new: T, name: fn(&T) -> &String) {
    match all.iter_mut().find(|old| name(old) == name(&new)) {
        Some(old) => *old = new,
        None => all.push(new),
    }
}
