//! Cuts the texts of an event to a budget of characters.
//!
//! One budget an event is spent on all names of exceptions, then all their messages, then all messages of logs. The
//! first text that does not fit keeps what fits and ends in a marker; from then on the event is *cut*: what comes
//! after in the same list goes, and of a list reached later only a marker in its first text stays. (Cloudflare,
//! "Workers Logpush", section Limits; what it leaves open is settled in `docs/events.md`.)

mod explain;
mod list;
mod report;
mod script;

pub use explain::{Counted, Row, Spending, TextFate, TextRow, TruncateExplainer};
use logweir_event::{Batch, ColumnId, Edits, Span};
use logweir_json::{Projection, Unit, Value, count_text, elements, escape_into, make_edits, prefix_of_text};

use self::list::{Bill, List, Lists, Place, Spent};
use self::report::{Removed, Report};
use self::script::Scripts;
use crate::{Cuts, Stage, Tally};

const NAMES_MARKER: &[u8] = b"<<<Logpush: exception names truncated>>>";
const MESSAGES_MARKER: &[u8] = b"<<<Logpush: exception messages truncated>>>";
const LOGS_MARKER: &[u8] = b"<<<Logpush: messages truncated>>>";

/// The configuration of a `truncate` stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TruncateConfig {
    /// The budget of an event; 16,384 unless told.
    pub limit: u64,
    /// What the budget counts.
    pub unit: Unit,
    /// The most scripts by which cuts are counted; `None` to count only all together.
    pub max_scripts: Option<usize>,
    /// The top-level field of an event that tells what was cut of it; `None` where none does. It is neither `Exceptions`
    /// nor `Logs`.
    pub report: Option<String>,
}

impl TruncateConfig {
    /// Returns that of a stage that cuts, and does no more.
    pub const fn new(limit: u64, unit: Unit) -> Self {
        Self { limit, unit, max_scripts: None, report: None }
    }
}

/// The `truncate` stage.
pub struct Truncate {
    limit: u64,
    unit: Unit,
    exceptions: ColumnId,
    logs: ColumnId,
    scripts: Option<Scripts>,
    report: Option<Report>,
    /// What is to change in the event at hand.
    edits: Edits,
    /// Its line after the change.
    line: Vec<u8>,
}

impl Truncate {
    /// Returns the stage, having asked `projection` for the fields it needs.
    pub fn new(config: &TruncateConfig, projection: &mut Projection) -> Self {
        let &TruncateConfig { limit, unit, .. } = config;
        let report = config.report.as_ref();
        Self {
            limit,
            unit,
            exceptions: projection.ask_top_level("Exceptions"),
            logs: projection.ask_top_level("Logs"),
            scripts: config.max_scripts.map(|max_scripts| Scripts::new(max_scripts, projection)),
            report: report.map(|name| Report::new(name, limit, unit, projection)),
            edits: Edits::default(),
            line: Vec::new(),
        }
    }

    /// Returns how many bytes the lists of an event take whose texts count.
    fn lists_bytes(&self, batch: &Batch, event: usize) -> u64 {
        let bytes = |column| batch.field_span(event, column).map_or(0, |span| span.len() as u64);
        bytes(self.exceptions) + bytes(self.logs)
    }

    /// Cuts one event if it is over the limit.
    fn truncate(&mut self, batch: &mut Batch, event: usize, tally: &mut Tally) {
        let place = |column| batch.field_span(event, column);
        let lists = Lists::new(batch, place(self.exceptions), place(self.logs), self.unit);
        let bill = lists.spend(self.limit);
        if !bill.is_over {
            return;
        }
        let totals = bill.totals();
        let dropping = if self.report.is_some() { Dropping::Counted } else { Dropping::Uncounted };
        let mut cut = Cut { unit: self.unit, dropping, edits: &mut self.edits, removed: Removed::default() };
        let [kept_names, kept_messages] = cut.cut_exceptions(&lists, &bill);
        let kept = [kept_names, kept_messages, cut.cut_logs(&lists.logs, &bill.logs)];
        let removed = Removed {
            characters: std::array::from_fn(|i| totals[i] - kept[i]),
            is_marked: [&bill.names, &bill.messages, &bill.logs].map(|spent| spent.place.is_some()),
            ..cut.removed
        };
        self.finish(batch, event, &removed, tally);
    }

