//! The naive oracle: what must come out, worked out in the plainest way.
//!
//! It is the specification in another form: one function a rule, a tree where the product has spans, a copy where
//! the product has a slice. It shares no code with the product, not even the JSON parser, and takes no care of
//! speed. Where the two differ, one of them is wrong.

pub mod decode;
pub mod encode;
pub mod filter;
pub mod json;
pub mod member;
pub mod sample;
pub mod truncate;

mod compare;
mod run;

pub use compare::{same_lines, same_tokens};
pub use run::{Outcome, Passed, Stage, run, run_as, run_stages};
