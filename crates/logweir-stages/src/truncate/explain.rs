//! Where the budget of an event went, text by text.

use std::collections::VecDeque;

use logweir_event::{Batch, ColumnId};
use logweir_json::{Projection, Unit, Value, count_text, elements};

use super::list::{List, Lists, Place, Spent, Text};
use super::{Prefix, TruncateConfig};
use crate::Excerpt;

/// Texts shown of the beginning of a run that all fared the same.
const RUN_HEAD: u64 = 4;

/// Texts shown of its end.
const RUN_TAIL: usize = 2;

/// Where the budget of an event went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spending {
    /// What may be spent.
    pub limit: u64,
    /// What is counted.
    pub unit: Unit,
    /// What came of counting.
    pub counted: Counted,
    /// The top-level field into which is written what was cut; `None` if nothing was, or the stage writes no report.
    pub report: Option<String>,
}

/// What came of counting the texts of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Counted {
    /// Nothing was counted: what would be is no longer than this many bytes, which cannot be over the limit.
    Short {
        /// Bytes of the lists with the texts, all that stands around them included; or of the whole event, if already
        /// that is not over the limit.
        n_bytes: u64,
    },
    /// The texts, in the order in which they are paid for: names of exceptions, messages of exceptions, messages of
    /// logs.
    Texts {
        /// What became of each, much shortened where many fared the same.
        rows: Vec<Row>,
        /// How much the texts count: of exception names, exception messages and log messages.
        total: [u64; 3],
        /// How much of that is kept.
        kept: [u64; 3],
    },
}

impl Counted {
    /// Returns whether the texts count more than a limit, so that something is cut.
    pub fn is_over(&self, limit: u64) -> bool {
        matches!(self, Self::Texts { total, .. } if total.iter().sum::<u64>() > limit)
    }
}

/// One text, or several that fared like those before and behind them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// One text.
    Text(TextRow),
    /// Texts that are not shown.
    More {
        /// How many.
        n_texts: u64,
        /// How much they count.
        units: u64,
        /// What became of them.
        fate: TextFate,
    },
}

/// What became of one text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextRow {
    /// Where it stands: `Logs[3].Message[1]`.
    pub path: String,
    /// What it is, as it is written in the event.
    pub text: Excerpt,
    /// How much it counts.
    pub units: u64,
    /// How much of the budget is spent after it.
    pub spent: u64,
    /// What became of it.
    pub fate: TextFate,
}

/// What becomes of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextFate {
    /// It stays as it is.
    Whole,
    /// This many units of its beginning stay, and a marker.
    Cut(u64),
    /// It was reached after the cut: only a marker stays in its place.
    Marker,
    /// It goes, with the element that it stands in.
    Dropped,
}

/// Says where the budget of an event goes.
#[derive(Debug)]
pub struct TruncateExplainer {
    limit: u64,
    unit: Unit,
    exceptions: ColumnId,
    logs: ColumnId,
    report: Option<String>,
}

impl TruncateExplainer {
    /// Returns an explainer of the stage, having asked `projection` for the fields it needs.
    pub fn new(config: &TruncateConfig, projection: &mut Projection) -> Self {
        Self {
            limit: config.limit,
            unit: config.unit,
            exceptions: projection.ask_top_level("Exceptions"),
            logs: projection.ask_top_level("Logs"),
            report: config.report.clone(),
        }
    }

    /// Returns where the budget of an event goes. Takes little memory, however many texts there are.
    pub fn explain(&self, batch: &Batch, event: usize) -> Spending {
        let bytes = |column| batch.field_span(event, column).map_or(0, |span| span.len() as u64);
        let line_bytes = batch.line(event).len() as u64;
        let lists_bytes = bytes(self.exceptions) + bytes(self.logs);
        let counted = if line_bytes <= self.limit {
            Counted::Short { n_bytes: line_bytes }
        } else if lists_bytes <= self.limit {
            Counted::Short { n_bytes: lists_bytes }
        } else {
            self.count(batch, event)
        };
        let report = self.report.clone().filter(|_| counted.is_over(self.limit));
        Spending { limit: self.limit, unit: self.unit, counted, report }
    }

    fn count(&self, batch: &Batch, event: usize) -> Counted {
        let place = |column| batch.field_span(event, column);
        let lists = Lists::new(batch, place(self.exceptions), place(self.logs), self.unit);
        let bill = lists.spend(self.limit);

        let last_exception = bill.messages.place.as_ref().or(bill.names.place.as_ref());
        let mut book = Book::new(self.unit);
        let kept = [
            book.add_list("Exceptions", "Name", &lists.names, &bill.names, last_exception),
            book.add_list("Exceptions", "Message", &lists.messages, &bill.messages, last_exception),
            book.add_list("Logs", "Message", &lists.logs, &bill.logs, bill.logs.place.as_ref()),
        ];
        let total = bill.totals();
        Counted::Texts { rows: book.finish(), total, kept }
    }
}

/// The rows while they are collected.
struct Book {
    unit: Unit,
    /// How much of the budget is spent so far.
    spent: u64,
    rows: Vec<Row>,
    run: Run,
}

