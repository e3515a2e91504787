//! What a scrape sees of taps.

use std::sync::atomic::Ordering;

use metrics::{counter, gauge};

use super::{Kind, Metric, metric};
use crate::tap::TapStats;

pub(super) const TAPS: Metric = metric("logweir_taps", Kind::Gauge, None, "Taps that are open.");
pub(super) const TAP_EVENTS: Metric = metric(
    "logweir_tap_events_total",
    Kind::Counter,
    None,
    "Events that taps have shown, or were to show and withheld, by result.",
);

/// Publishes what has been watched.
pub(super) fn publish(taps: &TapStats) {
    gauge!(TAPS.name).set(taps.open.load(Ordering::Relaxed) as f64);
    for (result, count) in [("shown", &taps.shown), ("withheld", &taps.withheld)] {
        counter!(TAP_EVENTS.name, "result" => result).absolute(count.load(Ordering::Relaxed));
    }
}
