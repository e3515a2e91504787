//! What is seen, as lines of text: for the screen and for whoever pastes it into a ticket.

mod details;

use std::fmt::Write as _;

pub(crate) use self::details::details;
use super::amount;
use super::view::{Count, PipelineView, View};
use crate::shown::{shortened, shown};

/// A line and what it is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// What a line is, which is how it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    /// What it is about.
    Heading,
    /// A value.
    Plain,
    /// Something is wrong.
    Alarm,
}

/// The fewest columns of a name in the table.
const MIN_NAME: usize = 8;
/// The most.
const MAX_NAME: usize = 40;

/// A column: its title, its width, and what it shows of a pipeline.
type Column = (&'static str, usize, fn(&PipelineView) -> String);

/// The columns of the table behind the name, the most important first: those that do not fit are left out.
const COLUMNS: [Column; 7] = [
    ("read/s", 10, |pipeline| per_second(pipeline.events_read)),
    ("written/s", 10, |pipeline| per_second(pipeline.events_written())),
    ("dropped/s", 10, |pipeline| per_second(pipeline.all_dropped())),
    ("lag", 11, |pipeline| pipeline.lag_bytes.map_or_else(|| "-".to_owned(), amount::bytes)),
    ("state", 9, |pipeline| state(pipeline).to_owned()),
    ("in flight", 10, |pipeline| amount::rate(pipeline.in_flight())),
    ("read B/s", 12, |pipeline| pipeline.bytes_read.per_second.map_or_else(|| "-".to_owned(), amount::bytes)),
];

impl Line {
    pub(super) fn heading(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Heading }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    pub(super) fn alarm(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Alarm }
    }
}

/// Returns a line about the process.
pub(crate) fn process(view: &View, endpoint: &str) -> Line {
    // Who answers may be somebody else.
    let mut text = format!("logweir {} at {endpoint}", shown(&view.version));
    if let Some(uptime) = view.uptime {
        let _ = write!(text, ", up {}", amount::time(uptime));
    }
    if let Some(resident) = view.resident {
        let _ = write!(text, ", memory {}", amount::bytes(resident));
    }
    let [applied, refused] = view.reloads;
    if applied + refused > 0.0 {
        let _ = write!(text, ", {applied} reloads and {refused} refused");
    }
    if view.is_reload_refused {
        text.push_str("; THE LAST RELOAD WAS REFUSED: /readyz says why");
        return Line::alarm(text);
    }
    Line::heading(text)
}

/// Returns the table of pipelines, its head first, in at most `width` columns; `None`, with all there is.
pub(crate) fn table(pipelines: &[PipelineView], width: Option<usize>) -> Vec<Line> {
    let longest = pipelines.iter().map(|pipeline| pipeline.name.chars().count()).max().unwrap_or_default();
    let name_width = longest.clamp(MIN_NAME, if width.is_some() { MAX_NAME } else { usize::MAX });
    let mut left = width.unwrap_or(usize::MAX).saturating_sub(name_width);
    let columns: Vec<_> = COLUMNS
        .iter()
        .take_while(|(_, width, _)| {
            let fits = left >= *width;
            left = left.saturating_sub(*width);
            fits
        })
        .collect();
    let mut head = format!("{:name_width$}", "pipeline");
    for (name, width, _) in &columns {
        let _ = write!(head, "{name:>width$}");
    }
    let row = |pipeline: &PipelineView| {
        let mut text = format!("{:name_width$}", shortened(&pipeline.name, name_width));
        for (_, width, value) in &columns {
            let _ = write!(text, "{:>width$}", value(pipeline));
        }
        if pipeline.is_in_trouble() { Line::alarm(text) } else { Line::plain(text) }
    };
    [Line::heading(head)].into_iter().chain(pipelines.iter().map(row)).collect()
}

/// Returns a rate, or a dash before there is one.
fn per_second(count: Count) -> String {
    count.per_second.map_or_else(|| "-".to_owned(), amount::rate)
}

/// Returns how a pipeline is, in one word.
fn state(pipeline: &PipelineView) -> &'static str {
    if pipeline.is_in_trouble() {
        return "HELD UP";
    }
    match (pipeline.is_running, pipeline.is_done) {
        (true, _) => "running",
        (false, true) => "done",
        (false, false) => "stopped",
    }
}
