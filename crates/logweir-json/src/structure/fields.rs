//! Finds the values of the fields asked for.

use logweir_event::Span;

use super::Reading;
use crate::lines::{skip_space, trim_end};
use crate::path::StepId;

/// What has been found of the event's own fields.
#[derive(Default)]
pub(super) struct Fields {
    /// The last one found and where it starts, while its end has not come.
    open: Option<(StepId, usize)>,
}

impl Fields {
    /// Looks at colons and commas of the event itself, in a block that starts at `at`.
    #[inline(always)]
    pub(super) fn look(&mut self, reading: &mut Reading<'_>, at: usize, mut colon: u64, comma: u64) {
        if comma != 0 && self.open.is_some() {
            self.end(reading, at + comma.trailing_zeros() as usize);
        }
        while colon != 0 {
            let place = at + colon.trailing_zeros() as usize;
            if reading.names.may_be_before(reading.text, place) {
                self.begin(reading, place, at, comma & !(colon ^ (colon - 1)));
            }
            colon &= colon - 1;
        }
    }

    /// Begins the value behind a colon if it is asked for, and ends it at the first of the commas behind it.
    #[inline(never)]
    fn begin(&mut self, reading: &mut Reading<'_>, colon: usize, at: usize, commas: u64) {
        if let Some(step) = reading.names.step_before(reading.text, colon) {
            self.open = Some((step, skip_space(reading.text, colon + 1)));
            if commas != 0 {
                self.end(reading, at + commas.trailing_zeros() as usize);
            }
        }
    }

    /// Ends the open value at a comma or the closing brace.
    #[inline(never)]
    pub(super) fn end(&mut self, reading: &mut Reading<'_>, place: usize) {
        if let Some((step, start)) = self.open.take()
            && let Some(value) = reading.values.get_mut(step)
        {
            // On illegal text, of which the values are thrown away, the end may come first.
            let end = trim_end(reading.text, place).max(start);
            *value = Span::new(reading.origin + start, reading.origin + end);
        }
    }
}
