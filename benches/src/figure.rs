//! Measured figures and the bars that they have to clear.

use std::fmt::{self, Display};

use serde::Serialize;

/// What was measured, in one number: of several runs, and what each of them gave.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// The size of the input, where several are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n_bytes_in: Option<u64>,
    /// What stands for all runs, mostly their median.
    pub(crate) value: f64,
    /// Run by run, in order.
    pub(crate) runs: Vec<f64>,
    pub(crate) bar: Option<Bar>,
    /// Whether the value clears the bar; nothing without one.
    pub(crate) met: Option<bool>,
}

/// What a figure is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(crate) enum Unit {
    /// How many times something else.
    #[serde(rename = "x")]
    Times,
    #[serde(rename = "s/GB")]
    SecondsPerGigabyte,
    #[serde(rename = "GB/s")]
    GigabytesPerSecond,
    #[serde(rename = "MB/s")]
    MegabytesPerSecond,
    #[serde(rename = "MiB")]
    Mebibytes,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "%")]
    Percent,
}

/// The least or the most that a figure may be. A missed one is said, and fails nothing.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    AtMost(f64),
    AtLeast(f64),
    Below(f64),
}

impl Figure {
    /// Returns a figure whose value is the median of its runs.
    pub(crate) fn median(name: &'static str, unit: Unit, runs: Vec<f64>) -> Self {
        Self::new(name, unit, median(&runs), runs)
    }

    /// Returns a figure whose value is the largest of its runs.
    pub(crate) fn largest(name: &'static str, unit: Unit, runs: Vec<f64>) -> Self {
        Self::new(name, unit, largest(&runs), runs)
    }

    /// Returns a figure of which something else than one of its runs stands for all.
    pub(crate) fn new(name: &'static str, unit: Unit, value: f64, runs: Vec<f64>) -> Self {
        Self { name, unit, n_bytes_in: None, value, runs, bar: None, met: None }
    }

    /// Returns it with a bar, if there is one.
    pub(crate) fn bar(self, bar: impl Into<Option<Bar>>) -> Self {
        let bar = bar.into();
        Self { bar, met: bar.map(|bar| bar.is_met(self.value)), ..self }
    }

    /// Returns it as of an input of that size.
    pub(crate) fn of_input(self, n_bytes: u64) -> Self {
        Self { n_bytes_in: Some(n_bytes), ..self }
    }

    /// Returns its value with its unit, as it is shown.
    pub(crate) fn shown(&self) -> String {
        format!("{:.*} {}", self.unit.n_decimals(), self.value, self.unit)
    }
}

impl Bar {
    /// Returns whether a value is on the right side. What is no number is on none.
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Below(bound) => value < bound,
        }
    }
}

impl Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::Below(bound) => write!(f, "< {bound}"),
        }
    }
}

impl Unit {
    /// Returns how many decimals of a value are worth reading.
    pub(crate) fn n_decimals(self) -> usize {
        match self {
            Self::MegabytesPerSecond => 0,
            Self::Mebibytes => 1,
            Self::Percent => 3,
            _ => 2,
        }
    }
}

impl Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Times => "×",
            Self::SecondsPerGigabyte => "s/GB",
            Self::GigabytesPerSecond => "GB/s",
            Self::MegabytesPerSecond => "MB/s",
            Self::Mebibytes => "MiB",
            Self::Milliseconds => "ms",
            Self::Percent => "%",
        })
    }
}

/// Returns the middle one, or the mean of the two in the middle; NaN if there is none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => f64::NAN,
        Some(&upper) if sorted.len() % 2 == 1 => upper,
        Some(&upper) => f64::midpoint(sorted[middle - 1], upper),
    }
}

/// Returns the smallest value that `percent` of a hundred of the values, at least, do not exceed, by rank, without
/// interpolation; NaN if there is none.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// Returns the largest value; NaN if there is none.
pub(crate) fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}

/// Returns the smallest value; NaN if there is none.
pub(crate) fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]).to_string(), "2");
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]).to_string(), "2.5");
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_percentile_is_one_of_the_values_by_rank() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let at = |percent| percentile(&values, percent).to_string();
        assert_eq!([at(0), at(50), at(99), at(100)], ["1", "100", "198", "200"]);
        // Of few values the 99th percentile is the largest.
        assert_eq!(percentile(&[5.0, 9.0, 7.0], 99).to_string(), "9");
        assert!(percentile(&[], 99).is_nan());
    }

    #[test]
    fn the_extremes_are_those_of_the_values() {
        assert_eq!(
            (largest(&[1.0, 3.0, 2.0]).to_string(), smallest(&[2.0, 1.0]).to_string()),
            ("3".into(), "1".into())
        );
        assert!(largest(&[]).is_nan() && smallest(&[]).is_nan());
    }

    #[test]
    fn a_bar_is_met_on_it_except_where_it_says_below() {
        let met = |bar, value| Figure::new("f", Unit::Times, value, vec![]).bar(bar).met;
        for (bar, value, expected) in [
            (Bar::AtMost(1.8), 1.8, true),
            (Bar::AtMost(1.8), 1.801, false),
            (Bar::AtLeast(0.8), 0.8, true),
            (Bar::AtLeast(0.8), 0.799, false),
            (Bar::Below(0.2), 0.2, false),
            (Bar::Below(0.2), 0.199, true),
            (Bar::AtMost(1.8), f64::NAN, false),
            (Bar::AtLeast(0.8), f64::NAN, false),
        ] {
            assert_eq!(met(bar, value), Some(expected), "{value} {bar}");
        }
    }

    #[test]
    fn a_figure_in_json_has_its_runs_and_its_bar() {
        let figure =
            Figure::median("rate", Unit::GigabytesPerSecond, vec![1.5, 0.5, 1.0]).bar(Bar::AtLeast(1.0));
        assert_eq!(
            serde_json::to_value(&figure).unwrap(),
            serde_json::json!({
                "name": "rate", "unit": "GB/s", "value": 1.0, "runs": [1.5, 0.5, 1.0],
                "bar": {"at_least": 1.0}, "met": true,
            })
        );
    }
}
