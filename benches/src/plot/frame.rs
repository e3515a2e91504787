//! What is around every chart: the title, the vertical axis with its lines, and what the colours mean.

use super::axis::Axis;
use super::svg::{Anchor, Place, Svg};

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 420.0;
/// Where the chart itself lies.
pub(super) const LEFT: f64 = 64.0;
pub(super) const RIGHT: f64 = WIDTH - 20.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = HEIGHT - 52.0;
/// How far from the upper edge what the colours mean is written.
const LEGEND: f64 = 54.0;
/// Of a letter, about, in the mean.
const LETTER_WIDTH: f64 = 7.0;

/// A drawing that has its frame, and what is needed to draw into it.
pub(super) struct Frame {
    pub(super) svg: Svg,
    axis: Axis,
}

impl Frame {
    /// Begins a drawing whose vertical axis has this unit and reaches up to the largest value.
    pub(super) fn begin(title: &str, unit: &str, largest: f64) -> Self {
        let mut frame = Self { svg: Svg::begin(title, (WIDTH, HEIGHT)), axis: Axis::up_to(largest) };
        frame.svg.text("title", (LEFT, 28.0), Anchor::Start, title);
        frame.svg.text_upwards((18.0, f64::midpoint(TOP, BOTTOM)), unit);
        let ticks: Vec<_> = frame.axis.ticks().collect();
        for (value, shown) in ticks {
            let y = frame.height_of(value);
            frame.svg.line(if value > 0.0 { "grid" } else { "axis" }, (LEFT, y), (RIGHT, y));
            frame.svg.text("tick", (LEFT - 8.0, y + 4.0), Anchor::End, &shown);
        }
        frame
    }

    /// Says what the colours mean.
    pub(super) fn explain(&mut self, series: &[(&str, &str)]) {
        let mut x = LEFT;
        for (name, colour) in series {
            self.svg.rect((x, LEGEND - 10.0), (12.0, 12.0), colour);
            self.svg.text("tick", (x + 18.0, LEGEND), Anchor::Start, name);
            x += 48.0 + LETTER_WIDTH * name.chars().count() as f64;
        }
    }

    /// Names a place of the horizontal axis.
    pub(super) fn name(&mut self, x: f64, name: &str) {
        self.svg.text("tick", (x, BOTTOM + 20.0), Anchor::Middle, name);
    }

    /// Says what all places of the horizontal axis are.
    pub(super) fn name_all(&mut self, unit: &str) {
        self.svg.text("tick", (f64::midpoint(LEFT, RIGHT), BOTTOM + 42.0), Anchor::Middle, unit);
    }

    /// Writes a value above its place.
    pub(super) fn value(&mut self, (x, y): Place, value: &str) {
        self.svg.text("value", (x, y - 4.0), Anchor::Middle, value);
    }

    /// Returns how far from the upper edge a value lies.
    pub(super) fn height_of(&self, value: f64) -> f64 {
        BOTTOM - self.axis.share(value) * (BOTTOM - TOP)
    }
}
