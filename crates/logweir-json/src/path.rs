//! What is asked of an event.
//!
//! A projection is a tree of names, kept flat: a *level* holds the names that somebody asks for in one object, a
//! *step* is one of these names, and a step may lead to a further level inside the object it finds. To answer, a
//! reader looks into one object after the other, remembers for each step the last value of that name, and only then
//! goes down into the values that stand: so a later duplicate of a parent hides what an earlier one had, without a
//! rule of its own.

mod set_member;

use logweir_event::{ColumnId, Span};

pub use self::set_member::SetMember;
use self::set_member::ToSet;

use crate::lines::trim_end;
use crate::string::Text;
use crate::walk::members;

/// The fields asked of every event, and the column that each has in an event's row.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// By column.
    asked: Vec<Asked>,
    /// All steps of all levels.
    steps: Vec<Step>,
    /// A level stands behind the one that leads to it; the first looks into the event itself.
    levels: Vec<Level>,
    /// The members that somebody sets.
    to_set: Vec<ToSet>,
}

/// Where a column's value is found: in the top-level field, failing that at the end of the path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Asked {
    top: StepId,
    /// `None` where only the top-level field is asked for, or the key has no dot.
    path: Option<StepId>,
}

/// Index into [`Projection::steps`].
pub(crate) type StepId = usize;

/// A name asked for in some object.
#[derive(Clone, Debug)]
struct Step {
    name: Box<[u8]>,
    /// The level that looks into its value, if somebody asks for something inside.
    inside: Option<usize>,
}

/// The names asked for in one object.
#[derive(Clone, Debug)]
struct Level {
    /// The step whose value is looked into; `None` for the event itself.
    object: Option<StepId>,
    steps: Vec<StepId>,
    /// Bit `n` is set if some name has `n` bytes, the last bit if one has 63 or more.
    lengths: u64,
}

impl Projection {
    /// Asks for a field and returns its column: the top-level field of exactly this name, failing that the value at
    /// the end of the dotted path, every dot a step into a nested object.
    ///
    /// The top-level field wins wherever it stands in the event. Of duplicate names the last one counts, at every
    /// step. Names are compared after unescaping and case-sensitively. Asking again gives the same column.
    ///
    /// # Panics
    ///
    /// If more than 65,536 different fields are asked for; or one that is new, where somebody sets a member and a
    /// reader has been made of this projection.
    pub fn ask(&mut self, key: &str) -> ColumnId {
        let top = self.step(None, key);
        let mut path = None;
        if key.contains('.') {
            for name in key.split('.') {
                path = Some(self.step(path, name));
            }
        }
        self.column(Asked { top, path })
    }

    /// Asks for the top-level field of exactly this name, dots and all, and returns its column.
    ///
    /// # Panics
    ///
    /// As [`ask`](Projection::ask).
    pub fn ask_top_level(&mut self, name: &str) -> ColumnId {
        let top = self.step(None, name);
        self.column(Asked { top, path: None })
    }

    /// Returns the number of columns, which is the length of a row.
    pub fn width(&self) -> usize {
        self.asked.len()
    }

    /// Returns the step of a level of exactly this (unescaped) name.
    #[inline]
    fn step_of(&self, level: &Level, name: &[u8]) -> Option<StepId> {
        if level.lengths & length_bit(name.len()) == 0 {
            return None;
        }
        self.find_step(level, |known| known == name)
    }

    /// Returns the step of a level for whose name `is_name` holds.
    fn find_step(&self, level: &Level, is_name: impl Fn(&[u8]) -> bool) -> Option<StepId> {
        level.steps.iter().copied().find(|&step| is_name(&self.steps[step].name))
    }

    fn column(&mut self, asked: Asked) -> ColumnId {
        let index = self.asked.iter().position(|known| *known == asked).unwrap_or_else(|| {
            assert!(!self.has_told(), "all ask before a reader is made");
            self.asked.push(asked);
            self.asked.len() - 1
        });
        ColumnId(u16::try_from(index).expect("a configuration asks for at most 65,536 fields"))
    }

    /// Returns the step to `name` from the value of `object`, or from the event; makes it if it is new.
    fn step(&mut self, object: Option<StepId>, name: &str) -> StepId {
        let level = self.level(object);
        let steps = &self.levels[level].steps;
        if let Some(&step) = steps.iter().find(|&&step| *self.steps[step].name == *name.as_bytes()) {
            return step;
        }
        let step = self.steps.len();
        self.steps.push(Step { name: name.as_bytes().into(), inside: None });
        self.levels[level].steps.push(step);
        self.levels[level].lengths |= length_bit(name.len());
        step
    }

    /// Returns the level that looks into the value of `object`, or into the event; makes it if it is new.
    fn level(&mut self, object: Option<StepId>) -> usize {
        let new = self.levels.len();
        let known = match object {
            Some(step) => self.steps[step].inside,
            None => (new > 0).then_some(0),
        };
        if let Some(level) = known {
            return level;
        }
        if let Some(step) = object {
            self.steps[step].inside = Some(new);
        }
        self.levels.push(Level { object, steps: Vec::new(), lengths: 0 });
        new
    }
}

