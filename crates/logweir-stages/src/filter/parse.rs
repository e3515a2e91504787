//! From terms to a condition, with every problem on the way.
//!
//! The grammar is Logpush's:
//!
//! ```text
//! filter    = {"where": condition}
//! condition = {"and": [condition, …]} | {"or": [condition, …]} | predicate
//! predicate = {"key": name, "operator": one of 14, "value": value}
//! ```

use std::sync::Arc;

use logweir_json::Number;

use super::predicate::{Condition, Needle, Operand, Predicate, Relation, Test};
use super::term::{MAX_DEPTH, Term, TermKind};
use super::{FilterProblem, WrittenPredicate};
use crate::Excerpt;

/// The operators that need no `!` before them; each has its negation.
const OPERATORS: &str = "eq, !eq, lt, leq, gt, geq, startsWith, endsWith, contains, in, and their negations \
                         !startsWith, !endsWith, !contains, !in";

/// What a condition is.
const CONDITION: &str = "a condition is `{and: […]}`, `{or: […]}` or `{key: …, operator: …, value: …}`";

/// The keys of a condition.
const CONDITION_KEYS: [&str; 5] = ["and", "or", "key", "operator", "value"];

/// Returns the operator that somebody means who is used to other languages, or to other capitals.
fn meant(operator: &str) -> Option<&'static str> {
    match operator.to_lowercase().as_str() {
        "eq" | "equals" | "equal" | "is" | "=" | "==" => Some("eq"),
        "neq" | "ne" | "not_eq" | "!=" | "<>" => Some("!eq"),
        "lt" | "<" => Some("lt"),
        "leq" | "lte" | "le" | "<=" => Some("leq"),
        "gt" | ">" => Some("gt"),
        "geq" | "gte" | "ge" | ">=" => Some("geq"),
        "startswith" | "starts_with" | "prefix" => Some("startsWith"),
        "endswith" | "ends_with" | "suffix" => Some("endsWith"),
        "contains" | "includes" => Some("contains"),
        "in" => Some("in"),
        "nin" | "not_in" | "notin" => Some("!in"),
        _ => None,
    }
}

/// Understands a whole filter; returns its condition, and what is written of each predicate in the order of the condition.
///
/// # Errors
///
/// All problems found, in order of place.
pub(super) fn parse(term: &Term) -> Result<Parsed, Vec<FilterProblem>> {
    let mut parser = Parser { problems: Vec::new(), written: Vec::new() };
    let condition = parser.filter(term);
    parser.problems.sort_by_key(|problem| problem.at);
    match condition {
        Some(condition) if parser.problems.is_empty() => Ok((condition, parser.written)),
        _ => Err(parser.problems),
    }
}

/// A condition, and what is written of its predicates.
type Parsed = (Condition<String>, Vec<Arc<WrittenPredicate>>);

/// Collects problems; each method returns `None` once it has added one.
struct Parser {
    problems: Vec<FilterProblem>,
    /// The predicates without a problem; all of them if there is none anywhere.
    written: Vec<Arc<WrittenPredicate>>,
}

/// A map's members by name, each at most once.
struct Members<'t> {
    at: usize,
    list: &'t [(usize, Vec<u8>, Term)],
}

impl<'t> Members<'t> {
    fn get(&self, name: &str) -> Option<&'t Term> {
        self.list.iter().find(|(_, other, _)| other == name.as_bytes()).map(|(_, _, term)| term)
    }
}

impl Parser {
    fn problem<T>(&mut self, at: usize, message: impl Into<String>) -> Option<T> {
        self.problems.push(FilterProblem { at, message: message.into() });
        None
    }

    fn filter(&mut self, term: &Term) -> Option<Condition<String>> {
        if let TermKind::Map(list) = &term.kind
            && list.iter().any(|(_, name, _)| CONDITION_KEYS.iter().any(|key| key.as_bytes() == name))
            && !list.iter().any(|(_, name, _)| name == b"where")
        {
            let message = "the condition stands without `where`; put it into `{where: …}`";
            return self.problem(list[0].0, message);
        }
        let members = self.members(term, "a filter is `{where: …}`", &["where"])?;
        match members.get("where") {
            Some(condition) => self.condition(condition, 0),
            None => self.problem(members.at, "a filter needs `where` at the top"),
        }
    }

    fn condition(&mut self, term: &Term, depth: usize) -> Option<Condition<String>> {
        if depth >= MAX_DEPTH {
            return self.problem(
                term.at,
                format!(
                    "conditions are nested deeper than {MAX_DEPTH} levels; `and` within `and` can be one list"
                ),
            );
        }
        let members = self.members(term, CONDITION, &CONDITION_KEYS)?;
        let lists = (members.get("and"), members.get("or"));
        if let (None, None) = lists {
            return self.predicate(&members).map(Condition::Is);
        }
        if members.list.len() > 1 {
            self.problem::<()>(
                members.at,
                "`and` and `or` stand alone in their condition; put one into the list of the other",
            );
        }
        // Both are read even if only one may be there, so that all problems are found.
        let all = lists.0.and_then(|all| self.conditions(all, "and", depth).map(Condition::All));
        let any = lists.1.and_then(|any| self.conditions(any, "or", depth).map(Condition::Any));
        all.or(any)
    }

    fn conditions(&mut self, term: &Term, name: &str, depth: usize) -> Option<Vec<Condition<String>>> {
        match &term.kind {
            TermKind::List(list) if list.is_empty() => self.problem(
                term.at,
                format!("`{name}` needs at least one condition; put one in, or take it out"),
            ),
            TermKind::List(list) => {
                // Each is read even after a bad one, so that all problems are found.
                let conditions: Vec<_> = list.iter().map(|one| self.condition(one, depth + 1)).collect();
                conditions.into_iter().collect()
            }
            _ => self.problem(term.at, format!("`{name}` takes a list of conditions")),
        }
    }

