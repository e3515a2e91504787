//! What was cut of an event, written into it.

use std::fmt::Write as _;

use logweir_event::{Batch, Edits};
use logweir_json::{Projection, SetMember, Unit};

/// How the report names the lists, in the order in which the budget is spent.
const LISTS: [&str; 3] = ["ExceptionNames", "ExceptionMessages", "LogMessages"];

/// The last list, which alone has texts that are elements of an array.
const LOG_MESSAGES: usize = 2;

/// What was cut of one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Removed {
    /// Counted units of each list.
    pub(super) characters: [u64; 3],
    /// Whether a marker stands in the list, or stood there before its element went too.
    pub(super) is_marked: [bool; 3],
    /// Exceptions that are gone; counted only for a report.
    pub(super) n_exceptions: u64,
    /// Logs that are gone; counted only for a report.
    pub(super) n_logs: u64,
    /// Elements that are gone of the message of the last log that stays; counted only for a report.
    pub(super) n_message_elements: u64,
}

/// Writes reports.
pub(super) struct Report {
    member: SetMember,
    /// What every report of this stage begins with.
    head: String,
    /// The report at hand.
    text: String,
    /// What the event has in its place, as it is written; nothing if it has none.
    before: Vec<u8>,
}

impl Removed {
    /// Returns how many elements of the array are gone whose texts make a list.
    fn n_elements(&self, list: usize) -> u64 {
        if list == LOG_MESSAGES { self.n_logs } else { self.n_exceptions }
    }
}

impl Report {
    /// Returns what writes reports of a stage under a name, having asked `projection` to.
    pub(super) fn new(name: &str, limit: u64, unit: Unit, projection: &mut Projection) -> Self {
        let unit = match unit {
            Unit::Chars => "chars",
            Unit::Utf16 => "utf16",
            Unit::Bytes => "bytes",
        };
        Self {
            member: projection.ask_to_set(name),
            head: format!(r#"{{"Limit":{limit},"Unit":"{unit}""#),
            text: String::new(),
            before: Vec::new(),
        }
    }

    /// Makes the edits in an event's line, with the report. What stood in its place becomes its last member, so that
    /// nothing is lost.
    pub(super) fn write(
        &mut self,
        batch: &mut Batch,
        event: usize,
        removed: &Removed,
        edits: &mut Edits,
        line: &mut Vec<u8>,
    ) {
        self.before.clear();
        self.before.extend_from_slice(batch.field(event, self.member.column()).unwrap_or_default());
        self.render(removed).expect("a string takes everything");
        let Self { member, text, before, .. } = self;
        member.set(batch, event, edits, line, |value| {
            value.extend_from_slice(text.as_bytes());
            if !before.is_empty() {
                value.extend_from_slice(b",\"Before\":");
                value.extend_from_slice(before);
            }
            value.push(b'}');
        });
    }

    /// Renders the report up to what was there before.
    fn render(&mut self, removed: &Removed) -> std::fmt::Result {
        let Self { head, text, .. } = self;
        text.clear();
        text.push_str(head);
        for (list, name) in LISTS.into_iter().enumerate() {
            let n_elements = removed.n_elements(list);
            if !removed.is_marked[list] && n_elements == 0 {
                continue;
            }
            let characters = removed.characters[list];
            write!(text, r#","{name}":{{"Characters":{characters},"Elements":{n_elements}"#)?;
            if list == LOG_MESSAGES {
                write!(text, r#","MessageElements":{}"#, removed.n_message_elements)?;
            }
            text.push('}');
        }
        Ok(())
    }
}
