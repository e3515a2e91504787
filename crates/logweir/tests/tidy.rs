//! What holds for the project as a whole, and no compiler checks.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use logweir_pipeline::{Kind, METRICS};
use logweir_testkit::process::Run;

/// Which crate may use which: the table of ARCHITECTURE.md. `logweir-testkit` is for tests, so it stands nowhere;
/// `benches`, which may use everything, is left out.
const GRAPH: &[(&str, &[&str])] = &[
    ("logweir", &["logweir-pipeline"]),
    ("logweir-event", &[]),
    ("logweir-json", &["logweir-event"]),
    ("logweir-net", &[]),
    ("logweir-pipeline", &["logweir-event", "logweir-sinks", "logweir-sources", "logweir-stages"]),
    ("logweir-sinks", &["logweir-event", "logweir-net"]),
    ("logweir-sources", &["logweir-event"]),
    ("logweir-stages", &["logweir-event", "logweir-json"]),
    ("logweir-testkit", &["logweir-event"]),
];

/// Lines of a source file without its tests.
const MAX_LINES: usize = 500;

fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("the crate lies two directories below the workspace").to_owned()
}

/// Returns all files below a directory that are ours to write, with their paths from the workspace.
fn files(below: &str) -> Vec<(String, PathBuf)> {
    let root = workspace();
    let mut todo = vec![root.join(below)];
    let mut files = Vec::new();
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let path = entry.expect("a directory can be listed").path();
            let shown =
                path.strip_prefix(&root).ok().and_then(Path::to_str).expect("our paths are UTF-8").to_owned();
            let name = path.file_name().and_then(OsStr::to_str).expect("our names are UTF-8");
            if path.is_dir() && !["target", ".git", "out", "data"].contains(&name) {
                todo.push(path);
            } else if path.is_file() {
                files.push((shown, path));
            }
        }
    }
    assert!(!files.is_empty(), "nothing in {below}");
    files.sort_unstable();
    files
}

/// Returns the Rust files below a directory, with what is in them.
fn sources(below: &str) -> Vec<(String, String)> {
    let read = |(shown, path)| (shown, fs::read_to_string(path).expect("a source file is text"));
    files(below).into_iter().filter(|(_, path)| ends_in(path, "rs")).map(read).collect()
}

fn ends_in(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension == ending)
}

/// Fails with all that was found wrong.
#[track_caller]
fn check_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

fn packages() -> Vec<Package> {
    let mut command = MetadataCommand::new();
    command.manifest_path(workspace().join("Cargo.toml")).no_deps();
    command.exec().expect("cargo describes the workspace").packages
}

/// Returns our crates that a package depends on in this way.
fn ours(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    let dependencies = package.dependencies.iter().filter(|dependency| dependency.kind == kind);
    dependencies
        .map(|dependency| dependency.name.as_str())
        .filter(|name| name.starts_with("logweir"))
        .collect()
}

#[test]
fn the_crates_know_each_other_as_the_architecture_says() {
    let packages = packages();
    let in_crates = packages
        .iter()
        .filter(|package| package.manifest_path.starts_with(workspace().join("crates").to_str().unwrap()));
    let found: BTreeMap<_, _> = in_crates
        .clone()
        .map(|package| (package.name.as_str(), ours(package, DependencyKind::Normal)))
        .collect();
    let expected: BTreeMap<_, _> =
        GRAPH.iter().map(|(name, uses)| (*name, uses.iter().copied().collect::<BTreeSet<_>>())).collect();
    assert_eq!(found, expected);
    for package in in_crates {
        assert!(ours(package, DependencyKind::Build).is_empty(), "{}", package.name);
        let mut for_tests = ours(package, DependencyKind::Development);
        for_tests.remove("logweir-testkit");
        let unknown: Vec<_> = for_tests.difference(&expected[package.name.as_str()]).collect();
        assert!(unknown.is_empty(), "the tests of {} know {unknown:?}", package.name);
        let dir = package.manifest_path.parent().and_then(|dir| dir.file_name());
        assert_eq!(dir, Some(package.name.as_str()), "a directory has the name of its crate");
    }
}

