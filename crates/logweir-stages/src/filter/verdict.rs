//! What can be said of a filter before there is an event.
//!
//! A condition can hold if in one way of choosing a branch of each alternative, all predicates that then have to agree do
//! so for some value of each field. That is tried for each *kind* of value, since a test means another thing for each:
//! `eq 200` takes the number and the text, and what is missing passes no test, so it satisfies every negated one. Fields
//! are taken to be independent of one another, and whatever would take long to find out counts as possible. So what is
//! called impossible is; the other way round nothing is promised.

use std::cmp::Ordering;

use logweir_json::Number;

use super::FilterConfig;
use super::predicate::{Condition, Operand, Predicate, Relation, Test};

/// How much is looked at, in predicates and values compared, before a condition counts as possible: some milliseconds.
const MAX_WORK: usize = 1_000_000;

/// How many alternatives are chosen from at once, which bounds the recursion.
const MAX_CHOICES: usize = 64;

/// What a filter comes to, whatever the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds for no event.
    Never,
    /// It holds for every event.
    Always,
    /// It may depend on the event.
    Depends,
}

/// A kind of value that a field may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueKind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An array of strings.
    Texts,
    /// An object, or an array of objects.
    Objects,
}

/// What a predicate of a filter asks for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Asked<'f> {
    /// The field, as the filter names it.
    pub key: &'f str,
    test: &'f Test,
}

impl Asked<'_> {
    /// Returns the operator, without the `!` of a negation.
    pub fn operator(&self) -> &'static str {
        match self.test {
            Test::OneOf(operands) if operands.len() == 1 => "eq",
            Test::OneOf(_) => "in",
            Test::Compare(Relation::Less, _) => "lt",
            Test::Compare(Relation::LessOrEqual, _) => "leq",
            Test::Compare(Relation::Greater, _) => "gt",
            Test::Compare(Relation::GreaterOrEqual, _) => "geq",
            Test::StartsWith(_) => "startsWith",
            Test::EndsWith(_) => "endsWith",
            Test::Contains(_) => "contains",
        }
    }

    /// Returns whether some value of this kind can pass the test. Where none can, the predicate is false of all of them,
    /// and its negation true.
    pub fn can_take(&self, kind: ValueKind) -> bool {
        let any =
            |fits: fn(&Operand) -> bool| matches!(self.test, Test::OneOf(list) if list.iter().any(fits));
        match kind {
            ValueKind::Text => !matches!(self.test, Test::Compare(..)),
            ValueKind::Number => {
                matches!(self.test, Test::Compare(..)) || any(|operand| operand.number.is_some())
            }
            ValueKind::Boolean => any(|operand| operand.boolean.is_some()),
            ValueKind::Texts => matches!(self.test, Test::Contains(_)),
            ValueKind::Objects => false,
        }
    }
}

impl FilterConfig {
    /// Returns whether it holds for no event at all, or for every one. [`Verdict::Depends`] promises nothing.
    pub fn verdict(&self) -> Verdict {
        self.verdict_after(&[])
    }

    /// Returns what it comes to for events for which all of `earlier` hold.
    pub fn verdict_after(&self, earlier: &[&Self]) -> Verdict {
        let given = || earlier.iter().map(|filter| (&filter.condition, Wanted::True));
        let is_possible =
            |wanted| Search { work: MAX_WORK }.is_possible(given().chain([(&self.condition, wanted)]));
        if !is_possible(Wanted::True) {
            return Verdict::Never;
        }
        if is_possible(Wanted::False) { Verdict::Depends } else { Verdict::Always }
    }

    /// Returns whether it may hold for an event for which all of `given` hold and none of `missed`; if not, there is no
    /// such event.
    pub fn can_hold(&self, given: &[&Self], missed: &[&Self]) -> bool {
        let given = given.iter().map(|filter| (&filter.condition, Wanted::True));
        let missed = missed.iter().map(|filter| (&filter.condition, Wanted::False));
        let goals = given.chain(missed).chain([(&self.condition, Wanted::True)]);
        Search { work: MAX_WORK }.is_possible(goals)
    }

    /// Returns what its predicates ask for, in the order in which they are written.
    pub fn asked(&self) -> Vec<Asked<'_>> {
        let mut asked = Vec::new();
        let mut open = vec![&self.condition];
        while let Some(condition) = open.pop() {
            match condition {
                Condition::All(list) | Condition::Any(list) => open.extend(list.iter().rev()),
                Condition::Is(predicate) => asked.push(Asked { key: &predicate.key, test: &predicate.test }),
            }
        }
        asked
    }
}

/// What a condition is to come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    True,
    False,
}

