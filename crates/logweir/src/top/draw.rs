//! Draws what has been seen on a terminal of any size.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Drawn, Text};
use ratatui::widgets::{Block, Clear, Paragraph, Sparkline, Wrap};

use super::amount;
use super::text::{self, Line, Tone};
use super::watch::Watch;

/// The fewest rows of a terminal that has room for the curve.
const ROWS_WITH_CURVE: u16 = 16;
/// The rows of the curve, its title included.
const CURVE_ROWS: u16 = 4;
/// The most rows of a notice.
const NOTICE_ROWS: u16 = 4;
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
        Constraint::Length(notice.as_deref().map_or(0, |notice| n_rows(notice, area.width))),
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
        let notice = Paragraph::new(drawn(&Line::alarm(notice), palette)).wrap(Wrap { trim: true });
        frame.render_widget(notice, notices);
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

/// Returns how many rows a notice takes on a terminal so wide, at most [`NOTICE_ROWS`]: one more than its characters need,
/// since it is broken between words.
fn n_rows(notice: &str, width: u16) -> u16 {
    let n_full = notice.chars().count() / usize::from(width.max(1));
    if n_full == 0 { 1 } else { NOTICE_ROWS.min(n_full as u16 + 2) }
}

/// Draws the table, scrolled so that the pipeline that is looked at is in sight.
fn draw_table(frame: &mut Frame<'_>, watch: &Watch, palette: Palette, area: Rect) {
    let lines = text::table(&watch.view.pipelines, Some(usize::from(area.width)));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::top::exposition::Scrape;
    use crate::top::watch::Wish;

    /// What a process with an output that is held up shows, `n` seconds after its start.
    fn scrape(n: u64) -> Scrape {
        let text = format!(
            r#"logweir_build_info{{version="1.2.3"}} 1
logweir_config_reloads_total{{outcome="applied"}} 2
logweir_config_reloads_total{{outcome="refused"}} 0
logweir_config_reload_success 1
logweir_events_read_total{{pipeline="auth"}} 7
logweir_events_written_total{{pipeline="auth"}} 7
logweir_events_in_flight{{pipeline="auth"}} 0
logweir_pipeline_running{{pipeline="auth"}} 1
logweir_events_read_total{{pipeline="shop"}} {read}
logweir_bytes_read_total{{pipeline="shop"}} {bytes}
logweir_pipeline_running{{pipeline="shop"}} 1
logweir_events_dropped_total{{pipeline="shop",reason="filtered"}} {filtered}
logweir_events_dropped_total{{pipeline="shop",reason="sampled_out"}} 0
logweir_events_dropped_total{{pipeline="shop",reason="not_json"}} 3
logweir_events_truncated_total{{pipeline="shop"}} 12
logweir_events_written_total{{pipeline="shop",output="archive"}} {read}
logweir_bytes_written_total{{pipeline="shop",output="archive"}} {bytes}
logweir_events_in_flight{{pipeline="shop",output="archive"}} 1234
logweir_events_dropped_total{{pipeline="shop",output="archive",reason="failed"}} 5
logweir_source_lag_bytes{{pipeline="shop"}} 12345678
logweir_source_lag_seconds{{pipeline="shop"}} 3.25
logweir_held_bytes{{pipeline="shop"}} 1048576
logweir_channel_depth_batches{{pipeline="shop",channel="chunks"}} 0
logweir_channel_wait_microseconds_total{{pipeline="shop",channel="chunks"}} 0
logweir_channel_depth_batches{{pipeline="shop",channel="payloads",output="archive"}} 4
logweir_channel_wait_microseconds_total{{pipeline="shop",channel="payloads",output="archive"}} {wait}
logweir_component_waiting{{pipeline="shop",component="outputs.archive.sink.s3"}} 1
logweir_component_errors_total{{pipeline="shop",component="outputs.archive.sink.s3",kind="write"}} {n}
logweir_spool_batches{{pipeline="shop",output="archive"}} 9
logweir_spool_bytes{{pipeline="shop",output="archive"}} 5000000
logweir_uploads_total{{pipeline="shop",output="archive",outcome="ok",status="200"}} 40
logweir_uploads_total{{pipeline="shop",output="archive",outcome="retry",status="503"}} 8
logweir_upload_circuit_open{{pipeline="shop",output="archive"}} 1
logweir_dead_letter_lines_total{{pipeline="shop"}} 3
logweir_dead_letter_bytes_total{{pipeline="shop"}} 99
logweir_dead_letter_holding{{pipeline="shop"}} 0
logweir_followed_files{{pipeline="shop"}} 3
logweir_followed_files_open{{pipeline="shop"}} 2
logweir_files_lost_total{{pipeline="shop"}} 0
"#,
            read = 20_000 * n * n,
            bytes = 5_000_000 * n,
            filtered = 100 * n,
            wait = 850_000 * n,
        );
        Scrape::parse(&text).expect("it is in the format")
    }

    fn watched(n_scrapes: u64) -> (Watch, Instant) {
        let (mut watch, start) = (Watch::new("127.0.0.1:9598".to_owned()), Instant::now());
        for n in 1..=n_scrapes {
            watch.scraped(scrape(n), start + Duration::from_secs(n), 0.0);
        }
        (watch, start + Duration::from_secs(n_scrapes))
    }

    /// Draws on a terminal of this size and returns what can be read there.
    fn drawn_at(width: u16, height: u16, watch: &mut Watch, now: Instant) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal of memory");
        terminal.draw(|frame| draw(frame, watch, Palette::Coloured, now)).expect("memory takes everything");
        // One without columns has nothing to read.
        if width == 0 { String::new() } else { terminal.backend().to_string() }
    }

    #[test]
    fn a_usual_terminal_shows_the_table_the_curve_and_the_details() {
        let (mut watch, now) = watched(9);
        watch.wish(Wish::Next);
        insta::assert_snapshot!(drawn_at(80, 24, &mut watch, now));
        for _ in 0..100 {
            watch.wish(Wish::ScrollDown);
        }
        insta::assert_snapshot!("scrolled_to_the_end", drawn_at(80, 24, &mut watch, now));
    }

    #[test]
    fn a_tall_terminal_shows_everything_about_a_pipeline() {
        let (mut watch, now) = watched(9);
        watch.wish(Wish::Next);
        insta::assert_snapshot!(drawn_at(120, 50, &mut watch, now));
    }

    #[test]
    fn a_small_terminal_shows_what_matters_most() {
        let (mut watch, now) = watched(3);
        insta::assert_snapshot!(drawn_at(40, 10, &mut watch, now));
    }

    #[test]
    fn the_keys_are_explained() {
        let (mut watch, now) = watched(3);
        watch.wish(Wish::Help);
        insta::assert_snapshot!(drawn_at(80, 24, &mut watch, now));
    }

    #[test]
    fn what_is_old_is_said_to_be() {
        let (mut watch, now) = watched(3);
        watch.failed("nothing listens there".to_owned(), now);
        let shown = drawn_at(120, 24, &mut watch, now + Duration::from_secs(12));
        assert!(shown.contains("lost connection 12 s ago, trying again"), "{shown}");
        assert!(shown.contains("auth"), "{shown}");
    }

    #[test]
    fn any_size_can_be_drawn_on_whatever_was_seen() {
        for (width, height) in (0..30).flat_map(|width| (0..30).map(move |height| (width * 4, height))) {
            let (mut none, start) = watched(0);
            none.failed("nobody".to_owned(), start);
            let (mut some, now) = watched(2);
            some.wish(Wish::Next);
            some.wish(Wish::Help);
            for watch in [&mut none, &mut some] {
                drawn_at(width, height, watch, now);
            }
        }
    }

    #[test]
    fn without_colours_nothing_is_coloured() {
        let (mut watch, now) = watched(3);
        watch.wish(Wish::Next);
        for (palette, is_coloured) in [(Palette::Plain, false), (Palette::Coloured, true)] {
            let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("a terminal of memory");
            terminal.draw(|frame| draw(frame, &mut watch, palette, now)).expect("memory takes everything");
            let cells = &terminal.backend().buffer().content;
            assert_eq!(
                cells.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset),
                is_coloured
            );
        }
    }
}