#[test]
fn the_architecture_names_the_same_graph() {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, uses) in GRAPH.iter().filter(|(_, uses)| !uses.is_empty()) {
        let short = |name: &str| name.trim_start_matches("logweir-").to_owned();
        let mut uses: Vec<_> = uses.iter().map(|name| short(name)).collect();
        uses.sort_by_key(|name| {
            ["event", "json", "net", "stages", "sources", "sinks"].iter().position(|known| known == name)
        });
        let arrow = format!("{} → {}", short(name), uses.join(", "));
        assert!([";", "."].iter().any(|end| words.contains(&format!("{arrow}{end}"))), "{arrow}");
    }
}

/// What the crates that do no IO may use besides each other.
const PURE: &[(&str, &[&str])] = &[
    ("logweir-event", &["bytes"]),
    ("logweir-json", &["memchr", "simdutf8"]),
    ("logweir-stages", &["bytes", "memchr", "xxhash-rust"]),
];

#[test]
fn stages_do_no_io_and_do_not_await() {
    let packages = packages();
    for (name, may_use) in PURE {
        let package = packages.iter().find(|package| package.name == *name).expect("the crate is there");
        let normal = package.dependencies.iter().filter(|one| one.kind == DependencyKind::Normal);
        let foreign = normal.map(|one| one.name.as_str()).filter(|one| !one.starts_with("logweir"));
        assert_eq!(foreign.collect::<Vec<_>>(), *may_use, "{name}");
        let words = ["std::net", "std::process", "std::thread", "std::io", "async fn", "File::"];
        let found = sources(&format!("crates/{name}/src"))
            .into_iter()
            .filter(|(_, text)| words.iter().any(|word| text.contains(word)));
        check_none("these do IO, or await", &found.map(|(shown, _)| shown).collect::<Vec<_>>());
    }
}

#[test]
fn every_crate_inherits_the_lints() {
    for package in packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("\n[lints]\nworkspace = true\n"), "{}", package.manifest_path);
    }
}

#[test]
fn no_source_file_is_too_long() {
    let own_lines = |text: &str| text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    let is_src = |shown: &str| shown.split('/').nth(2) == Some("src");
    let long =
        sources("crates").into_iter().filter(|(shown, text)| is_src(shown) && own_lines(text) > MAX_LINES);
    check_none(
        "these are too long",
        &long.map(|(shown, text)| format!("{shown}: {}", own_lines(&text))).collect::<Vec<_>>(),
    );
}

#[test]
fn only_the_vector_instructions_are_unsafe_code() {
    let word = concat!("un", "safe");
    // The names of lints and the words of comments are not code.
    let is_code =
        |line: &&str| !line.trim_start().starts_with("//") && !line.contains(concat!("un", "safe_code"));
    let holds = |text: &str| {
        text.lines()
            .filter(is_code)
            .any(|line| line.split(|c: char| !c.is_alphanumeric()).any(|part| part == word))
    };
    let elsewhere = |shown: &str| !shown.starts_with("crates/logweir-json/src/simd/");
    let found = [sources("crates"), sources("benches")].concat();
    let found = found.into_iter().filter(|(shown, text)| elsewhere(shown) && holds(text));
    check_none("these hold it too", &found.map(|(shown, _)| shown).collect::<Vec<_>>());
}