    /// Counts what is removed of an event, and makes the edits in it.
    fn finish(&mut self, batch: &mut Batch, event: usize, removed: &Removed, tally: &mut Tally) {
        tally.truncated += 1;
        for (total, n) in tally.truncated_characters.iter_mut().zip(removed.characters) {
            *total += n;
        }
        if let Some(scripts) = &mut self.scripts {
            scripts.count(batch, event, &Cuts { events: 1, characters: removed.characters }, tally);
        }
        match &mut self.report {
            Some(report) => report.write(batch, event, removed, &mut self.edits, &mut self.line),
            None => make_edits(batch, event, &mut self.edits, &mut self.line),
        }
    }
}

impl Stage for Truncate {
    fn apply(&mut self, batch: &mut Batch, tally: &mut Tally) {
        for event in 0..batch.len() {
            // Each unit counted takes at least a byte, so a line no longer than the limit cannot be over it, nor can
            // an event whose lists are no longer.
            let is_long = batch.line(event).len() as u64 > self.limit && batch.selection().contains(event);
            if is_long && self.lists_bytes(batch, event) > self.limit {
                self.truncate(batch, event, tally);
            }
        }
    }
}

/// What fits of a value: of a string's text, of any other value the text it is written with.
struct Prefix {
    n_bytes: usize,
    n_units: u64,
    /// Whether that is all.
    is_whole: bool,
}

impl Prefix {
    /// Returns the longest of at most `n` units.
    fn of(raw: &[u8], n: u64, unit: Unit) -> Self {
        if let Value::String(text) = Value::of(raw) {
            let (n_bytes, n_units) = text.fit(n, unit);
            return Self { n_bytes, n_units, is_whole: n_bytes == text.raw().len() };
        }
        let n_bytes = prefix_of_text(raw, n, unit);
        Self { n_bytes, n_units: count_text(&raw[..n_bytes], unit), is_whole: n_bytes == raw.len() }
    }
}

/// The cutting of one event that is over the limit.
struct Cut<'a> {
    unit: Unit,
    dropping: Dropping,
    edits: &'a mut Edits,
    /// How many elements are dropped of each array; the rest is not known yet.
    removed: Removed,
}

/// Whether elements that are dropped are counted. They have to be walked for that, so it is done for reports only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dropping {
    Counted,
    Uncounted,
}

