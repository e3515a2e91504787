//! Hides what must not be seen of an event that somebody watches.

use std::ops::Range;

use logweir_json::{every_value_at, redact_lookups};

/// What stands where a value was.
const HIDDEN: &[u8] = b"\"[redacted]\"";

/// Says which parts of an event are hidden from who watches it. It is no stage: what is delivered stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Redaction {
    /// Fields whose values are hidden: as top-level names, and as dotted paths into objects and the elements of arrays.
    pub fields: Vec<String>,
    /// Whether lookups are hidden too, as `CVE-2021-44228` does it in what is written.
    pub lookups: bool,
}

impl Redaction {
    /// Returns an event, given from its `{` to its `}`, with every value of a hidden field replaced by `"[redacted]"`,
    /// duplicates of names and other spellings of them included; `None` if it is not sure that all are found, as where arrays
    /// lie too deep in one another.
    pub fn apply(&self, event: &[u8]) -> Option<Vec<u8>> {
        let mut hidden = Vec::new();
        for field in &self.fields {
            let path: Vec<&str> = field.split('.').collect();
            let is_all = every_value_at(event, &[field], &mut hidden);
            if !is_all || (path.len() > 1 && !every_value_at(event, &path, &mut hidden)) {
                return None;
            }
        }
        let mut shown = without(event, hidden);
        if self.lookups {
            redact_lookups(&mut shown);
        }
        Some(shown)
    }
}

/// Returns the event with something else in the place of each range; one that lies in another goes with it.
fn without(event: &[u8], mut ranges: Vec<Range<usize>>) -> Vec<u8> {
    // The outer one of two that begin at the same place comes first.
    ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut shown = Vec::with_capacity(event.len());
    let mut at = 0;
    for range in ranges {
        if range.start >= at {
            shown.extend_from_slice(&event[at..range.start]);
            shown.extend_from_slice(HIDDEN);
            at = range.end;
        }
    }
    shown.extend_from_slice(&event[at..]);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fields: &[&str], event: &str) -> Option<String> {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        let shown = Redaction { fields, lookups: true }.apply(event.as_bytes())?;
        Some(String::from_utf8(shown).unwrap())
    }

    #[test]
    fn values_go_and_all_else_stays() {
        let event = r#"{ "Event":{"Request":{"Headers":{"cookie":"s3cret"},"URL":"/"}} ,"Event.Request":"s3cret","Logs":[{"Message":["s3cret"]},{"Message":"s3cret"}],"n":1.0}"#;
        let hidden = r#"{ "Event":{"Request":"[redacted]"} ,"Event.Request":"[redacted]","Logs":[{"Message":"[redacted]"},{"Message":"[redacted]"}],"n":1.0}"#;
        let fields = ["Event.Request.Headers", "Event.Request", "Logs.Message", "Missing"];
        assert_eq!(shown(&fields, event).as_deref(), Some(hidden));
        assert_eq!(shown(&[], event).as_deref(), Some(event));
    }

    #[test]
    fn lookups_go_too() {
        assert_eq!(shown(&[], r#"{"a":"${jndi:x}\u0024{"}"#).as_deref(), Some(r#"{"a":"x{jndi:x}\u0078{"}"#));
    }

    #[test]
    fn what_cannot_be_looked_through_is_not_shown() {
        let nested = format!(r#"{{"a":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
        assert_eq!(shown(&["a.b"], &nested), None);
        assert_eq!(shown(&["a"], &nested).as_deref(), Some(r#"{"a":"[redacted]"}"#));
    }
}