/// Texts one after the other that all fared the same.
struct Run {
    fate: TextFate,
    n_texts: u64,
    /// The last ones, of those that are not shown as its beginning.
    last: VecDeque<TextRow>,
    /// Those between its beginning and the last ones.
    n_more: u64,
    /// How much these count.
    more_units: u64,
}

impl Run {
    fn new(fate: TextFate) -> Self {
        Self { fate, n_texts: 0, last: VecDeque::new(), n_more: 0, more_units: 0 }
    }
}

impl Book {
    fn new(unit: Unit) -> Self {
        Self { unit, spent: 0, rows: Vec::new(), run: Run::new(TextFate::Whole) }
    }

    /// Adds the texts of a list, of which those behind the entry `last_to_stay` go; returns how much is kept of them.
    fn add_list(
        &mut self,
        name: &str,
        field: &str,
        list: &List<'_>,
        spent: &Spent,
        last_to_stay: Option<&Place>,
    ) -> u64 {
        self.end_run(TextFate::Whole);
        let mut kept = 0;
        // What comes before the cut is paid for, even if it goes in the end with the exception that it belongs to.
        let mut is_paid = true;
        for text in list.texts() {
            let raw = &list.bytes[text.value.clone()];
            let path = format!("{name}[{}].{field}", text.index);
            let is_gone = last_to_stay.is_some_and(|last| text.entry.start > last.entry.start);
            let place = spent.place.as_ref().filter(|place| place.entry == text.entry);
            is_paid &= place.is_none();
            kept += match place {
                Some(Place { budget: Some(budget), .. }) => self.add_cut(&path, raw, &text, *budget, is_gone),
                Some(_) => self.add(path, raw, text.count, 0, TextFate::Marker),
                None => self.add_value(&path, raw, &text, is_paid, is_gone),
            };
        }
        kept
    }

    /// Adds a value that stays whole, or goes; returns how much of it is kept.
    fn add_value(&mut self, path: &str, raw: &[u8], text: &Text, is_paid: bool, is_gone: bool) -> u64 {
        let fate = if is_gone { TextFate::Dropped } else { TextFate::Whole };
        let paid = |units| if is_paid { units } else { 0 };
        if !matches!(Value::of(raw), Value::Array(_)) {
            return self.add(path.to_owned(), raw, text.count, paid(text.count), fate);
        }
        let mut kept = 0;
        for (i, element) in elements(raw).enumerate() {
            let element = &raw[element];
            let units = self.units(element);
            kept += self.add(format!("{path}[{i}]"), element, units, paid(units), fate);
        }
        kept
    }

    /// Adds the value that does not fit, of which at most `budget` units stay; returns how many do.
    fn add_cut(&mut self, path: &str, raw: &[u8], text: &Text, budget: u64, is_gone: bool) -> u64 {
        if !matches!(Value::of(raw), Value::Array(_)) {
            let prefix = Prefix::of(raw, budget, self.unit).n_units;
            let fate = if is_gone { TextFate::Dropped } else { TextFate::Cut(prefix) };
            return self.add(path.to_owned(), raw, text.count, prefix, fate);
        }
        let mut left = budget;
        let mut is_cut = false;
        for (i, element) in elements(raw).enumerate() {
            let element = &raw[element];
            let units = self.units(element);
            let (paid, fate) = if is_cut {
                (0, TextFate::Dropped)
            } else if units <= left {
                (units, TextFate::Whole)
            } else {
                is_cut = true;
                let prefix = Prefix::of(element, left, self.unit).n_units;
                (prefix, TextFate::Cut(prefix))
            };
            left -= paid;
            self.add(format!("{path}[{i}]"), element, units, paid, fate);
        }
        budget - left
    }

    /// Adds a text for which so many units are paid; returns how many of it are kept.
    fn add(&mut self, path: String, raw: &[u8], units: u64, paid: u64, fate: TextFate) -> u64 {
        self.spent += paid;
        if self.run.fate != fate {
            self.end_run(fate);
        }
        let row = TextRow { path, text: Excerpt::new(raw), units, spent: self.spent, fate };
        self.run.n_texts += 1;
        if self.run.n_texts <= RUN_HEAD {
            self.rows.push(Row::Text(row));
        } else {
            self.run.last.push_back(row);
        }
        if self.run.last.len() > RUN_TAIL
            && let Some(row) = self.run.last.pop_front()
        {
            self.run.n_more += 1;
            self.run.more_units += row.units;
        }
        match fate {
            TextFate::Whole => units,
            TextFate::Cut(kept) => kept,
            TextFate::Marker | TextFate::Dropped => 0,
        }
    }

    /// Ends the run at hand; the next texts fare like this.
    fn end_run(&mut self, next: TextFate) {
        let Run { fate, n_more, more_units, last, .. } = std::mem::replace(&mut self.run, Run::new(next));
        if n_more > 0 {
            self.rows.push(Row::More { n_texts: n_more, units: more_units, fate });
        }
        self.rows.extend(last.into_iter().map(Row::Text));
    }

    fn finish(mut self) -> Vec<Row> {
        self.end_run(TextFate::Whole);
        self.rows
    }

    /// Returns how much one text counts.
    fn units(&self, raw: &[u8]) -> u64 {
        match Value::of(raw) {
            Value::String(text) => text.count(self.unit),
            _ => count_text(raw, self.unit),
        }
    }
}
