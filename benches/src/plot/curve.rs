//! One value over sizes that differ by powers of ten.

use super::frame::{Frame, LEFT, RIGHT};
use super::svg::Anchor;
use crate::figure::{largest, smallest};

/// How far from the sides the first and the last point lie.
const MARGIN: f64 = 60.0;

/// A chart of points that are joined by lines, whose horizontal axis is logarithmic.
pub(super) struct Curve<'a> {
    pub(super) title: &'a str,
    /// What the vertical axis is counted in.
    pub(super) unit: &'a str,
    /// What the horizontal axis is counted in.
    pub(super) x_unit: &'a str,
    pub(super) colour: &'a str,
    /// Sizes, above zero, with their values.
    pub(super) points: Vec<(f64, f64)>,
    /// What no value may exceed.
    pub(super) limit: Option<f64>,
}

impl Curve<'_> {
    /// Returns the chart as SVG, with the value above each point.
    pub(super) fn render(&self) -> String {
        let values: Vec<_> = self.points.iter().map(|&(_, value)| value).chain(self.limit).collect();
        let mut frame = Frame::begin(self.title, self.unit, largest(&values));
        frame.name_all(self.x_unit);
        if let Some(limit) = self.limit {
            let y = frame.height_of(limit);
            frame.svg.line("limit", (LEFT, y), (RIGHT, y));
            frame.svg.text("value", (RIGHT, y + 13.0), Anchor::End, &format!("no more than {limit}"));
        }
        let places: Vec<_> =
            self.points.iter().map(|&(size, value)| (self.place_of(size), frame.height_of(value))).collect();
        frame.svg.path(&places, self.colour);
        for (&place, &(size, value)) in places.iter().zip(&self.points) {
            frame.svg.dot(place, self.colour);
            frame.value((place.0, place.1 - 4.0), &format!("{value:.1}"));
            frame.name(place.0, &shown(size));
        }
        frame.svg.finish()
    }

    /// Returns how far from the left edge a size lies.
    fn place_of(&self, size: f64) -> f64 {
        let sizes: Vec<_> = self.points.iter().map(|&(size, _)| size.log10()).collect();
        let (first, last) = (smallest(&sizes), largest(&sizes));
        let share = if last > first { (size.log10() - first) / (last - first) } else { 0.5 };
        LEFT + MARGIN + share * (RIGHT - LEFT - 2.0 * MARGIN)
    }
}

/// Returns a size with two digits at least, and no zeros that say nothing.
fn shown(size: f64) -> String {
    let text = format!("{size:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Curve<'static> {
        let points = points.to_vec();
        Curve { title: "Memory", unit: "MiB", x_unit: "GB", colour: "#111", points, limit: Some(48.0) }
    }

    #[test]
    fn a_power_of_ten_is_as_wide_as_the_next() {
        let curve = curve(&[(0.1, 20.0), (1.0, 20.5), (10.0, 21.0)]);
        let places = [0.1, 1.0, 10.0].map(|size| curve.place_of(size));
        assert!((places[1] - places[0] - (places[2] - places[1])).abs() < 1e-6, "{places:?}");
        let text = curve.render();
        for shown in
            [">20.0<", ">20.5<", ">21.0<", ">0.1<", ">1<", ">10<", ">no more than 48<", ">MiB<", ">GB<"]
        {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }

    #[test]
    fn a_single_point_lies_in_the_middle() {
        assert!(curve(&[(1.0, 20.0)]).render().contains(r#"<circle cx="422.0""#));
    }
}
