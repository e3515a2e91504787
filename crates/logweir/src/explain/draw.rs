//! How a sample came to its decision.

use std::fmt::Write as _;

use logweir_pipeline::{Draw, Excerpt, Hashed, Weight};

use super::condition::tree;
use crate::shown::{push_lines, shown};

/// Returns which share is kept and why, what was hashed, and how the hash stands to the threshold.
pub(super) fn rows(draw: &Draw) -> String {
    let mut out = String::new();
    for stratum in &draw.strata {
        let _ = writeln!(out, "{}, rate {}:", stratum.place, stratum.rate);
        push_lines(&tree(&stratum.judgement), "  ", &mut out);
    }
    let of = match draw.stratum() {
        Some(stratum) => format!(" ({})", stratum.place),
        None if draw.strata.is_empty() => String::new(),
        None => String::from(" (for the rest)"),
    };
    let sign = if draw.is_kept { "<" } else { ">=" };
    let _ = writeln!(out, "rate       {}{of}", draw.rate);
    let _ = writeln!(out, "hashed     {}, seed {}", hashed(&draw.hashed), draw.seed);
    let _ = writeln!(out, "hash       {:>20} = {} of all", draw.hash, share(draw.share()));
    let _ = writeln!(
        out,
        "threshold  {:>20} = {} of all; hash {sign} threshold",
        draw.threshold,
        share(draw.rate)
    );
    if let Some(Weight { field, factor }) = &draw.weight {
        let _ = writeln!(
            out,
            "weight     {} times {factor}; where there is none, 1 times {factor}",
            shown(field)
        );
    }
    out
}

/// Returns a share with six digits behind the point, or six that count where it is small.
pub(super) fn share(share: f64) -> String {
    if share == 0.0 || share >= 0.001 { format!("{share:.6}") } else { format!("{share:.5e}") }
}

/// Returns what a hash was made of.
fn hashed(hashed: &Hashed) -> String {
    match hashed {
        Hashed::Field { key, value } => of_field(key, value),
        Hashed::Event { n_bytes, missing: None } => format!("the whole event, {n_bytes} bytes"),
        Hashed::Event { n_bytes, missing: Some(key) } => {
            format!("the whole event, {n_bytes} bytes, because {} is missing or null", shown(key))
        }
    }
}

/// Returns a field and the text that was hashed of it, between quotes that are not.
pub(super) fn of_field(key: &str, value: &Excerpt) -> String {
    let length = if value.is_whole() { String::new() } else { format!(", {} bytes", value.n_bytes()) };
    format!("{} \"{}\"{length}", shown(key), shown(value.text()))
}
