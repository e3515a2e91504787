//! Following files.
//!
//! The law: every whole line that could be read for long enough comes at least once, and once only unless something crashed;
//! nothing is skipped in silence, and what comes again because nothing could tell is counted. [`model`] tests it with
//! whatever may happen to files in whatever order; the others test what has a name, one thing each.

mod bounds;
mod copies;
mod kept;
mod model;
mod places;
mod positions;
mod rotation;
mod unfinished;
mod world;