/// A test that a field has to pass, or must not.
#[derive(Clone, Copy)]
struct Literal<'f> {
    key: &'f str,
    test: &'f Test,
    passes: bool,
}

type Goal<'f> = (&'f Condition<String>, Wanted);

/// A search for a way in which conditions can come to what they are to come to.
struct Search {
    /// What may still be looked at.
    work: usize,
}

impl Search {
    fn is_possible<'f>(&mut self, goals: impl Iterator<Item = Goal<'f>>) -> bool {
        self.try_all(goals.collect(), Vec::new(), 0)
    }

    /// Returns whether all of `open` can come about beside the literals that have been chosen. It calls itself once for
    /// each alternative that is open, which [`MAX_CHOICES`] bounds.
    fn try_all<'f>(
        &mut self,
        mut open: Vec<Goal<'f>>,
        mut literals: Vec<Literal<'f>>,
        n_choices: usize,
    ) -> bool {
        let mut choices: Vec<Goal<'f>> = Vec::new();
        while let Some(goal) = open.pop() {
            match goal {
                (Condition::All(list), Wanted::True) | (Condition::Any(list), Wanted::False) => {
                    open.extend(list.iter().map(|one| (one, goal.1)));
                }
                (Condition::All(_) | Condition::Any(_), _) => choices.push(goal),
                (Condition::Is(Predicate { key, negated, test, .. }), wanted) => {
                    literals.push(Literal { key, test, passes: (wanted == Wanted::True) != *negated });
                }
            }
        }
        if !self.can_agree(&literals) {
            return false;
        }
        let Some((condition, wanted)) = choices.pop() else { return true };
        let (Condition::All(list) | Condition::Any(list)) = condition else { return true };
        // Out of breath: it may be possible.
        if n_choices == MAX_CHOICES || self.work == 0 {
            return true;
        }
        list.iter().any(|one| {
            let mut open = choices.clone();
            open.push((one, wanted));
            self.work = self.work.saturating_sub(literals.len() + open.len());
            self.try_all(open, literals.clone(), n_choices + 1)
        })
    }

    /// Returns whether there may be a value for each field.
    fn can_agree(&mut self, literals: &[Literal<'_>]) -> bool {
        let mut by_key = literals.to_vec();
        by_key.sort_by_key(|literal| literal.key);
        by_key.chunk_by(|a, b| a.key == b.key).all(|literals| {
            let n_operands: usize = literals.iter().map(|literal| n_operands(literal.test)).sum();
            // Every value that one allows is tried on all, and texts are compared in pairs.
            let work = n_operands.saturating_mul(n_operands);
            if self.work < work {
                self.work = 0;
                return true;
            }
            self.work -= work;
            has_value(literals)
        })
    }
}

fn n_operands(test: &Test) -> usize {
    match test {
        Test::OneOf(operands) => operands.len(),
        _ => 1,
    }
}

/// Returns whether some value of a field may satisfy all literals, or its being missing does.
fn has_value(literals: &[Literal<'_>]) -> bool {
    is_fine_missing(literals)
        || [true, false].iter().any(|value| all(literals, |test| passes_boolean(test, *value)))
        || has_number(literals)
        || has_text(literals)
        || has_list(literals)
}

/// Returns whether all tests come out as they are to for a value that `passes` knows.
fn all(literals: &[Literal<'_>], passes: impl Fn(&Test) -> bool) -> bool {
    literals.iter().all(|literal| passes(literal.test) == literal.passes)
}

/// Null, an object and what is missing pass no test.
fn is_fine_missing(literals: &[Literal<'_>]) -> bool {
    all(literals, |_| false)
}

fn passes_boolean(test: &Test, value: bool) -> bool {
    matches!(test, Test::OneOf(operands) if operands.iter().any(|operand| operand.boolean == Some(value)))
}

fn passes_number(test: &Test, value: &Number) -> bool {
    match test {
        Test::OneOf(operands) => operands.iter().any(|operand| operand.number.as_ref() == Some(value)),
        Test::Compare(relation, bound) => {
            value.partial_cmp(bound).is_some_and(|order| relation.allows(order))
        }
        _ => false,
    }
}

fn passes_text(test: &Test, value: &[u8]) -> bool {
    match test {
        Test::OneOf(operands) => operands.iter().any(|operand| operand.text == value),
        Test::Compare(..) => false,
        Test::StartsWith(start) => value.starts_with(start),
        Test::EndsWith(end) => value.ends_with(end),
        Test::Contains(needle) => needle.is_in(value),
    }
}

/// Returns the values that one of the literals allows alone, if one does.
fn candidates<'f>(literals: &[Literal<'f>]) -> Option<&'f [Operand]> {
    literals.iter().find_map(|literal| match literal.test {
        Test::OneOf(operands) if literal.passes => Some(&operands[..]),
        _ => None,
    })
}

