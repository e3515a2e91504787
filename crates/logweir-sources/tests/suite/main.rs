//! The sources through their public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod checkpoint;
mod chunker;
mod conformance;
mod file;
mod follow;
mod lines;
mod rig;
mod tracker;
