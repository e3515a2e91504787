//! The three lists of texts that share the budget.

use std::ops::Range;

use logweir_event::{Batch, Span};
use logweir_json::{Unit, entries};

/// Which values count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// Strings alone, as in exceptions.
    Strings,
    /// Values of any kind, and each element of an array, as in logs.
    Values,
}

/// One of the lists: in each entry of an array that is an object, the value of one field.
///
/// Walked instead of being kept, so that an event with millions of entries costs no memory.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    /// The array as it is written; empty where there is none.
    pub(super) bytes: &'a [u8],
    /// Where it starts, counted like the batch's spans.
    pub(super) at: usize,
    /// The field of an entry.
    field: &'static str,
    counts: Counts,
    unit: Unit,
}

/// Where a list is cut. Ranges are counted within the list.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The entry with the text that does not fit.
    pub(super) entry: Range<usize>,
    /// The value that does not fit.
    pub(super) value: Range<usize>,
    /// How much of it may stay; `None` if the list was reached after the cut.
    pub(super) budget: Option<u64>,
}

/// What is left to spend.
#[derive(Clone, Copy, Debug)]
enum Budget {
    /// This much.
    Left(u64),
    /// Nothing, ever: the event has been cut.
    Cut,
}

/// The three lists of an event, in the order in which the budget is spent on them.
pub(super) struct Lists<'a> {
    pub(super) names: List<'a>,
    pub(super) messages: List<'a>,
    pub(super) logs: List<'a>,
}

/// What spending on the three lists came to.
pub(super) struct Bill {
    pub(super) names: Spent,
    pub(super) messages: Spent,
    pub(super) logs: Spent,
    /// Whether the budget was not enough.
    pub(super) is_over: bool,
}

impl<'a> Lists<'a> {
    /// Returns those of an event whose `Exceptions` and `Logs` are at these places.
    pub(super) fn new(batch: &'a Batch, exceptions: Option<Span>, logs: Option<Span>, unit: Unit) -> Self {
        Self {
            names: List::new(batch, exceptions, "Name", Counts::Strings, unit),
            messages: List::new(batch, exceptions, "Message", Counts::Strings, unit),
            logs: List::new(batch, logs, "Message", Counts::Values, unit),
        }
    }

    /// Spends a budget on them. The exception whose name does not fit is the last whose message is looked at.
    pub(super) fn spend(&self, limit: u64) -> Bill {
        let mut budget = Budget::Left(limit);
        let names = self.names.spend(&mut budget, None);
        let messages = self.messages.spend(&mut budget, names.place.as_ref());
        let logs = self.logs.spend(&mut budget, None);
        Bill { names, messages, logs, is_over: matches!(budget, Budget::Cut) }
    }
}

impl Bill {
    /// Returns how much all texts of each list count.
    pub(super) fn totals(&self) -> [u64; 3] {
        [self.names.total, self.messages.total, self.logs.total]
    }
}

/// What spending on a list came to.
#[derive(Debug)]
pub(super) struct Spent {
    /// Where the list is cut, if it is.
    pub(super) place: Option<Place>,
    /// How much the texts count that are kept whole.
    pub(super) kept: u64,
    /// How much all its texts count.
    pub(super) total: u64,
}

impl<'a> List<'a> {
    /// Returns the list of the field `field` in the entries of the array at `span`.
    fn new(batch: &'a Batch, span: Option<Span>, field: &'static str, counts: Counts, unit: Unit) -> Self {
        let array = span.map(|span| (batch.bytes(span), span.start()));
        let (bytes, at) = array.filter(|(bytes, _)| bytes.starts_with(b"[")).unwrap_or((b"", 0));
        Self { bytes, at, field, counts, unit }
    }

    /// Spends the budget on its texts up to those of the entry `last`, all where there is none.
    fn spend(&self, budget: &mut Budget, last: Option<&Place>) -> Spent {
        let last = last.map_or(usize::MAX, |place| place.entry.start);
        let mut spent = Spent { place: None, kept: 0, total: 0 };
        for Text { entry, value, count, .. } in self.texts() {
            spent.total += count;
            if spent.place.is_some() || entry.start > last {
                continue;
            }
            match *budget {
                Budget::Left(left) if count <= left => {
                    *budget = Budget::Left(left - count);
                    spent.kept += count;
                }
                Budget::Left(left) => {
                    *budget = Budget::Cut;
                    spent.place = Some(Place { entry, value, budget: Some(left) });
                }
                Budget::Cut => spent.place = Some(Place { entry, value, budget: None }),
            }
        }
        spent
    }

    /// Returns how much its texts count up to those of the entry at `last`, that of the entry at `cut` left out.
    pub(super) fn count_through(&self, last: &Place, cut: Option<&Place>) -> u64 {
        let through = self.texts().take_while(|text| text.entry.start <= last.entry.start);
        let is_cut = |text: &Text| cut.is_some_and(|cut| cut.entry == text.entry);
        through.filter(|text| !is_cut(text)).map(|text| text.count).sum()
    }

    /// Returns its texts in order.
    pub(super) fn texts(&self) -> impl Iterator<Item = Text> + 'a {
        let Self { bytes, field, counts, unit, .. } = *self;
        entries(bytes, field).counted_in(unit).enumerate().filter_map(move |(index, entry)| {
            let value = entry.value?;
            let is_counted = counts == Counts::Values || bytes[value.clone()].starts_with(b"\"");
            is_counted.then_some(Text { index, entry: entry.element, value, count: entry.units })
        })
    }
}

/// One text of a list. Ranges are counted within the list.
pub(super) struct Text {
    /// Which element of the array has it.
    pub(super) index: usize,
    /// That element.
    pub(super) entry: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) count: u64,
}
