//! The sinks through their public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod books;
mod conformance;
mod dead_letter;
mod file;
mod template;
mod torn;
mod vectored;
