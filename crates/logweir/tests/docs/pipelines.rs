//! Every pipeline that the texts show is one that `check` takes.

use std::path::PathBuf;

use logweir_pipeline::{ConfigFile, load_texts};

use crate::markdown::Block;
use crate::{check_none, texts};

/// What a block of YAML may begin a line with to be a pipeline, or a part of one.
const KEYS: [&str; 11] = [
    "source:",
    "stages:",
    "encode:",
    "sink:",
    "outputs:",
    "jobs:",
    "dead_letter:",
    "admin:",
    "state_dir:",
    "limits:",
    "shutdown:",
];

/// Returns a part of a pipeline with the rest that it needs.
fn completed(yaml: &str) -> String {
    let has = |key: &str| yaml.lines().any(|line| line.starts_with(key));
    let mut whole = without_files(yaml);
    if !has("source:") {
        whole.push_str("source: { file: { include: [\"in/*\"] } }\n");
        if !has("state_dir:") {
            whole.push_str("state_dir: state\n");
        }
    }
    if !["sink:", "outputs:", "jobs:"].into_iter().any(has) {
        whole.push_str("sink: { file: { path: out } }\n");
    }
    whole
}

/// Puts a variable in the place of each `${file:…}`, since the file is not here.
fn without_files(yaml: &str) -> String {
    let mut parts = yaml.split("${file:");
    let mut replaced = parts.next().unwrap().to_owned();
    for part in parts {
        replaced.push_str("${A_FILE}");
        replaced.push_str(part.split_once('}').unwrap().1);
    }
    replaced
}

/// Returns what variables have: a file may hold a URL as well as a key.
fn variable(name: &str) -> String {
    let value = if name == "A_FILE" { "https://a-secret-of-an-example.test/" } else { "0123456789abcdef" };
    value.to_owned()
}

fn is_pipeline(block: &Block) -> bool {
    block.language == "yaml" && block.body.lines().any(|line| KEYS.iter().any(|key| line.starts_with(key)))
}

#[test]
fn every_pipeline_in_the_texts_is_good() {
    let mut n_pipelines = 0;
    let mut found = Vec::new();
    for text in ["", "docs", "docs/reference"].into_iter().flat_map(texts) {
        for block in text.blocks().iter().filter(|block| is_pipeline(block)) {
            n_pipelines += 1;
            let file = ConfigFile { path: PathBuf::from("shop.yaml"), text: completed(&block.body) };
            if let Err(problems) = load_texts(vec![file], &|name| Some(variable(name))) {
                found.push(format!("{}: {problems}", text.at(block.line)));
            }
        }
    }
    assert!(n_pipelines > 30, "only {n_pipelines} pipelines");
    check_none(&found);
}
