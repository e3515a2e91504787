//! Cutting an event's texts to a budget of characters.
//!
//! In three steps that know nothing of each other: walk the lists in the order in which the budget is spent and
//! note what is to be cut and what is to be dropped; apply these notes to the text; count what got lost by asking
//! of every text that counts whether it lies in something dropped or was cut.

use std::ops::Range;

use super::decode::Event;
use super::encode::quoted;
use super::json::{Character, Kind, Node, Text};

/// The label of each kind of text that counts, in the order in which the budget is spent.
const LABELS: [&str; 3] = ["exception names", "exception messages", "messages"];
/// The exceptions' field that has each of the first two.
const FIELDS: [&str; 2] = ["Name", "Message"];
const NAMES: usize = 0;
const EXCEPTION_MESSAGES: usize = 1;
const LOG_MESSAGES: usize = 2;

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Unit {
    /// Code points of the decoded text; a lone surrogate is one.
    #[default]
    Chars,
    /// UTF-16 code units of the decoded text.
    Utf16,
    /// Bytes of the decoded text in UTF-8; a lone surrogate takes three.
    Bytes,
}

/// What [`truncate`] made of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Truncated {
    /// The event's line as it is now.
    pub line: Vec<u8>,
    /// Whether anything was cut.
    pub cut: bool,
    /// Units that the event had and the line lacks, markers not counted, what was dropped included: of exception
    /// names, of exception messages, of log messages.
    pub lost: [u64; 3],
    /// Of which of these lists anything is missing, if only a marker says so.
    pub named: [bool; 3],
    /// Exceptions that are gone.
    pub exceptions: usize,
    /// Logs that are gone.
    pub logs: usize,
    /// Elements that are gone of messages of logs that stay; one that a marker stands for is not.
    pub message_elements: usize,
}

impl Truncated {
    /// Returns what a report says of it, `before` being what the event has in its place.
    pub fn report(&self, limit: usize, unit: Unit, before: Option<&str>) -> String {
        let unit = match unit {
            Unit::Chars => "chars",
            Unit::Utf16 => "utf16",
            Unit::Bytes => "bytes",
        };
        let gone = [
            format!("\"Elements\":{}", self.exceptions),
            format!("\"Elements\":{}", self.exceptions),
            format!("\"Elements\":{},\"MessageElements\":{}", self.logs, self.message_elements),
        ];
        let mut members = vec![format!("\"Limit\":{limit}"), format!("\"Unit\":\"{unit}\"")];
        for (i, name) in ["ExceptionNames", "ExceptionMessages", "LogMessages"].into_iter().enumerate() {
            if self.named[i] {
                members.push(format!("\"{name}\":{{\"Characters\":{},{}}}", self.lost[i], gone[i]));
            }
        }
        members.extend(before.map(|before| format!("\"Before\":{before}")));
        format!("{{{}}}", members.join(","))
    }
}

/// The most bytes of a script's name that are shown.
const MAX_SCRIPT_BYTES: usize = 128;

/// Returns the script of an event as metrics name it.
pub fn script(event: &Event) -> String {
    let name = event.object().get("ScriptName");
    let characters = name.iter().flat_map(|name| name.characters().unwrap_or_default());
    let shown = |character: &Character| char::from_u32(character.code).unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut text: String = characters.map(shown).collect();
    if text.is_empty() {
        return String::from("(none)");
    }
    if text.len() > MAX_SCRIPT_BYTES {
        while text.len() + '…'.len_utf8() > MAX_SCRIPT_BYTES {
            text.pop();
        }
        text.push('…');
    }
    text
}

