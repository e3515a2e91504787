//! The sinks through their public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod books;
mod conformance;
mod dead_letter;
mod destination_conf;
mod destinations;
mod envelope;
mod fake_disk;
mod file;
mod power;
mod recovery;
mod rigs;
mod rotation;
mod running;
mod template;
mod torn;
mod trouble;
mod upload;
mod vectored;
mod vendors;