fn has_number(literals: &[Literal<'_>]) -> bool {
    let fits = |number: &Number| all(literals, |test| passes_number(test, number));
    if let Some(operands) = candidates(literals) {
        return operands.iter().filter_map(|operand| operand.number.as_ref()).any(fits);
    }
    let mut range = NumberRange::default();
    for Literal { test, passes, .. } in literals {
        match test {
            Test::OneOf(_) => {}
            Test::Compare(relation, bound) => range.narrow(*relation, *passes, *bound),
            // No number has a text.
            _ if *passes => return false,
            _ => {}
        }
    }
    match range.only() {
        Only::Nothing => false,
        Only::One(number) => fits(&number),
        // Of so many, finitely many are left out.
        Only::Many => true,
    }
}

/// The numbers between two bounds, each with whether it is one of them.
#[derive(Default)]
struct NumberRange {
    least: Option<(Number, bool)>,
    most: Option<(Number, bool)>,
}

/// How much a range has.
enum Only {
    Nothing,
    One(Number),
    Many,
}

impl NumberRange {
    /// Leaves out what stands otherwise to `bound`.
    fn narrow(&mut self, relation: Relation, passes: bool, bound: Number) {
        // What is not less than the bound is greater or equal.
        let (is_least, is_included) = match (relation, passes) {
            (Relation::Less, true) | (Relation::GreaterOrEqual, false) => (false, false),
            (Relation::LessOrEqual, true) | (Relation::Greater, false) => (false, true),
            (Relation::Greater, true) | (Relation::LessOrEqual, false) => (true, false),
            (Relation::GreaterOrEqual, true) | (Relation::Less, false) => (true, true),
        };
        let (end, narrower) =
            if is_least { (&mut self.least, Ordering::Greater) } else { (&mut self.most, Ordering::Less) };
        let is_narrower = end.is_none_or(|(old, was_included)| match bound.partial_cmp(&old) {
            Some(Ordering::Equal) => was_included && !is_included,
            order => order == Some(narrower),
        });
        if is_narrower {
            *end = Some((bound, is_included));
        }
    }

    fn only(&self) -> Only {
        let (Some((least, has_least)), Some((most, has_most))) = (self.least, self.most) else {
            return Only::Many;
        };
        match least.partial_cmp(&most) {
            Some(Ordering::Equal) if has_least && has_most => Only::One(least),
            Some(Ordering::Equal | Ordering::Greater) => Only::Nothing,
            _ => Only::Many,
        }
    }
}

fn has_text(literals: &[Literal<'_>]) -> bool {
    if let Some(operands) = candidates(literals) {
        return operands.iter().any(|operand| all(literals, |test| passes_text(test, &operand.text)));
    }
    let (mut start, mut end): (&[u8], &[u8]) = (b"", b"");
    for literal in literals.iter().filter(|literal| literal.passes) {
        match literal.test {
            Test::StartsWith(text) if text.starts_with(start) => start = text,
            Test::StartsWith(text) if !start.starts_with(text) => return false,
            Test::EndsWith(text) if text.ends_with(end) => end = text,
            Test::EndsWith(text) if !end.ends_with(text) => return false,
            Test::Compare(..) => return false,
            _ => {}
        }
    }
    // What each part that the text must have brings about, whatever else is in it.
    let brings = |unwanted: &Test| match unwanted {
        Test::StartsWith(text) => start.starts_with(text),
        Test::EndsWith(text) => end.ends_with(text),
        Test::Contains(needle) => {
            let has = |literal: &&Literal<'_>| {
                literal.passes && matches!(literal.test, Test::Contains(other) if needle.is_in(other.text()))
            };
            needle.is_in(start) || needle.is_in(end) || literals.iter().any(|literal| has(&literal))
        }
        Test::OneOf(_) | Test::Compare(..) => false,
    };
    !literals.iter().any(|literal| !literal.passes && brings(literal.test))
}

/// A list passes `contains` alone, for each of its texts.
fn has_list(literals: &[Literal<'_>]) -> bool {
    let needle = |literal: &Literal<'_>| match literal.test {
        Test::Contains(needle) => Some(needle.text().to_vec()),
        _ => None,
    };
    let [wanted, unwanted]: [Vec<_>; 2] = [true, false]
        .map(|passes| literals.iter().filter(|literal| literal.passes == passes).map(needle).collect());
    wanted.iter().all(|needle| needle.is_some() && !unwanted.contains(needle))
}
