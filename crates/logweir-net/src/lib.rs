//! Bytes over the network.
//!
//! What every destination needs and none should make for itself: a [`Secret`] that nobody prints by mistake, a
//! [`Verdict`] on what an answer means, a [`Backoff`] between two attempts, and a [`Failure`] for an attempt that was
//! not answered. Nothing here knows what an event is.

mod backoff;
mod failure;
mod retry;
mod secret;

pub use backoff::Backoff;
pub use failure::Failure;
pub use retry::{MAX_RETRY_AFTER, Verdict};
pub use secret::Secret;
