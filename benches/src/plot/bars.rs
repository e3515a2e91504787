//! Bars side by side, in groups.

use super::frame::{Frame, LEFT, RIGHT};
use crate::figure::largest;

/// How much of a group's place its bars take.
const BARS_SHARE: f64 = 0.84;

/// A chart with a group of bars for each case, one bar a series.
pub(super) struct BarChart<'a> {
    pub(super) title: &'a str,
    /// What the bars are counted in.
    pub(super) unit: &'a str,
    /// Names and colours.
    pub(super) series: Vec<(&'a str, &'a str)>,
    /// Names, with a value for each series.
    pub(super) groups: Vec<(&'a str, Vec<f64>)>,
}

impl BarChart<'_> {
    /// Returns the chart as SVG, with its value above each bar.
    pub(super) fn render(&self) -> String {
        let values: Vec<_> = self.groups.iter().flat_map(|(_, values)| values.iter().copied()).collect();
        let mut frame = Frame::begin(self.title, self.unit, largest(&values));
        frame.explain(&self.series);
        frame.name_all("workload");
        let group_width = (RIGHT - LEFT) / self.groups.len() as f64;
        let bar_width = group_width * BARS_SHARE / self.series.len() as f64;
        for (i, (name, values)) in self.groups.iter().enumerate() {
            let middle = LEFT + group_width * (i as f64 + 0.5);
            frame.name(middle, name);
            let mut x = middle - group_width * BARS_SHARE / 2.0;
            for (&value, (_, colour)) in values.iter().zip(&self.series) {
                let top = frame.height_of(value);
                frame.svg.rect((x, top), (bar_width - 2.0, frame.height_of(0.0) - top), colour);
                frame.value((x + bar_width / 2.0 - 1.0, top), &format!("{value:.2}"));
                x += bar_width;
            }
        }
        frame.svg.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: [f64; 2]) -> String {
        let chart = BarChart {
            title: "Speed",
            unit: "GB/s",
            series: vec![("a", "#111"), ("b", "#222")],
            groups: vec![("first", values.to_vec()), ("second", vec![0.5, 1.0])],
        };
        chart.render()
    }

    #[test]
    fn every_bar_is_as_high_as_its_value_and_says_it() {
        let text = chart([0.25, 0.75]);
        for value in ["0.25", "0.75", "0.50", "1.00"] {
            assert!(text.contains(&format!(">{value}</text>")), "{value}: {text}");
        }
        let heights: Vec<f64> = text
            .lines()
            .filter(|line| line.starts_with("<rect") && line.contains("fill=\"#1"))
            .map(|line| line.split_once("height=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap())
            .collect();
        // Of the colour in the legend first.
        assert_eq!(heights.len(), 3, "{text}");
        assert!((heights[2] / heights[1] - 2.0).abs() < 0.01, "0.5 is twice 0.25: {heights:?}");
    }

    #[test]
    fn another_value_makes_another_drawing_and_the_same_the_same() {
        assert_eq!(chart([0.25, 0.75]), chart([0.25, 0.75]));
        assert_ne!(chart([0.25, 0.75]), chart([0.25, 0.7]));
    }
}
