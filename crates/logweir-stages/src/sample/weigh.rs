//! How many events a kept one stands for.

use logweir_event::{Batch, Edits};
use logweir_json::{Number, Projection, SetMember, Value, write_number};

/// Writes weights into events.
pub(super) struct Weigh {
    member: SetMember,
    /// Memory for the one edit of the event at hand.
    edits: Edits,
    /// Its line after that.
    line: Vec<u8>,
}

impl Weigh {
    /// Returns who writes weights into the top-level field `name`, having asked `projection` for it.
    pub(super) fn new(name: &str, projection: &mut Projection) -> Self {
        Self { member: projection.ask_to_set(name), edits: Edits::default(), line: Vec::new() }
    }

    /// Multiplies the weight that an event has with `weight`. It has one if the field is a number greater than 0 and
    /// within the doubles; else it has stood for itself alone, and the field is written anew. An event whose weight stays
    /// as it is stays untouched.
    pub(super) fn write(&mut self, batch: &mut Batch, event: usize, weight: f64) {
        let before = batch.field(event, self.member.column()).and_then(weight_of);
        // What is beyond the doubles would be no number in JSON.
        let after = before.map_or(weight, |before| (before * weight).min(f64::MAX));
        if before != Some(after) {
            let write = |text: &mut Vec<u8>| write_number(after, text);
            self.member.set(batch, event, &mut self.edits, &mut self.line, write);
        }
    }
}

/// Returns the weight that a field's value is, if it is one.
fn weight_of(raw: &[u8]) -> Option<f64> {
    let Value::Number(raw) = Value::of(raw) else { return None };
    let weight = Number::parse(raw)?.to_double();
    (weight > 0.0 && weight.is_finite()).then_some(weight)
}
