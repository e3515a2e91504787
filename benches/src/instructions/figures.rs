//! What is recorded of the counts, and how far from it they may be.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Counts this far from what is recorded, in either direction, are taken for the same. What is not ours moves them by
/// less, and a change of ours that moves them by less cannot be told from it.
const BAND: f64 = 0.05;

/// Counts, and what they were made with.
#[derive(Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) made_with: Tools,
    pub(crate) workloads: BTreeMap<String, Figure>,
}

/// What was counted for one workload.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// Size of the input.
    pub(crate) n_bytes: u64,
    /// Instructions that the lane took for all of it.
    pub(crate) instructions: u64,
}

/// What a count depends on besides the code.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tools {
    /// The architecture, and whether it has AVX2, by which libraries choose their code; valgrind shows a program no
    /// AVX-512 on any machine.
    pub(crate) cpu: String,
    pub(crate) rustc: String,
    pub(crate) valgrind: String,
    /// The C library, whose allocator and copies are counted too.
    pub(crate) libc: String,
}

impl Figure {
    /// Returns the instructions for one byte of input.
    pub(crate) fn per_byte(self) -> f64 {
        self.instructions as f64 / self.n_bytes as f64
    }
}

impl Tools {
    /// Looks for what is here.
    pub(crate) fn look() -> Self {
        Self {
            cpu: cpu(),
            rustc: says("rustc", "--version"),
            valgrind: says("valgrind", "--version"),
            libc: says("getconf", "GNU_LIBC_VERSION"),
        }
    }

    /// Returns in what these tools differ from those of the record, a line each.
    pub(crate) fn differences(&self, recorded: &Self) -> Vec<String> {
        let pairs = [
            (&self.rustc, &recorded.rustc),
            (&self.valgrind, &recorded.valgrind),
            (&self.libc, &recorded.libc),
        ];
        let different = pairs.into_iter().filter(|(here, there)| here != there);
        different.map(|(here, there)| format!("recorded with {there}, counted with {here}")).collect()
    }
}

/// Returns what must be said of the counts: a line for each that is not what is recorded.
pub(crate) fn complaints(
    counted: &BTreeMap<String, Figure>,
    recorded: &BTreeMap<String, Figure>,
) -> Vec<String> {
    let gone = recorded.keys().filter(|name| !counted.contains_key(*name));
    let gone = gone.map(|name| format!("{name} is recorded, but not counted any more"));
    let found = counted.iter().filter_map(|(name, figure)| complaint(name, *figure, recorded.get(name)));
    found.chain(gone).collect()
}

fn complaint(name: &str, counted: Figure, recorded: Option<&Figure>) -> Option<String> {
    let Some(recorded) = recorded else { return Some(format!("{name} is not recorded")) };
    if counted.n_bytes != recorded.n_bytes {
        let (here, there) = (counted.n_bytes, recorded.n_bytes);
        return Some(format!("the input of {name} has changed: {here} bytes, recorded with {there}"));
    }
    let change = change(counted, *recorded);
    if change.abs() <= BAND {
        return None;
    }
    let (percent, which) = (100.0 * change.abs(), if change > 0.0 { "more" } else { "fewer" });
    let (here, there) = (counted.per_byte(), recorded.per_byte());
    Some(format!(
        "{name} takes {here:.3} instructions a byte, recorded are {there:.3}: {percent:.1} % {which}"
    ))
}

/// Returns by which part of what is recorded a count is larger.
pub(crate) fn change(counted: Figure, recorded: Figure) -> f64 {
    counted.per_byte() / recorded.per_byte() - 1.0
}

fn cpu() -> String {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        return format!("{ARCH} with AVX2");
    }
    ARCH.to_owned()
}

/// Returns the line that a program prints, or `no …` if it does not.
fn says(program: &str, arg: &str) -> String {
    let output = Command::new(program).arg(arg).output().ok().filter(|output| output.status.success());
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
    text.map_or_else(|| format!("no `{program} {arg}`"), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counted: &[(&str, u64, u64)], recorded: &[(&str, u64, u64)], expected: &[&str]) {
        let map = |figures: &[(&str, u64, u64)]| {
            let figure = |&(name, n_bytes, instructions): &(&str, u64, u64)| {
                (name.to_owned(), Figure { n_bytes, instructions })
            };
            figures.iter().map(figure).collect()
        };
        assert_eq!(complaints(&map(counted), &map(recorded)), expected);
    }

    #[test]
    fn what_is_within_the_band_is_the_same() {
        for instructions in [9_510, 10_000, 10_490] {
            check(&[("mix", 1_000, instructions)], &[("mix", 1_000, 10_000)], &[]);
        }
    }

    #[test]
    fn a_gain_is_told_as_a_loss_is() {
        check(
            &[("mix", 1_000, 10_510), ("real", 1_000, 9_490), ("small", 1_000, 10_000)],
            &[("mix", 1_000, 10_000), ("real", 1_000, 10_000), ("small", 1_000, 10_000)],
            &[
                "mix takes 10.510 instructions a byte, recorded are 10.000: 5.1 % more",
                "real takes 9.490 instructions a byte, recorded are 10.000: 5.1 % fewer",
            ],
        );
    }

    #[test]
    fn other_inputs_are_not_compared() {
        check(
            &[("mix", 1_001, 10_000), ("new", 1_000, 10_000)],
            &[("mix", 1_000, 10_000), ("old", 1_000, 10_000)],
            &[
                "the input of mix has changed: 1001 bytes, recorded with 1000",
                "new is not recorded",
                "old is recorded, but not counted any more",
            ],
        );
    }
}
