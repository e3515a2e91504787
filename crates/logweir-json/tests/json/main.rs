//! What `logweir-json` promises, tested from outside: against the corpus beside this, the testkit's naive oracle,
//! and real events, whole and damaged.

#![allow(clippy::unwrap_used, reason = "tests and their helpers fail by panicking")]

mod agreement;
mod borders;
mod corpus;
mod depth;
mod fields;
mod indent;
mod lines;
mod lookups;
mod names;
mod numbers;
mod padding;
mod readers;
mod setting;
mod skipping;
mod splicing;
mod strategy;
mod texts;
mod versions;
mod walking;
