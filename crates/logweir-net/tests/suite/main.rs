//! The client against a real server that misbehaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bodies;
mod client;
mod faults;
mod rigs;
mod secrets;
mod server;
mod slow;
mod tls;
