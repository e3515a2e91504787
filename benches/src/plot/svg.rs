//! The few elements of SVG that a chart takes.

use std::fmt::{self, Display, Write as _};

/// A drawing of a fixed size on a ground of its own, so that it can be read in light and in dark surroundings.
pub(super) struct Svg {
    text: String,
}

/// Which part of a text lies at its place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A place in pixels from the left and from the top.
pub(super) type Place = (f64, f64);

impl Svg {
    /// Begins a drawing of this size, with its title for those who do not see it.
    pub(super) fn begin(title: &str, (width, height): (f64, f64)) -> Self {
        let mut svg = Self { text: String::new() };
        svg.push(format_args!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
        ));
        svg.push(format_args!("<title>{}</title>", Escaped(title)));
        svg.push(format_args!(
            "<style>text{{font:12px sans-serif;fill:#222}}.title{{font-size:16px;font-weight:bold}}\
             .value{{font-size:11px}}line{{stroke:#ddd}}.axis{{stroke:#222}}.limit{{stroke:#b00;stroke-dasharray:6 4}}</style>"
        ));
        svg.rect((0.0, 0.0), (width, height), "#fff");
        svg
    }

    /// Adds a rectangle; `place` is its upper left corner.
    pub(super) fn rect(&mut self, (x, y): Place, (width, height): (f64, f64), colour: &str) {
        self.push(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"/>"#
        ));
    }

    /// Adds a line of a class of the style.
    pub(super) fn line(&mut self, class: &str, (x1, y1): Place, (x2, y2): Place) {
        self.push(format_args!(
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        ));
    }

    /// Adds lines from each place to the next.
    pub(super) fn path(&mut self, places: &[Place], colour: &str) {
        let places: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.push(format_args!(
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
            places.join(" ")
        ));
    }

    /// Adds a dot.
    pub(super) fn dot(&mut self, (x, y): Place, colour: &str) {
        self.push(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="{colour}"/>"#));
    }

    /// Adds a text of a class of the style.
    pub(super) fn text(&mut self, class: &str, (x, y): Place, anchor: Anchor, text: &str) {
        let text = Escaped(text);
        self.push(format_args!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
        ));
    }

    /// Adds a text that runs upwards, its middle at its place.
    pub(super) fn text_upwards(&mut self, (x, y): Place, text: &str) {
        let text = Escaped(text);
        self.push(format_args!(
            r#"<text transform="translate({x:.1} {y:.1}) rotate(-90)" text-anchor="middle">{text}</text>"#
        ));
    }

    /// Returns the drawing as the text of a file.
    pub(super) fn finish(mut self) -> String {
        self.push(format_args!("</svg>"));
        self.text
    }

    fn push(&mut self, element: fmt::Arguments<'_>) {
        writeln!(self.text, "{element}").expect("a string takes everything");
    }
}

impl Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        })
    }
}

/// A text in which nothing is taken for markup.
struct Escaped<'t>(&'t str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_not_taken_for_markup() {
        let mut svg = Svg::begin("a < b", (10.0, 10.0));
        svg.text("value", (1.0, 2.25), Anchor::End, "x & <y>");
        let text = svg.finish();
        assert!(text.contains("<title>a &lt; b</title>"), "{text}");
        assert!(text.contains(r#" x="1.0" y="2.2" text-anchor="end">x &amp; &lt;y&gt;</text>"#), "{text}");
    }
}
