//! What a scrape sees of the process itself.

use std::fs;
use std::time::SystemTime;

use metrics::{Unit, gauge};

use super::{Kind, Metric, metric};

pub(super) const STARTED: Metric = metric(
    "logweir_start_time_seconds",
    Kind::Gauge,
    Some(Unit::Seconds),
    "When the process was started, in Unix time.",
);
pub(super) const RESIDENT: Metric = metric(
    "logweir_resident_memory_bytes",
    Kind::Gauge,
    Some(Unit::Bytes),
    "Bytes of memory that the process has; 0 where the system does not tell.",
);

/// Publishes what holds now of a process that was started then.
pub(super) fn publish(started: SystemTime) {
    let started = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    gauge!(STARTED.name).set(started.as_secs_f64());
    gauge!(RESIDENT.name).set(resident_bytes().unwrap_or_default() as f64);
}

/// Returns the memory that the process has, as Linux tells it.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = resident.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}
