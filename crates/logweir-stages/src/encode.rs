//! Renders the events of a batch as bytes for a sink.

/// The configuration of what is written of an event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EncodeConfig {
    /// The top-level fields to write, in this order; `None` writes the event as it is.
    pub field_names: Option<Vec<String>>,
}
