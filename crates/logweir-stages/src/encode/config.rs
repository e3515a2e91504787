//! What is written of an event: Logpush's output options, save those that are no matter of writing.

use logweir_json::Projection;

use super::PAYLOAD_BYTES;
use super::layout::Layout;
use super::template::RecordTemplate;

/// How much longer an event may be than its line was, by what truncate puts in it: a marker for each of three lists
/// from each of 16 stages, each below 64 bytes. (What it makes a string of may double besides.)
const MAX_ADDED_BYTES: u64 = 3 * 16 * 64;

/// How values are rendered, and what stands around them by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OutputType {
    /// JSON values as they are written; an event is an object on a line of its own.
    #[default]
    Ndjson,
    /// Strings as the text they mean, in quotes, quotes in it doubled; a surrogate escape without its other half has
    /// no such text and keeps its spelling. Numbers and booleans as they are written, null and what is missing empty,
    /// arrays and objects as their JSON text in quotes like a string's.
    Csv,
}

/// The configuration of what is written of an event.
///
/// Where an option is `None`, the [`OutputType`] says what holds. By default an event is written as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EncodeConfig {
    /// The top-level fields to write, in this order; `None` writes the event as it is.
    pub field_names: Option<Vec<String>>,
    /// How values are rendered.
    pub output_type: OutputType,
    /// Stands once before the events of a batch; by default nothing.
    pub batch_prefix: Option<String>,
    /// Stands once behind the events of a batch; by default nothing.
    pub batch_suffix: Option<String>,
    /// Stands before each event: `{` by default, in csv nothing.
    pub record_prefix: Option<String>,
    /// Stands behind each event: `}` and a line feed by default, in csv a line feed.
    pub record_suffix: Option<String>,
    /// Stands between the events of a batch; by default nothing. Whoever collects batches takes it off their first.
    pub record_delimiter: Option<String>,
    /// Stands between fields that no template places; a comma by default.
    pub field_delimiter: Option<String>,
    /// What stands between `record_prefix` and `record_suffix` in the place of the joined fields. An empty one is none.
    /// A field that is not one of `field_names` is `null` in it.
    pub record_template: Option<RecordTemplate>,
    /// Whether each `${` of what is written becomes `x{`, also where it is spelled with escapes.
    pub redact_cve_2021_44228: bool,
}

/// Something wrong with the output options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodeProblem {
    /// The option that is at fault, by the name that it has in Logpush.
    pub option: &'static str,
    /// What is wrong: one line, no full stop.
    pub message: String,
    /// What would be right, where that can be said: one line.
    pub help: Option<String>,
}

impl EncodeConfig {
    /// Returns all that is wrong with the options beside each other, for events whose lines have at most
    /// `max_event_bytes` bytes.
    pub fn problems(&self, max_event_bytes: usize) -> Vec<EncodeProblem> {
        match &self.field_names {
            None => self.options_for_fields().map(needs_field_names).collect(),
            Some(names) if names.is_empty() => vec![no_field()],
            Some(_) => self.too_long(max_event_bytes).into_iter().collect(),
        }
    }

    /// Returns whether every event is one line: it ends in a line feed and has no other. What stands around a batch
    /// does not matter.
    pub fn is_one_line_an_event(&self) -> bool {
        self.layout(&mut Projection::default()).is_none_or(|layout| layout.is_one_line())
    }

    /// Returns how many bytes an event may become whose line has at most `max_event_bytes` bytes.
    pub fn max_rendered_bytes(&self, max_event_bytes: usize) -> u64 {
        let n_bytes = (max_event_bytes as u64).saturating_mul(2).saturating_add(MAX_ADDED_BYTES);
        let layout = self.layout(&mut Projection::default());
        layout.map_or(n_bytes, |layout| layout.max_rendered_bytes(n_bytes))
    }

    /// Returns how an event is rendered, having asked `projection` for its fields; `None` if it is written as it is.
    pub(super) fn layout(&self, projection: &mut Projection) -> Option<Layout> {
        self.field_names.as_ref().map(|names| Layout::new(self, names, projection))
    }

    /// Returns the options that are set and mean nothing without `field_names`.
    fn options_for_fields(&self) -> impl Iterator<Item = &'static str> {
        let texts = [
            ("record_prefix", &self.record_prefix),
            ("record_suffix", &self.record_suffix),
            ("record_delimiter", &self.record_delimiter),
            ("field_delimiter", &self.field_delimiter),
        ];
        let is_csv = self.output_type == OutputType::Csv;
        let has_template = self.record_template.as_ref().is_some_and(|template| !template.is_empty);
        let others = [("output_type", is_csv), ("record_template", has_template)];
        let texts = texts.map(|(option, text)| (option, text.is_some()));
        others.into_iter().chain(texts).filter_map(|(option, is_set)| is_set.then_some(option))
    }

    /// Returns the problem that an event may become longer than a payload can be.
    fn too_long(&self, max_event_bytes: usize) -> Option<EncodeProblem> {
        // A payload is nearly full when its last event is rendered.
        let limit = u64::from(u32::MAX) - PAYLOAD_BYTES as u64;
        let n_bytes = self.max_rendered_bytes(max_event_bytes);
        (n_bytes > limit).then(|| EncodeProblem {
            option: if self.record_template.is_some() { "record_template" } else { "field_names" },
            message: format!(
                "an event of {max_event_bytes} bytes could become {n_bytes}, and {limit} are the most"
            ),
            help: Some("write a field less often, or lower `limits.max_event_bytes`".to_owned()),
        })
    }
}

fn needs_field_names(option: &'static str) -> EncodeProblem {
    let what = if option == "output_type" { "csv" } else { option };
    EncodeProblem {
        option,
        message: format!("`{what}` needs `field_names`: without them an event is written as it is"),
        help: Some("name the fields to write, in their order".to_owned()),
    }
}

fn no_field() -> EncodeProblem {
    EncodeProblem {
        option: "field_names",
        message: "`field_names` is empty: nothing would be written of an event".to_owned(),
        help: Some("name a field, or leave it out to write events as they are".to_owned()),
    }
}
