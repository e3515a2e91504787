//! Bytes over the network.
//!
//! What every destination needs and none should make for itself: a [`Client`] with a timeout for each phase of a
//! request, a [`Secret`] that nobody prints by mistake, a [`Verdict`] on what an answer means, a [`Backoff`] between two
//! attempts, and a [`Failure`] for an attempt that was not answered. Nothing here knows what an event is.

mod answer;
mod backoff;
mod body;
mod client;
mod connection;
mod connector;
mod failure;
mod retry;
mod secret;
mod timeouts;
mod tls;
mod watchdog;

pub use answer::{Answer, BodyEnd};
pub use backoff::Backoff;
pub use body::Body;
pub use client::{Client, ClientConfig};
pub use failure::Failure;
pub use retry::{MAX_RETRY_AFTER, Verdict};
pub use secret::Secret;
pub use timeouts::Timeouts;
pub use tls::{TlsConfig, TlsError};
