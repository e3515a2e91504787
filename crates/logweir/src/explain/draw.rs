//! How a sample came to its decision.

use std::fmt::Write as _;

use logweir_pipeline::{Draw, Hashed, Weight};

use super::condition::tree;
use super::shown::{push_lines, shown};

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
    let _ = writeln!(out, "hash       {:>20} = {:.6} of all", draw.hash, draw.share());
    let _ =
        writeln!(out, "threshold  {:>20} = {:.6} of all; hash {sign} threshold", draw.threshold, draw.rate);
    if let Some(Weight { field, factor }) = &draw.weight {
        let _ = writeln!(out, "weight     {} is multiplied by {factor}, 1 where there is none", shown(field));
    }
    out
}

/// Returns what a hash was made of.
pub(super) fn hashed(hashed: &Hashed) -> String {
    match hashed {
        Hashed::Field { key, value } => format!("{key} {}", shown(&value.to_string())),
        Hashed::Event { n_bytes, missing: None } => format!("the whole event, {n_bytes} bytes"),
        Hashed::Event { n_bytes, missing: Some(key) } => {
            format!("the whole event, {n_bytes} bytes, because {key} is missing or null")
        }
    }
}
