//! Draws what has been seen on a terminal of any size.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Drawn, Text};
use ratatui::widgets::{Block, Clear, Paragraph, Sparkline};

use super::amount;
use super::text::{self, Line, Tone};
use super::watch::Watch;

/// The fewest rows of a terminal that has room for the curve.
const ROWS_WITH_CURVE: u16 = 16;
/// The rows of the curve, its title included.
const CURVE_ROWS: u16 = 4;
/// The fewest columns of a terminal on which the keys are named in full.
const WIDE: u16 = 60;

const KEYS: &str = "\
up, down, k, j         another pipeline
page up, page down     its details up and down
?                      this text
q, Esc, Ctrl-C         ends

A second is that between two scrapes of /metrics.
Totals count since the process was started.
docs/metrics.md says what each number means.";

/// How things look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Palette {
    Coloured,
    /// Only with bold, dim and reversed text, where `NO_COLOR` asks for it.
    Plain,
}

/// Draws everything, as it is at `now`; what is scrolled too far is taken back.
pub(crate) fn draw(frame: &mut Frame<'_>, watch: &mut Watch, palette: Palette, now: Instant) {
    let area = frame.area();
    let notice = watch.notice(now);
    let n_table = watch.view.pipelines.len() as u16 + 1;
    let curve = if area.height >= ROWS_WITH_CURVE && watch.has_seen() { CURVE_ROWS } else { 0 };
    let [head, notices, table, curve, details, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(notice.is_some())),
        Constraint::Length(n_table.min(area.height / 3).max(2)),
        Constraint::Length(curve),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);

    let about = if watch.has_seen() {
        text::process(&watch.view, &watch.endpoint)
    } else {
        Line::heading(format!("logweir at {}", watch.endpoint))
    };
    frame.render_widget(drawn(&about, palette), head);
    if let Some(notice) = notice {
        frame.render_widget(drawn(&Line::alarm(notice), palette), notices);
    }
    if watch.has_seen() {
        draw_table(frame, watch, palette, table);
        draw_curve(frame, watch, palette, curve);
        draw_details(frame, watch, palette, details);
    }
    let keys = if area.width < WIDE {
        "q quits  ? help"
    } else {
        "q quits   ? help   up/down another pipeline   page up/down scrolls"
    };
    frame.render_widget(Drawn::styled(keys, Style::new().add_modifier(Modifier::DIM)), foot);
    if watch.shows_help {
        draw_help(frame, area);
    }
}

/// Draws the table, scrolled so that the pipeline that is looked at is in sight.
fn draw_table(frame: &mut Frame<'_>, watch: &Watch, palette: Palette, area: Rect) {
    let lines = text::table(&watch.view.pipelines, usize::from(area.width));
    let n_rows = usize::from(area.height).saturating_sub(1);
    let first = (watch.selected + 1).saturating_sub(n_rows);
    let is_stale = watch.lost.is_some();
    let row = |(index, line): (usize, &Line)| {
        let row = stale(drawn(line, palette), is_stale);
        if index == watch.selected {
            row.patch_style(Style::new().add_modifier(Modifier::REVERSED))
        } else {
            row
        }
    };
    let head = lines.first().map(|line| drawn(line, palette));
    let rows = lines.iter().skip(1).enumerate().skip(first).take(n_rows).map(row);
    frame.render_widget(head.into_iter().chain(rows).collect::<Text<'_>>(), area);
}

fn draw_curve(frame: &mut Frame<'_>, watch: &Watch, palette: Palette, area: Rect) {
    if area.height == 0 {
        return;
    }
    let rates = watch.rates(usize::from(area.width));
    let most = rates.iter().copied().max().unwrap_or_default();
    let [title, curve] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let text = format!("events read a second, at most {}", amount::rate(most as f64));
    frame.render_widget(drawn(&Line::heading(text), palette), title);
    let colour = if palette == Palette::Coloured { Style::new().fg(Color::Cyan) } else { Style::new() };
    frame.render_widget(Sparkline::default().data(rates).style(colour), curve);
}

fn draw_details(frame: &mut Frame<'_>, watch: &mut Watch, palette: Palette, area: Rect) {
    let Some(pipeline) = watch.view.pipelines.get(watch.selected) else {
        frame.render_widget(Drawn::raw("no pipeline has begun yet"), area);
        return;
    };
    let lines = text::details(pipeline);
    let n_rows = usize::from(area.height);
    watch.scrolled = watch.scrolled.min(lines.len().saturating_sub(n_rows));
    let is_stale = watch.lost.is_some();
    let shown = lines.iter().skip(watch.scrolled).take(n_rows);
    frame.render_widget(shown.map(|line| stale(drawn(line, palette), is_stale)).collect::<Text<'_>>(), area);
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let width = KEYS.lines().map(str::len).max().unwrap_or_default() as u16 + 4;
    let height = KEYS.lines().count() as u16 + 2;
    let [across] =
        Layout::horizontal([Constraint::Max(width)]).flex(ratatui::layout::Flex::Center).areas(area);
    let [place] =
        Layout::vertical([Constraint::Max(height)]).flex(ratatui::layout::Flex::Center).areas(across);
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(KEYS).block(Block::bordered().title(" keys ")), place);
}

fn drawn(line: &Line, palette: Palette) -> Drawn<'static> {
    let style = match (line.tone, palette) {
        (Tone::Plain, _) => Style::new(),
        (Tone::Heading, _) | (Tone::Alarm, Palette::Plain) => Style::new().add_modifier(Modifier::BOLD),
        (Tone::Alarm, Palette::Coloured) => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
    };
    Drawn::styled(line.text.clone(), style)
}

/// Returns a line as it looks if it is not of now.
fn stale(line: Drawn<'static>, is_stale: bool) -> Drawn<'static> {
    if is_stale { line.patch_style(Style::new().add_modifier(Modifier::DIM)) } else { line }
}
