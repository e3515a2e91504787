//! Writing a top-level member of an event.
//!
//! Stages find fields through the spans of a row, so once a member is written, every span that it concerns has to be
//! what a reader would find in the new line. All others only move. Which ones it concerns is known once all stages
//! have asked, so the projection tells when it is given to a reader.

use std::sync::{Arc, OnceLock};

use logweir_event::{Batch, ColumnId, Edits, Span};

use super::{Asked, Projection, StepId};
use crate::splice::make_edits;
use crate::string::{Text, escape_into};
use crate::walk::{Member, members};

/// Sets one top-level member of events; made by [`Projection::ask_to_set`].
#[derive(Debug)]
pub struct SetMember {
    /// The member as its value is found, whoever wrote it.
    column: ColumnId,
    /// The name as it is written, with its quotes and the colon.
    name: Box<[u8]>,
    /// What else it concerns; set once a reader is made.
    concerned: Arc<OnceLock<Concerned>>,
}

/// The columns whose value depends on one top-level member.
#[derive(Debug, Default)]
struct Concerned {
    /// Those that have the member itself.
    whole: Vec<ColumnId>,
    /// Those that look into it, each with the names on the way down from its value.
    inside: Vec<(ColumnId, Vec<Box<[u8]>>)>,
}

/// A member to be set, as the projection remembers it.
#[derive(Clone, Debug)]
pub(super) struct ToSet {
    top: StepId,
    concerned: Arc<OnceLock<Concerned>>,
}

impl Projection {
    /// Asks to set the top-level member of exactly this name, dots and all.
    ///
    /// # Panics
    ///
    /// As [`ask`](Projection::ask).
    pub fn ask_to_set(&mut self, name: &str) -> SetMember {
        let column = self.ask_top_level(name);
        let mut written = vec![b'"'];
        escape_into(name.as_bytes(), &mut written);
        written.extend_from_slice(b"\":");
        let concerned = Arc::default();
        self.to_set.push(ToSet { top: self.asked[column.index()].top, concerned: Arc::clone(&concerned) });
        SetMember { column, name: written.into(), concerned }
    }

    /// Tells those who set members what that concerns; from now on nobody can ask for more.
    pub(super) fn tell_what_is_concerned(&self) {
        for member in &self.to_set {
            member.concerned.get_or_init(|| self.concerned(member.top));
        }
    }

    /// Returns whether those who set members have been told what that concerns.
    pub(super) fn has_told(&self) -> bool {
        self.to_set.iter().any(|member| member.concerned.get().is_some())
    }

    fn concerned(&self, top: StepId) -> Concerned {
        let mut concerned = Concerned::default();
        for (index, asked) in self.asked.iter().enumerate() {
            let column = ColumnId(u16::try_from(index).expect("a projection has at most 65,536 columns"));
            if asked.top == top {
                concerned.whole.push(column);
            } else if let Some(names) = self.names_inside(asked, top) {
                concerned.inside.push((column, names));
            }
        }
        concerned
    }

    /// Returns the names on a column's way down from the value of `top`, if its path leads through that.
    fn names_inside(&self, asked: &Asked, top: StepId) -> Option<Vec<Box<[u8]>>> {
        let mut names = Vec::new();
        let mut step = asked.path?;
        while step != top {
            names.push(self.steps[step].name.clone());
            step = self.levels.iter().find(|level| level.steps.contains(&step))?.object?;
        }
        names.reverse();
        Some(names)
    }
}

impl SetMember {
    /// Returns the column with the member's value as it is now, whoever wrote it.
    pub fn column(&self) -> ColumnId {
        self.column
    }

    /// Makes the changes in `edits`, if there are any, to an event, and sets the member to what `write` appends, which
    /// must be one legal JSON value without a line feed.
    ///
    /// If the event has such a member, the value of the last one gives way to the new value, where it stands. If it
    /// has none, the member becomes the event's last one, right before the `}`: white space before that stays before
    /// the comma. All else stays as it is, byte for byte. Afterwards all asked fields are what a reader would find in
    /// the new line. `line` is memory for it, and `edits` are used up; no edit may touch the member's value.
    ///
    /// # Panics
    ///
    /// If edits overlap, or the batch was not read by a reader of the projection that the member belongs to.
    pub fn set(
        &self,
        batch: &mut Batch,
        event: usize,
        edits: &mut Edits,
        line: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let concerned = self.concerned.get().expect("a batch is read after all have asked");
        let old = batch.field_span(event, self.column);
        if let Some(old) = old {
            concerned.forget_inside(batch, event, old);
        }
        let n_bytes = self.push_edit(batch, event, old, edits, write);
        make_edits(batch, event, edits, line);
        let value = batch.field_span(event, self.column).unwrap_or_else(|| {
            let end = batch.body(event).end() - 1;
            Span::new(end - n_bytes, end)
        });
        concerned.find_anew(batch, event, value);
    }

    /// Adds the edit that sets the member, whose value is at `old` if there is one; returns the length of the new value.
    fn push_edit(
        &self,
        batch: &Batch,
        event: usize,
        old: Option<Span>,
        edits: &mut Edits,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> usize {
        let mut n_bytes = 0;
        let counted = |text: &mut Vec<u8>| {
            let start = text.len();
            write(text);
            n_bytes = text.len() - start;
        };
        if let Some(old) = old {
            edits.push(old, counted);
            return n_bytes;
        }
        let body = batch.body(event);
        let inside = &batch.bytes(body)[1..body.len() - 1];
        let is_first = inside.trim_ascii_end().is_empty();
        edits.push(Span::new(body.end() - 1, body.end() - 1), |text| {
            text.extend_from_slice(if is_first { b"" } else { b"," });
            text.extend_from_slice(&self.name);
            counted(text);
        });
        n_bytes
    }
}

impl Concerned {
    /// Takes away what was found inside the old value. What was found elsewhere is a top-level field with dots in its
    /// name, which goes before what is inside.
    fn forget_inside(&self, batch: &mut Batch, event: usize, old: Span) {
        let is_inside = |found: Span| found.start() >= old.start() && found.end() <= old.end();
        for &(column, _) in &self.inside {
            if batch.field_span(event, column).is_some_and(is_inside) {
                batch.set_field_span(event, column, None);
            }
        }
    }

    /// Sets the columns to what they find in the member's new value, which lies at `value`.
    fn find_anew(&self, batch: &mut Batch, event: usize, value: Span) {
        for &column in &self.whole {
            batch.set_field_span(event, column, Some(value));
        }
        for (column, names) in &self.inside {
            if batch.field_span(event, *column).is_none() {
                let found = find_inside(batch, value, names);
                batch.set_field_span(event, *column, found);
            }
        }
    }
}

/// Returns what the names lead to in a value, of duplicate names the last one at every step.
fn find_inside(batch: &Batch, value: Span, names: &[Box<[u8]>]) -> Option<Span> {
    names.iter().try_fold(value, |object, name| {
        let text = batch.bytes(object);
        if text.first() != Some(&b'{') {
            return None;
        }
        let is_called = |member: &Member| Text::new(&text[member.name.clone()]).decodes_to(name);
        let member = members(text).filter(is_called).last()?;
        Some(Span::new(object.start() + member.value.start, object.start() + member.value.end))
    })
}
