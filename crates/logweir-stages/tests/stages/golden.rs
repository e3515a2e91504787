//! Which keys are kept, as published in `docs/sampling.md`. Whoever changes these changes which events users keep.

use std::fs;
use std::path::Path;

use logweir_testkit::oracle::Stage;
use logweir_testkit::oracle::json::{Node, parse};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::run_whole;

/// Worked out with the reference implementation of XXH3.
const VECTORS: &str = include_str!("../golden/sampling.ndjson");

/// The rates that a vector says something of.
const RATES: [f64; 4] = [0.001, 0.01, 0.1, 0.5];

/// Longer keys are left out of the documentation.
const SHOWN_BYTES: usize = 20;

struct Vector {
    /// As it is written in JSON.
    written: String,
    text: Vec<u8>,
    seed: u64,
    hash: u64,
    /// Those of [`RATES`] at which it is kept.
    kept_at: Vec<f64>,
}

impl Vector {
    fn read(line: &str) -> Self {
        let vector = parse(line.as_bytes()).unwrap();
        let key = vector.get("key").unwrap();
        let integer = |name| vector.get(name).unwrap().raw().trim_matches('"').parse().unwrap();
        let rate = |node: &Node| node.raw().parse().unwrap();
        Self {
            written: key.raw().to_owned(),
            text: key.text().unwrap().to_wtf8(),
            seed: integer("seed"),
            hash: integer("hash"),
            kept_at: vector.get("kept_at").unwrap().elements().iter().map(rate).collect(),
        }
    }

    fn is_kept(&self, rate: f64) -> bool {
        let stage = Stage::Sample { rate, key: Some("k".to_owned()), seed: self.seed, always_keep: None };
        run_whole(&[stage], format!("{{\"k\":{}}}\n", self.written).as_bytes()).written == 1
    }
}

fn vectors() -> Vec<Vector> {
    VECTORS.lines().map(Vector::read).collect()
}

#[test]
fn vectors_are_kept_where_they_are_said_to_be() {
    let vectors = vectors();
    assert!(vectors.len() > 20);
    for vector in &vectors {
        assert_eq!(xxh3_64_with_seed(&vector.text, vector.seed), vector.hash, "{}", vector.written);
        let kept_at: Vec<f64> = RATES.into_iter().filter(|&rate| vector.is_kept(rate)).collect();
        assert_eq!(kept_at, vector.kept_at, "{}", vector.written);
    }
    for (i, rate) in RATES.into_iter().enumerate() {
        let n_kept = vectors.iter().filter(|vector| vector.kept_at.contains(&rate)).count();
        assert!(n_kept > i, "{n_kept} at {rate}");
    }
}

/// A rate has 53 bits; at the two rates on either side of a hash, one keeps it and the other does not.
#[test]
fn the_border_lies_at_the_hash() {
    for vector in vectors() {
        let below = (vector.hash >> 11) as f64;
        assert!(vector.is_kept((below + 1.0) / 2f64.powi(53)), "{}", vector.written);
        assert!(below == 0.0 || !vector.is_kept(below / 2f64.powi(53)), "{}", vector.written);
    }
}

#[test]
fn the_documentation_has_the_vectors() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sampling.md");
    let docs = fs::read_to_string(docs).unwrap();
    let shown: Vec<_> = vectors().into_iter().filter(|vector| vector.text.len() <= SHOWN_BYTES).collect();
    let row = |vector: &Vector| {
        let kept_at: Vec<String> = vector.kept_at.iter().map(ToString::to_string).collect();
        let kept_at = if kept_at.is_empty() { "none of them".to_owned() } else { kept_at.join(", ") };
        format!("| `{}` | {} | {} | {kept_at} |\n", vector.written, vector.seed, vector.hash)
    };
    let table: String = shown.iter().map(row).collect();
    let head = "| key (as JSON) | seed | hash | kept at |\n|---|--:|--:|---|\n";
    assert!(docs.contains(&[head, &table, "\n"].concat()), "docs/sampling.md lacks the table\n{head}{table}");
}
