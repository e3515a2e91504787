//! What is asked of an event.
//!
//! A projection is a tree of names, kept flat: a *level* holds the names that somebody asks for in one object, a
//! *step* is one of these names, and a step may lead to a further level inside the object it finds. To answer, a
//! reader looks into one object after the other, remembers for each step the last value of that name, and only then
//! goes down into the values that stand: so a later duplicate of a parent hides what an earlier one had, without a
//! rule of its own.

use logweir_event::{ColumnId, Span};

/// The fields asked of every event, and the column that each has in an event's row.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// By column.
    asked: Vec<Asked>,
    /// All steps of all levels.
    steps: Vec<Step>,
    /// A level stands behind the one that leads to it; the first looks into the event itself.
    levels: Vec<Level>,
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
pub(crate) struct Level {
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
    /// If more than 65,536 different fields are asked for.
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
    /// If more than 65,536 different fields are asked for.
    pub fn ask_top_level(&mut self, name: &str) -> ColumnId {
        let top = self.step(None, name);
        self.column(Asked { top, path: None })
    }

    /// Returns the number of columns, which is the length of a row.
    pub fn width(&self) -> usize {
        self.asked.len()
    }

    fn column(&mut self, asked: Asked) -> ColumnId {
        let index = self.asked.iter().position(|known| *known == asked).unwrap_or_else(|| {
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
///
/// `V` is what the reader knows of a value.
#[derive(Debug)]
pub(crate) struct Found<V> {
    /// By step.
    values: Vec<Option<V>>,
}

impl<V: Copy> Found<V> {
    pub(crate) fn new(projection: &Projection) -> Self {
        Self { values: vec![None; projection.steps.len()] }
    }

    /// Sets the value of a step, in the place of an earlier one of the same name.
    #[inline]
    pub(crate) fn set(&mut self, step: StepId, value: V) {
        self.values[step] = Some(value);
    }

    /// Answers a projection for the event `event`, filling `row`; `look` looks into one value: if it is an object,
    /// it sets the value of each step of the level in order of place.
    ///
    /// Returns `None`, the row untouched, as soon as `look` does.
    #[inline]
    pub(crate) fn answer(
        &mut self,
        projection: &Projection,
        event: V,
        row: &mut [Span],
        mut look: impl FnMut(&mut Self, LevelRef<'_>, V) -> Option<()>,
        span: impl Fn(V) -> Span,
    ) -> Option<()> {
        self.values.fill(None);
        for level in &projection.levels {
            let object = level.object.map_or(Some(event), |step| self.values[step]);
            if let Some(object) = object {
                look(self, LevelRef { level, steps: &projection.steps }, object)?;
            }
        }
        for (column, asked) in row.iter_mut().zip(&projection.asked) {
            let value = self.values[asked.top].or_else(|| asked.path.and_then(|step| self.values[step]));
            if let Some(value) = value {
                *column = span(value);
            }
        }
        Some(())
    }
}

/// A level with the names of its steps.
#[derive(Clone, Copy)]
pub(crate) struct LevelRef<'p> {
    level: &'p Level,
    steps: &'p [Step],
}

impl LevelRef<'_> {
    /// Returns the step of exactly this (unescaped) name.
    #[inline]
    pub(crate) fn step(self, name: &[u8]) -> Option<StepId> {
        if self.level.lengths & length_bit(name.len()) == 0 {
            return None;
        }
        self.find(|known| known == name)
    }

    /// Returns the step for whose name `is_name` holds.
    pub(crate) fn find(self, is_name: impl Fn(&[u8]) -> bool) -> Option<StepId> {
        self.level.steps.iter().copied().find(|&step| is_name(&self.steps[step].name))
    }
}

/// Returns the bit of a name's length in [`Level::lengths`].
#[inline]
fn length_bit(n_bytes: usize) -> u64 {
    1 << n_bytes.min(63)
}
