//! Odd input for property tests.
//!
//! All strategies give text, not trees: how a value is spelled is what the product must not change, so spelling
//! is what they vary. They draw from few names and values, so that duplicates and matches happen.

mod event;
mod filter;
mod json;
mod options;
mod stream;

pub use event::any_event;
pub use filter::{any_filter, any_refused_filter};
pub use json::{any_json, any_number, any_string};
pub use options::any_options;
pub use stream::{any_line, any_stream, mutated};
