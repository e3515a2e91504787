//! The three lists of texts that share the budget.

use std::ops::Range;

use logweir_event::{Batch, Span};
use logweir_json::{Text, Unit, Value, count_text, elements, members};

/// Which values count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// Strings alone, as in exceptions.
    Strings,
    /// Values of any kind, and each element of an array, as in logs.
    Values,
}

/// One of the lists: in each entry of an array that is an object, the value of one field.
///
/// Walked anew for each question instead of being kept, so that an event with millions of entries costs no memory.
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
pub(super) enum Budget {
    /// This much.
    Left(u64),
    /// Nothing, ever: the event has been cut.
    Cut,
}

impl<'a> List<'a> {
    /// Returns the list of the field `field` in the entries of the array at `span`.
    pub(super) fn new(
        batch: &'a Batch,
        span: Option<Span>,
        field: &'static str,
        counts: Counts,
        unit: Unit,
    ) -> Self {
        let array = span.map(|span| (batch.bytes(span), span.start()));
        let (bytes, at) = array.filter(|(bytes, _)| bytes.starts_with(b"[")).unwrap_or((b"", 0));
        Self { bytes, at, field, counts, unit }
    }

    /// Returns how much all its texts count.
    pub(super) fn total(&self) -> u64 {
        self.texts().map(|(_, _, count)| count).sum()
    }

    /// Spends the budget on its texts up to those of the entry `last`, all where there is none; returns where it is
    /// cut, if it is.
    pub(super) fn spend(&self, budget: &mut Budget, last: Option<&Place>) -> Option<Place> {
        for (entry, value, count) in self.texts_through(last) {
            match *budget {
                Budget::Left(left) if count <= left => *budget = Budget::Left(left - count),
                Budget::Left(left) => {
                    *budget = Budget::Cut;
                    return Some(Place { entry, value, budget: Some(left) });
                }
                Budget::Cut => return Some(Place { entry, value, budget: None }),
            }
        }
        None
    }

    /// Returns how much is kept of its texts if `last` holds the last entry to stay and the text at `cut` keeps
    /// `kept`.
    pub(super) fn kept(&self, last: Option<&Place>, cut: Option<&Place>, kept: Option<u64>) -> u64 {
        let cut_entry = cut.map(|place| place.entry.start);
        let whole = self.texts_through(last).filter(|(entry, ..)| Some(entry.start) != cut_entry);
        whole.map(|(_, _, count)| count).sum::<u64>() + kept.unwrap_or(0)
    }

    /// Returns entry, value and count of each text of the entries up to `last`.
    fn texts_through(
        &self,
        last: Option<&Place>,
    ) -> impl Iterator<Item = (Range<usize>, Range<usize>, u64)> + 'a {
        let last = last.map_or(usize::MAX, |place| place.entry.start);
        self.texts().take_while(move |(entry, ..)| entry.start <= last)
    }

    /// Returns entry, value and count of each text.
    fn texts(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>, u64)> + 'a {
        let Self { bytes, field, counts, unit, .. } = *self;
        elements(bytes).filter_map(move |entry| {
            let object = &bytes[entry.clone()];
            let value = last_member(object, field)?;
            let count = count_value(&object[value.clone()], counts, unit)?;
            Some((entry.clone(), entry.start + value.start..entry.start + value.end, count))
        })
    }
}

/// Returns the value of a field of an object, the last one of that name; `None` if it is no object or lacks it.
fn last_member(object: &[u8], field: &str) -> Option<Range<usize>> {
    if !object.starts_with(b"{") {
        return None;
    }
    let named =
        members(object).filter(|member| Text::new(&object[member.name.clone()]).decodes_to(field.as_bytes()));
    named.last().map(|member| member.value)
}

/// Returns how much a value counts; `None` if it does not count at all.
fn count_value(raw: &[u8], counts: Counts, unit: Unit) -> Option<u64> {
    match Value::of(raw) {
        Value::String(text) => Some(text.count(unit)),
        _ if counts == Counts::Strings => None,
        Value::Array(array) => {
            Some(elements(array).map(|element| count_element(&array[element], unit)).sum())
        }
        _ => Some(count_text(raw, unit)),
    }
}

/// Returns how much an element of a log's message counts.
pub(super) fn count_element(raw: &[u8], unit: Unit) -> u64 {
    match Value::of(raw) {
        Value::String(text) => text.count(unit),
        _ => count_text(raw, unit),
    }
}