impl Cut<'_> {
    /// Cuts the exceptions; returns how much is kept of their names and of their messages.
    fn cut_exceptions(&mut self, lists: &Lists<'_>, bill: &Bill) -> [u64; 2] {
        let Lists { names, messages, .. } = lists;
        let Bill { names: of_names, messages: of_messages, .. } = bill;
        let name = of_names.place.as_ref();
        let Some(message) = of_messages.place.as_ref() else {
            let Some(name) = name else { return [of_names.kept, of_messages.kept] };
            self.removed.n_exceptions = self.drop_behind(names.bytes, names.at, name.entry.end);
            return [of_names.kept + self.cut_text(names, name, NAMES_MARKER), of_messages.kept];
        };
        // The exception whose message is cut is the last to stay; a name that is cut in a later one goes with it.
        let name = name.filter(|name| name.entry.start <= message.entry.start);
        self.removed.n_exceptions = self.drop_behind(messages.bytes, messages.at, message.entry.end);
        let kept_name = name.map_or(0, |name| self.cut_text(names, name, NAMES_MARKER));
        let kept_message = self.cut_text(messages, message, MESSAGES_MARKER);
        [names.count_through(message, name) + kept_name, of_messages.kept + kept_message]
    }

    /// Cuts the logs; returns how much is kept of their messages.
    fn cut_logs(&mut self, logs: &List<'_>, of_logs: &Spent) -> u64 {
        let Some(place) = &of_logs.place else { return of_logs.kept };
        self.removed.n_logs = self.drop_behind(logs.bytes, logs.at, place.entry.end);
        of_logs.kept + self.cut_log(logs, place)
    }

    /// Cuts the text at a place of a list; returns how much of it is kept.
    fn cut_text(&mut self, list: &List<'_>, place: &Place, marker: &[u8]) -> u64 {
        let value = place.value.clone();
        let raw = &list.bytes[value.clone()];
        let prefix = Prefix::of(raw, place.budget.unwrap_or(0), self.unit);
        self.cut_value(raw, list.at + value.start, &prefix, marker)
    }

    /// Keeps a prefix of the value `raw` at `at`; returns how many units that is.
    ///
    /// A string keeps the spelling of its first part; any other value becomes a string of the first part of the text
    /// it is written with.
    fn cut_value(&mut self, raw: &[u8], at: usize, prefix: &Prefix, marker: &[u8]) -> u64 {
        if let Value::String(_) = Value::of(raw) {
            let tail = Span::new(at + 1 + prefix.n_bytes, at + raw.len() - 1);
            self.edits.push(tail, |text| text.extend_from_slice(marker));
        } else {
            self.edits.push(Span::new(at, at + raw.len()), |text| {
                text.push(b'"');
                escape_into(&raw[..prefix.n_bytes], text);
                text.extend_from_slice(marker);
                text.push(b'"');
            });
        }
        prefix.n_units
    }

    /// Cuts the message of a log; returns how much of it is kept.
    fn cut_log(&mut self, logs: &List<'_>, place: &Place) -> u64 {
        let array = &logs.bytes[place.value.clone()];
        if !matches!(Value::of(array), Value::Array(_)) {
            return self.cut_text(logs, place, LOGS_MARKER);
        }
        let at = logs.at + place.value.start;
        let Some(budget) = place.budget else {
            // Reached after the cut, it may have no element to mark; else the first is the one.
            let first = elements(array).next();
            self.removed.n_message_elements = first.map_or(0, |first| self.count_behind(array, first.end));
            self.edits.push(Span::new(at, at + array.len()), |text| {
                text.extend_from_slice(b"[\"");
                text.extend_from_slice(LOGS_MARKER);
                text.extend_from_slice(b"\"]");
            });
            return 0;
        };
        let mut left = budget;
        for element in elements(array) {
            let raw = &array[element.clone()];
            let prefix = Prefix::of(raw, left, self.unit);
            if !prefix.is_whole {
                self.removed.n_message_elements = self.drop_behind(array, at, element.end);
                return budget - left + self.cut_value(raw, at + element.start, &prefix, LOGS_MARKER);
            }
            left -= prefix.n_units;
        }
        budget - left
    }

    /// Drops the elements of `array` behind the one that ends at `end`, from the comma on; the array starts at `at`.
    /// Returns how many, if they are counted.
    fn drop_behind(&mut self, array: &[u8], at: usize, end: usize) -> u64 {
        let inside = array[..array.len() - 1].trim_ascii_end();
        let comma = inside.get(end..).and_then(|rest| rest.iter().position(|&byte| byte == b','));
        if let Some(comma) = comma {
            self.edits.push(Span::new(at + end + comma, at + inside.len()), |_| {});
        }
        self.count_behind(array, end)
    }

    /// Returns how many elements `array` has behind the one that ends at `end`, if they are counted.
    fn count_behind(&self, array: &[u8], end: usize) -> u64 {
        match self.dropping {
            Dropping::Counted => elements(array).filter(|element| element.start >= end).count() as u64,
            Dropping::Uncounted => 0,
        }
    }
}