/// Returns an event's line with no more than `limit` units of the texts that count.
pub fn truncate(event: &Event, limit: usize, unit: Unit) -> Truncated {
    let exceptions = list(event, "Exceptions");
    let logs = list(event, "Logs");
    let mut plan =
        Plan { line: event.line(), unit, left: limit, cut: false, cuts: Vec::new(), dropped: Vec::new() };

    let n_left = plan.spend_on_exceptions(&exceptions, exceptions.len(), NAMES);
    plan.spend_on_exceptions(&exceptions, n_left, EXCEPTION_MESSAGES);
    plan.spend_on_logs(&logs);

    let counted: [Vec<Node>; 3] = [
        strings(&exceptions, FIELDS[NAMES]),
        strings(&exceptions, FIELDS[EXCEPTION_MESSAGES]),
        logs.iter().filter_map(|log| log.get("Message")).flat_map(charged).collect(),
    ];
    let n_gone = |elements: &[Node]| elements.iter().filter(|element| plan.is_dropped(element)).count();
    let n_exceptions = n_gone(&exceptions);
    let messages = logs.iter().filter(|log| !plan.is_dropped(log)).filter_map(|log| log.get("Message"));
    let n_message_elements = messages.map(|message| {
        // Of an array that is replaced as a whole, the marker stands for the first element.
        n_gone(&message.elements()).saturating_sub(usize::from(plan.is_replaced(&message)))
    });
    let is_cut = |label| plan.cuts.iter().any(|cut| cut.label == label);
    Truncated {
        line: plan.apply(),
        named: [
            is_cut(NAMES) || n_exceptions > 0,
            is_cut(EXCEPTION_MESSAGES) || n_exceptions > 0,
            is_cut(LOG_MESSAGES),
        ],
        exceptions: n_exceptions,
        logs: n_gone(&logs),
        message_elements: n_message_elements.sum(),
        cut: plan.cut,
        lost: counted.map(|texts| texts.iter().map(|text| plan.lost_of(text)).sum::<usize>() as u64),
    }
}

/// Returns the elements of a top-level array; none if it is missing or no array.
fn list(event: &Event, name: &str) -> Vec<Node> {
    event.object().get(name).map(|list| list.elements()).unwrap_or_default()
}

/// Returns the fields of this name that are strings.
fn strings(exceptions: &[Node], field: &str) -> Vec<Node> {
    exceptions.iter().filter_map(|exception| string(exception, field)).collect()
}

fn string(exception: &Node, field: &str) -> Option<Node> {
    exception.get(field).filter(|text| text.kind() == Kind::String)
}

/// Returns what is charged of a log's message: the elements of an array, or the one value it is.
fn charged(message: Node) -> Vec<Node> {
    if message.kind() == Kind::Array { message.elements() } else { vec![message] }
}

/// Returns what is counted of a value: a string's decoded characters, of any other the text it is written with.
fn characters(value: &Node) -> Vec<Character> {
    if let Some(characters) = value.characters() {
        return characters.to_vec();
    }
    let start = value.span().start;
    let character = |(at, character): (usize, char)| Character {
        code: u32::from(character),
        spelled: start + at..start + at + character.len_utf8(),
    };
    value.raw().char_indices().map(character).collect()
}

impl Unit {
    /// Returns how many units some characters are.
    pub fn count(self, characters: &[Character]) -> usize {
        characters.iter().map(|character| self.width(character.code)).sum()
    }

    fn width(self, code: u32) -> usize {
        match self {
            Self::Chars => 1,
            Self::Utf16 => 1 + usize::from(code >= 0x1_0000),
            Self::Bytes => Text(vec![code]).to_wtf8().len(),
        }
    }
}

struct Plan<'e> {
    line: &'e [u8],
    unit: Unit,
    /// What is left of the budget.
    left: usize,
    /// Whether some text did not fit; from then on none does.
    cut: bool,
    cuts: Vec<Cut>,
    /// Bytes of the line to leave out. Of two that overlap, one holds the other.
    dropped: Vec<Range<usize>>,
}

struct Cut {
    /// The kind of text.
    label: usize,
    /// Bytes of the line that go.
    replaced: Range<usize>,
    /// What comes in their place.
    text: String,
    /// The value that this cuts, and the units of it that are kept; `None` for an array whose elements are dropped.
    kept: Option<(Range<usize>, usize)>,
}