#[test]
fn modules_have_names() {
    let found =
        files("crates").into_iter().map(|(shown, _)| shown).filter(|shown| shown.ends_with("/mod.rs"));
    check_none("write `foo.rs` and `foo/`", &found.collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_for_later_and_no_test_sleeps_or_is_skipped() {
    let words = [
        concat!("to", "do!("),
        concat!("un", "implemented!("),
        concat!("#[", "ignore"),
        concat!("thread::", "sleep"),
    ];
    // The one place where waiting is allowed, and where tests that wait go.
    let polling = "crates/logweir-testkit/src/process.rs";
    let mut found = Vec::new();
    for (shown, text) in [sources("crates"), sources("benches")].concat() {
        for word in words.iter().filter(|word| text.contains(**word)) {
            if shown != polling || *word != words[3] {
                found.push(format!("{shown}: {word}"));
            }
        }
    }
    check_none("these are left", &found);
}

#[test]
fn the_texts_of_the_project_stand_for_themselves() {
    let word = concat!("iss", "ue");
    let names_a_number = |text: &str| {
        let text = text.to_lowercase();
        text.match_indices(word).any(|(at, _)| {
            let Some(rest) = text[at + word.len()..].strip_prefix(' ') else { return false };
            rest.strip_prefix('#').unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit())
        })
    };
    let mut found = Vec::new();
    for (shown, path) in files("") {
        // What is no text is no text of the project's.
        if fs::read_to_string(path).is_ok_and(|text| names_a_number(&text)) {
            found.push(shown);
        }
    }
    check_none("these point to something that readers cannot see", &found);
}

#[test]
fn every_example_is_good_and_says_what_it_does_and_how_to_run_it() {
    let examples = files("pipelines");
    let mut n_examples = 0;
    for (shown, path) in examples.iter().filter(|(_, path)| ends_in(path, "yaml")) {
        let ran =
            Run::new(env!("CARGO_BIN_EXE_logweir")).args(["check", shown.as_str()]).dir(workspace()).output();
        assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
        let text = fs::read_to_string(path).unwrap();
        let head: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        let (says, how) = (
            head.len() > 80,
            head.contains(&format!("run {shown}")) || head.contains(&format!("run --quiet {shown}")),
        );
        assert!(says && how, "{shown}: {head}");
        n_examples += 1;
    }
    assert!(n_examples >= 5, "{n_examples}");
}

/// Returns the names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("logweir_")).collect()
}

#[test]
fn every_metric_is_documented_with_its_kind_and_nothing_else_is() {
    let text = fs::read_to_string(workspace().join("docs/metrics.md")).unwrap();
    let known: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(metrics_in(&text), known);
    for metric in METRICS {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let row = format!("| `{}` | {kind} |", metric.name);
        assert_eq!(text.lines().filter(|line| line.starts_with(&row)).count(), 1, "{row}");
    }
}

#[test]
fn what_is_deployed_asks_for_metrics_that_exist() {
    for (shown, path) in files("deploy") {
        let text = fs::read_to_string(path).unwrap();
        // The buckets of a histogram have a name of their own.
        for name in metrics_in(&text).into_iter().map(|name| name.trim_end_matches("_bucket")) {
            // A pattern stands for several.
            let is_known = |known: &str| known == name || name.ends_with('_') && known.starts_with(name);
            assert!(METRICS.iter().any(|metric| is_known(metric.name)), "{shown}: {name}");
        }
    }
}

#[test]
fn every_alert_has_tests_and_says_what_to_do() {
    let read = |path: &str| fs::read_to_string(workspace().join(path)).unwrap();
    let (rules, tests) = (read("deploy/prometheus/alerts.yaml"), read("deploy/prometheus/alerts.test.yaml"));
    let docs = read("docs/alerts.md");
    let mut sections = docs.lines().filter_map(|line| line.strip_prefix("### ")).collect::<BTreeSet<_>>();
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} never fires in a test");
        assert!(rules.contains(&format!("runbook: docs/alerts.md#{}\n", alert.to_lowercase())), "{alert}");
        assert!(sections.remove(alert), "{alert} has no section");
    }
    assert_eq!(sections, BTreeSet::new(), "these are no alerts");
}

#[test]
fn every_row_of_the_compatibility_table_names_tests_that_exist() {
    let text = fs::read_to_string(workspace().join("docs/logpush-compatibility.md")).unwrap();
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| documented |");
    let mut n_rows = 0;
    let mut found = Vec::new();
    for row in text.lines().filter(is_row) {
        n_rows += 1;
        let mut cells = row.trim_end_matches(" |").rsplit(" | ");
        let tests = cells.next().expect("a row has cells");
        let named: Vec<_> = tests.split('`').filter_map(|word| word.split_once("::")).collect();
        if named.is_empty() || cells.count() != 2 {
            found.push(format!("no test, or another number of cells: {row}"));
        }
        for (file, test) in named {
            let source = fs::read_to_string(workspace().join(file)).unwrap_or_default();
            if !source.contains(&format!("fn {test}(")) {
                found.push(format!("{file}::{test}"));
            }
        }
    }
    check_none("these tests do not exist", &found);
    assert!(n_rows > 30, "{n_rows}");
}
