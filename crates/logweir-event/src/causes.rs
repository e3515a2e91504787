//! An error with all that led to it, as one text.

use std::error::Error;
use std::iter::successors;

/// Returns an error's text followed by those of its causes, with colons between.
pub fn with_causes(error: &dyn Error) -> String {
    let errors = successors(Some(error), |&error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