impl Plan<'_> {
    /// Spends on one field of the first `n` exceptions and returns how many of all are left.
    fn spend_on_exceptions(&mut self, exceptions: &[Node], n: usize, label: usize) -> usize {
        let field = FIELDS[label];
        for (i, exception) in exceptions[..n].iter().enumerate() {
            if string(exception, field).is_some_and(|text| self.charge(&text, label)) {
                self.drop_after(i, exceptions);
                return i + 1;
            }
        }
        n
    }

    fn spend_on_logs(&mut self, logs: &[Node]) {
        for (i, log) in logs.iter().enumerate() {
            if log.get("Message").is_some_and(|message| self.charge_message(&message)) {
                return self.drop_after(i, logs);
            }
        }
    }

    /// Charges a log's message and returns whether it was cut.
    fn charge_message(&mut self, message: &Node) -> bool {
        let values = charged(message.clone());
        if message.kind() == Kind::Array && self.cut {
            // Reached after the cut, even an empty array becomes one of the marker alone.
            let text = format!("[{}]", quoted(&marker(LOG_MESSAGES)));
            self.cuts.push(Cut { label: LOG_MESSAGES, replaced: message.span(), text, kept: None });
            self.dropped.push(message.span().start + 1..message.span().end);
            return true;
        }
        for (i, value) in values.iter().enumerate() {
            if self.charge(value, LOG_MESSAGES) {
                self.drop_after(i, &values);
                return true;
            }
        }
        false
    }

    /// Charges one text and returns whether it was cut.
    fn charge(&mut self, value: &Node, label: usize) -> bool {
        let characters = characters(value);
        let size = self.unit.count(&characters);
        if self.cut {
            self.cut_behind(value, &[], label);
            return true;
        }
        if size <= self.left {
            self.left -= size;
            return false;
        }
        let mut n_kept = 0;
        while self.unit.width(characters[n_kept].code) <= self.left {
            self.left -= self.unit.width(characters[n_kept].code);
            n_kept += 1;
        }
        self.cut = true;
        self.cut_behind(value, &characters[..n_kept], label);
        true
    }

    /// Notes that only the characters `kept` are left of a value; of a string they keep their spelling.
    fn cut_behind(&mut self, value: &Node, kept: &[Character], label: usize) {
        let Range { start, end } = value.span();
        let (replaced, text) = if value.kind() == Kind::String {
            let end_of_kept = kept.last().map_or(start + 1, |last| last.spelled.end);
            (end_of_kept..end - 1, marker(label))
        } else {
            let prefix: String = value.raw().chars().take(kept.len()).collect();
            (start..end, quoted(&(prefix + &marker(label))))
        };
        self.cuts.push(Cut { label, replaced, text, kept: Some((start..end, self.unit.count(kept))) });
    }

    /// Notes that all elements behind element `i` go, from the comma before them.
    fn drop_after(&mut self, i: usize, elements: &[Node]) {
        let Some(last) = elements[i + 1..].last() else { return };
        let end = elements[i].span().end;
        let to_comma = self.line[end..].iter().take_while(|&&byte| byte != b',').count();
        self.dropped.push(end + to_comma..last.span().end);
    }

    /// Returns the line with all cuts made and all dropped left out.
    fn apply(&self) -> Vec<u8> {
        let cuts = self.cuts.iter().map(|cut| (cut.replaced.clone(), cut.text.as_str()));
        let mut edits: Vec<_> = cuts.chain(self.dropped.iter().map(|range| (range.clone(), ""))).collect();
        edits.sort_by_key(|(range, _)| range.start);
        let mut out = Vec::new();
        let mut at = 0;
        for (range, text) in edits {
            // What starts before `at` lies within something dropped.
            if range.start >= at {
                out.extend_from_slice(&self.line[at..range.start]);
                out.extend_from_slice(text.as_bytes());
                at = range.end;
            }
        }
        out.extend_from_slice(&self.line[at..]);
        out
    }

    /// Returns whether a value lies in something dropped.
    fn is_dropped(&self, value: &Node) -> bool {
        self.dropped.iter().any(|range| range.contains(&value.span().start))
    }

    /// Returns whether a marker stands for a whole array.
    fn is_replaced(&self, array: &Node) -> bool {
        self.cuts.iter().any(|cut| cut.kept.is_none() && cut.replaced == array.span())
    }

    /// Returns how many units of a text that counts are lost.
    fn lost_of(&self, value: &Node) -> usize {
        let size = self.unit.count(&characters(value));
        if self.is_dropped(value) {
            return size;
        }
        let of_value = |cut: &Cut| cut.kept.clone().filter(|(span, _)| *span == value.span());
        self.cuts.iter().find_map(of_value).map_or(0, |(_, kept)| size - kept)
    }
}

fn marker(label: usize) -> String {
    format!("<<<Logpush: {} truncated>>>", LABELS[label])
}
