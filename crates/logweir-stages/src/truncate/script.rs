//! The script of an event, as metrics name it.

use logweir_event::{Batch, ColumnId};
use logweir_json::{Projection, Text, Unit, Value};

use crate::Tally;
use crate::scripts::{Cuts, NONE};

/// The most bytes of a script's name that are shown. Its own are never as long; whatever else stands there must not
/// make a scrape huge.
const MAX_NAME_BYTES: u64 = 128;

/// What stands for the rest of a longer name.
const REST: &str = "…";

/// Counts what is cut by script.
pub(super) struct Scripts {
    column: ColumnId,
    /// The most scripts that are to be told apart.
    max: usize,
    /// The name at hand.
    name: String,
}

impl Scripts {
    /// Returns what counts up to `max_scripts`, having asked `projection` for the field.
    pub(super) fn new(max_scripts: usize, projection: &mut Projection) -> Self {
        Self { column: projection.ask_top_level("ScriptName"), max: max_scripts, name: String::new() }
    }

    /// Counts what was cut of an event.
    pub(super) fn count(&mut self, batch: &Batch, event: usize, cuts: &Cuts, tally: &mut Tally) {
        self.name.clear();
        match batch.field(event, self.column).map(Value::of) {
            // An empty label is none to Prometheus.
            Some(Value::String(name)) if !name.raw().is_empty() => show(&name, &mut self.name),
            _ => self.name.push_str(NONE),
        }
        tally.scripts.count(&self.name, cuts, self.max);
    }
}

/// Appends a name, of a long one its beginning.
fn show(name: &Text<'_>, shown: &mut String) {
    let is_long = name.fit(MAX_NAME_BYTES, Unit::Bytes).0 < name.raw().len();
    if !is_long {
        return name.decode_lossy_into(shown);
    }
    let (n_bytes, _) = name.fit(MAX_NAME_BYTES - REST.len() as u64, Unit::Bytes);
    Text::new(&name.raw()[..n_bytes]).decode_lossy_into(shown);
    shown.push_str(REST);
}
