//! The real binary, from outside: files, pipes, signals, exit codes, and what it says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken;
mod check;
mod checkpoint;
mod compression;
mod dead_letters;
mod deadline;
mod deploy;
mod ends;
mod examples;
mod explain;
mod faults;
mod files;
mod help;
mod init;
mod interface;
mod jobs;
mod latency;
#[cfg(feature = "services")]
mod logrotate;
mod memory;
mod metrics;
mod naive;
mod notify;
mod page;
mod pipeline_tests;
#[cfg(feature = "services")]
mod prometheus;
mod reload;
mod rig;
mod scenarios;
mod scripts;
mod selftest;
mod signals;
mod tap;
mod terminal;
mod top;
mod uploads;