/// The last value found for each step, while one event is read; kept from event to event for its memory.
#[derive(Debug)]
pub(crate) struct Found {
    /// By step, [`Span::MISSING`] where there is none.
    pub(crate) values: Vec<Span>,
}

impl Found {
    pub(crate) fn new(projection: &Projection) -> Self {
        projection.tell_what_is_concerned();
        Self { values: vec![Span::MISSING; projection.steps.len()] }
    }

    /// Forgets all values, for the next event.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.values.fill(Span::MISSING);
    }

    /// Fills `row` once the values of the event's own fields are found.
    #[inline]
    pub(crate) fn answer(&mut self, projection: &Projection, chunk: &[u8], row: &mut [Span]) {
        for (index, level) in projection.levels.iter().enumerate().skip(1) {
            let object = level.object.map_or(Span::MISSING, |step| self.values[step]);
            if !object.is_missing() {
                self.look_into(projection, index, chunk, object);
            }
        }
        for (column, asked) in row.iter_mut().zip(&projection.asked) {
            let value = self.values[asked.top];
            *column = match asked.path {
                Some(step) if value.is_missing() => self.values[step],
                _ => value,
            };
        }
    }

    /// Sets the values of the steps of a level that the legal value at `object` has, if it is an object.
    pub(crate) fn look_into(&mut self, projection: &Projection, level: usize, chunk: &[u8], object: Span) {
        let text = &chunk[object.range()];
        let Some(level) = projection.levels.get(level).filter(|_| text.first() == Some(&b'{')) else {
            return;
        };
        for member in members(text) {
            let name = Text::new(&text[member.name]);
            let step = if name.is_plain() {
                projection.step_of(level, name.raw())
            } else {
                projection.find_step(level, |asked| name.decodes_to(asked))
            };
            if let Some(step) = step {
                let value = object.start() + member.value.start..object.start() + member.value.end;
                self.values[step] = Span::from(value);
            }
        }
    }
}

/// The names of the first level that can be written without escapes, to be recognised in the text by their ends.
#[derive(Clone, Debug)]
pub(crate) struct TopLevel {
    /// Each with its quotes.
    names: Vec<(Box<[u8]>, StepId)>,
    /// A bit for each [`tail_bit`] that a name has.
    tails: u64,
}

impl TopLevel {
    pub(crate) fn new(projection: &Projection) -> Self {
        let steps = projection.levels.first().map_or(&[][..], |level| &level.steps);
        let is_plain = |step: &&StepId| {
            let is_escaped = |&byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
            !projection.steps[**step].name.iter().any(is_escaped)
        };
        let quoted = |&step: &StepId| ([b"\"", &*projection.steps[step].name, b"\""].concat().into(), step);
        let names: Vec<(Box<[u8]>, StepId)> = steps.iter().filter(is_plain).map(quoted).collect();
        // Of a name shorter than a tail, any tail may be the end.
        let bit = |name: &[u8]| name.last_chunk().map_or(u64::MAX, |tail| tail_bit(*tail));
        let tails = names.iter().fold(0, |tails, (name, _)| tails | bit(name));
        Self { names, tails }
    }

    /// Returns whether a name may stand before the colon at `colon`: false for nearly all that are not asked for.
    #[inline]
    pub(crate) fn may_be_before(&self, text: &[u8], colon: usize) -> bool {
        match text.get(colon.wrapping_sub(TAIL_BYTES)..colon).and_then(<[u8]>::first_chunk::<TAIL_BYTES>) {
            // With white space before the colon it is not the name that has been looked at.
            Some(tail @ [.., b'"']) => self.tails & tail_bit(*tail) != 0,
            _ => true,
        }
    }

    /// Returns the step whose name, written without escapes, stands before the colon at `colon`.
    pub(crate) fn step_before(&self, text: &[u8], colon: usize) -> Option<StepId> {
        let before = text.get(..colon)?;
        let before = &before[..trim_end(before, before.len())];
        // Only where the name's opening quote would be is there a quote: that tells names of other lengths apart.
        let is_quote = |name: &[u8]| before.len().checked_sub(name.len()).map(|at| before[at]) == Some(b'"');
        let mut names = self.names.iter();
        names.find(|(name, _)| is_quote(name) && before.ends_with(name)).map(|(_, step)| *step)
    }
}

/// Bytes at the end of a name, its closing quote included, that tell it from most others.
const TAIL_BYTES: usize = 4;

/// Returns one of 64 bits for the end of a name.
#[inline]
fn tail_bit(tail: [u8; TAIL_BYTES]) -> u64 {
    // Any odd constant with its bits well mixed; the highest bits of the product depend on all of the tail.
    1 << (u32::from_le_bytes(tail).wrapping_mul(0x9E37_79B1) >> 26)
}

/// Returns the bit of a name's length in [`Level::lengths`].
#[inline]
fn length_bit(n_bytes: usize) -> u64 {
    1 << n_bytes.min(63)
}
