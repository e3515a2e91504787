//! What is measured besides the main table, each in a module of its own.

mod clock;
mod cores;
mod dd;
mod follow;
mod growth;
mod idle;
mod idle_follow;
mod latency;
mod live;
mod memory;
mod pipes;
mod schedule;
mod scraper;
mod start;
mod synced;
mod upload;
mod watchdog;

use std::time::Duration;

use serde::Serialize;

use crate::figure::Figure;
use crate::lab::Lab;

/// Far more than any answer takes; a program that lets the bench wait for longer is ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something to measure.
pub(crate) struct Measurement {
    /// What its rows are called.
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Lab) -> anyhow::Result<Measured>,
}

/// What came of it.
#[derive(Default, Serialize)]
pub(crate) struct Measured {
    /// None if this machine does not allow to measure it.
    pub(crate) figures: Vec<Figure>,
    /// What the figures are of, or why there are none.
    pub(crate) note: String,
    /// What is wrong with what was written meanwhile.
    pub(crate) wrong: Option<String>,
}

/// All of them, in order.
pub(crate) const MEASUREMENTS: &[Measurement] = &[
    Measurement { name: "pipes", run: pipes::measure },
    Measurement { name: "cores", run: cores::measure },
    Measurement { name: "growth", run: growth::measure },
    Measurement { name: "memory", run: memory::measure },
    Measurement { name: "latency", run: latency::measure },
    Measurement { name: "idle", run: idle::measure },
    Measurement { name: "start", run: start::measure },
    Measurement { name: "follow", run: follow::measure },
    Measurement { name: "synced", run: synced::measure },
    Measurement { name: "idle_follow", run: idle_follow::measure },
    Measurement { name: "upload", run: upload::measure },
];