    fn predicate(&mut self, members: &Members<'_>) -> Option<Predicate<String>> {
        let key = self.required(members, "key").and_then(|term| self.text(term, "key"));
        let operator = self.required(members, "operator").and_then(|term| self.text(term, "operator"));
        let value = self.required(members, "value");
        let (operator, value) = (operator?, value?);
        let at = members.get("operator").map_or(members.at, |term| term.at);
        let (negated, name) = match operator.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, &operator[..]),
        };
        let test = match name {
            "eq" => {
                let expected = match value.kind {
                    TermKind::List(_) if negated => {
                        "a string, a number or a boolean; for several values there is `!in`"
                    }
                    TermKind::List(_) => "a string, a number or a boolean; for several values there is `in`",
                    TermKind::Null => {
                        "a string, a number or a boolean; what is missing or null satisfies every `!` operator"
                    }
                    _ => "a string, a number or a boolean",
                };
                self.operand(value, expected).map(|one| Test::OneOf(vec![one]))
            }
            "in" => self.operands(value).map(Test::OneOf),
            "lt" | "leq" | "gt" | "geq" if negated => {
                return self
                    .problem(at, format!("`{operator}` is no operator; there is `{}`", opposite(name)));
            }
            "lt" => self.number(value).map(|number| Test::Compare(Relation::Less, number)),
            "leq" => self.number(value).map(|number| Test::Compare(Relation::LessOrEqual, number)),
            "gt" => self.number(value).map(|number| Test::Compare(Relation::Greater, number)),
            "geq" => self.number(value).map(|number| Test::Compare(Relation::GreaterOrEqual, number)),
            "startsWith" => self.bytes(value, &operator).map(|text| Test::StartsWith(text.to_vec())),
            "endsWith" => self.bytes(value, &operator).map(|text| Test::EndsWith(text.to_vec())),
            "contains" => self.bytes(value, &operator).map(|text| Test::Contains(Needle::new(text))),
            _ => {
                let help = match meant(&operator) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("there are {OPERATORS}"),
                };
                return self.problem(at, format!("unknown operator `{operator}`; {help}"));
            }
        };
        let (key, test) = (key?, test?);
        let value = Excerpt::new(value.to_json().as_bytes());
        self.written.push(Arc::new(WrittenPredicate { key: key.clone(), operator, value }));
        Some(Predicate { key, negated, test })
    }

    fn members<'t>(&mut self, term: &'t Term, what: &str, known: &[&str]) -> Option<Members<'t>> {
        let TermKind::Map(list) = &term.kind else { return self.problem(term.at, what) };
        let n_before = self.problems.len();
        for (i, (at, name, _)) in list.iter().enumerate() {
            let shown = String::from_utf8_lossy(name);
            if !known.contains(&&*shown) {
                let negation = if shown == "not" {
                    "what must not hold has a `!` before its operator, as `!eq`; "
                } else {
                    ""
                };
                self.problem::<()>(*at, format!("unknown key `{shown}`; {negation}{what}"));
            } else if list[..i].iter().any(|(_, earlier, _)| earlier == name) {
                self.problem::<()>(*at, format!("`{shown}` is given twice"));
            }
        }
        (self.problems.len() == n_before).then_some(Members { at: term.at, list })
    }

    fn required<'t>(&mut self, members: &Members<'t>, name: &str) -> Option<&'t Term> {
        members
            .get(name)
            .or_else(|| self.problem(members.at, format!("a condition needs `{name}`; {CONDITION}")))
    }

    fn text(&mut self, term: &Term, name: &str) -> Option<String> {
        let text = self.bytes(term, name)?;
        let lone = || self.problem(term.at, format!("`{name}` holds a lone surrogate"));
        String::from_utf8(text.to_vec()).ok().or_else(lone)
    }

    fn bytes<'t>(&mut self, term: &'t Term, name: &str) -> Option<&'t [u8]> {
        match &term.kind {
            TermKind::Text(text) => Some(text),
            _ => self.problem(term.at, format!("`{name}` takes a string")),
        }
    }

    fn operand(&mut self, term: &Term, expected: &str) -> Option<Operand> {
        match &term.kind {
            TermKind::Text(text) => Some(Operand::new(text.clone())),
            TermKind::Number(raw) => Some(Operand::new(raw.clone().into_bytes())),
            TermKind::Bool(value) if expected.contains("boolean") => {
                Some(Operand::new(value.to_string().into_bytes()))
            }
            _ => self.problem(term.at, format!("expected {expected}")),
        }
    }

    fn operands(&mut self, term: &Term) -> Option<Vec<Operand>> {
        match &term.kind {
            TermKind::List(list) if !list.is_empty() => {
                let operands: Vec<_> =
                    list.iter().map(|one| self.operand(one, "a string or a number")).collect();
                operands.into_iter().collect()
            }
            TermKind::List(_) => self.problem(term.at, "`in` needs at least one value"),
            _ => self.problem(
                term.at,
                "`in` takes a list of strings and numbers; write `[…]` around a single one",
            ),
        }
    }

    fn number(&mut self, term: &Term) -> Option<Number> {
        let number = match &term.kind {
            TermKind::Number(raw) => Number::parse(raw.as_bytes()),
            TermKind::Text(text) => Number::parse(text),
            _ => None,
        };
        number
            .or_else(|| self.problem(term.at, "expected a number, or a string that is one by JSON's grammar"))
    }
}

fn opposite(name: &str) -> &'static str {
    match name {
        "lt" => "geq",
        "leq" => "gt",
        "gt" => "leq",
        _ => "lt",
    }
}
