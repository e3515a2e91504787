//! What stands around the events of a batch that is delivered as one piece.

use bytes::Bytes;

/// What stands around the events of a batch that is delivered as one piece: an object, or the body of a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BatchFrame {
    /// Stands once before the events.
    pub prefix: Bytes,
    /// Stands once behind them.
    pub suffix: Bytes,
    /// Whether every `${` becomes `x{`. It is done in `prefix`, in `suffix` and in each payload already; where one
    /// piece ends in `$` and the next begins with `{`, it is left to who puts them together.
    pub is_redacted: bool,
}
