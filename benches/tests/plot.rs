//! The plots and the page: made of a few results that the tests write, and of those that are recorded.

use std::fs;
use std::path::{Path, PathBuf};

use logweir_testkit::process::{Ran, Run};
use logweir_testkit::scratch::Scratch;
use serde_json::{Value, json};

const PLOTS: [&str; 3] = ["rate.svg", "cpu.svg", "memory.svg"];
/// The most that a plot may take in a repository.
const MAX_PLOT_BYTES: usize = 20_000;

fn figure(name: &str, unit: &str, value: f64) -> Value {
    json!({ "name": name, "unit": unit, "value": value, "runs": [value, value + 1.0], "bar": null, "met": null })
}

fn case(name: &str, rate: f64) -> Value {
    json!({
        "name": name, "workload": "mix", "n_events": 2000, "n_bytes_in": 4_000_000, "n_bytes_out": 9, "wrong": null,
        "figures": {
            "wall_over_cat": figure("wall_over_cat", "x", 1.75),
            "rate": figure("rate", "GB/s", rate),
            "cat_rate": figure("cat_rate", "GB/s", 2.75),
            "cpu": figure("cpu", "s/GB", 0.8),
            "cat_cpu": figure("cat_cpu", "s/GB", 0.35),
            "peak_rss": figure("peak_rss", "MiB", 20.0),
            "tape_rate": figure("tape_rate", "GB/s", 0.93),
        },
        "cat": [], "logweir": [], "refused": {}
    })
}

fn results(cases: &[Value], measurements: &[Value]) -> String {
    let machine = json!({
        "cpu": "Zilog", "n_cores": 2, "kernel": "Linux", "rustc": "rustc 1", "commit": "abc", "load": "0.5"
    });
    json!({
        "command": "bench --all", "machine": machine, "load_after": "0.6", "n_bytes": 4_000_000, "runs": 2,
        "cases": cases, "measurements": measurements
    })
    .to_string()
}

fn measurement(name: &str, figures: &[Value]) -> Value {
    json!({ "name": name, "figures": figures, "note": "a note", "wrong": null })
}

fn memory() -> Value {
    let mut peaks = [19.5, 20.25].map(|value| figure("peak_rss", "MiB", value));
    for (peak, n_bytes) in peaks.iter_mut().zip([400_000_000_u64, 4_000_000_000]) {
        peak["n_bytes_in"] = json!(n_bytes);
        peak["bar"] = json!({ "at_most": 48.0 });
    }
    measurement("memory", &peaks)
}

fn growth() -> Value {
    measurement("growth", &[figure("no_stages", "s/GB", 0.5), figure("filter_4_fields", "s/GB", 0.6)])
}

fn plot(scratch: &Scratch, files: &[&str], dir: &str) -> Ran {
    Run::new(env!("CARGO_BIN_EXE_bench"))
        .args(["plot"])
        .args(files.iter().copied())
        .args(["--dir", dir, "--page", "page.md"])
        .dir(scratch.dir())
        .output()
}

fn page_of_all_tables() -> String {
    let names = ["machine", "rate", "cost", "growth", "memory", "rest"];
    names.map(|name| format!("# {name}\n<!-- begin {name} -->\nold\n<!-- end {name} -->\n")).concat()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("what is written is text")
}

/// Fails unless every element is closed, in order.
#[track_caller]
fn check_well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, behind) = tag.split_once('>').expect("a tag ends");
        assert!(!behind.contains('>'), "{behind}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().expect("there is a first part"));
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn plots_and_tables_hold_the_figures_and_are_the_same_every_time() {
    let scratch = Scratch::new();
    scratch.write("a.json", results(&[case("mix", 1.57), case("small", 1.23)], &[memory(), growth()]));
    scratch.write("page.md", page_of_all_tables());
    let ran = plot(&scratch, &["a.json"], "one");
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let page = text(scratch.read("page.md"));

    for (name, shown) in [
        ("rate.svg", &["mix", "small", "1.57", "1.23", "2.75", "0.93", "gigabytes of input a second"][..]),
        ("cpu.svg", &["mix", "small", "0.80", "0.35", "CPU seconds a gigabyte of input"][..]),
        ("memory.svg", &["19.5", "20.2", "0.4", "4", "no more than 48", "resident, MiB"][..]),
    ] {
        let svg = text(scratch.read(Path::new("one").join(name)));
        check_well_formed(&svg);
        assert!(svg.len() < MAX_PLOT_BYTES, "{name}: {}", svg.len());
        for shown in shown {
            assert!(svg.contains(&format!(">{shown}</text>")), "{shown} in {name}: {svg}");
        }
    }
    for row in [
        "- `bench --all`: Zilog, 2 cores, Linux; rustc 1; commit abc; load 0.5 before, 0.6 after; inputs of 0.004 GB; medians of 2 runs",
        "| `small` | 1.23 | 2.75 | 1.75 × | 0.93 |",
        // A gigabyte is 500,000 events, and a day 86,400 seconds of 0.8 of them.
        "| `mix` | 2,000 | 0.80 | 0.35 | 1.60 | 108,000 | 625,000 |",
        "| filter 4 fields | 0.60 s/GB | 0.60–1.60 | 1.20 × |",
        "| 4.00 | 20.2 |",
        "# rest\n<!-- begin rest -->\nNot measured.\n<!-- end rest -->",
    ] {
        assert!(page.contains(&format!("{row}\n")), "{row}: {page}");
    }
    assert!(!page.contains("old"), "{page}");

    plot(&scratch, &["a.json"], "two");
    for name in PLOTS {
        assert_eq!(scratch.read(Path::new("one").join(name)), scratch.read(Path::new("two").join(name)));
    }
    assert_eq!(text(scratch.read("page.md")), page);
}

#[test]
fn what_a_later_file_holds_counts_and_what_was_not_measured_is_said() {
    let scratch = Scratch::new();
    let pipes = measurement("pipes", &[figure("wall_over_cat", "x", 1.25)]);
    scratch.write("a.json", results(&[case("mix", 1.57), case("small", 1.23)], &[pipes]));
    scratch.write("b.json", results(&[case("mix", 1.91)], &[measurement("cores", &[])]));
    scratch.write("page.md", page_of_all_tables());
    let ran = plot(&scratch, &["a.json", "b.json"], "plots");
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("memory.svg: not measured"), "{}", ran.stderr_text());
    assert!(!scratch.path("plots/memory.svg").exists());
    let rate = text(scratch.read("plots/rate.svg"));
    assert!(rate.contains(">1.91<") && rate.contains(">1.23<") && !rate.contains(">1.57<"), "{rate}");
    let page = text(scratch.read("page.md"));
    for row in [
        "| pipes | wall over cat | 1.25 × | 1.25–2.25 |",
        "| cores | not measured: a note | | |",
        "Not measured.",
    ] {
        assert!(page.contains(&format!("{row}\n")), "{row}: {page}");
    }
}

#[test]
fn results_of_wrong_output_are_refused_and_so_is_what_is_no_result() {
    let scratch = Scratch::new();
    let mut wrong = case("mix", 1.57);
    wrong["wrong"] = json!("one event too many");
    scratch.write("wrong.json", results(&[wrong], &[]));
    scratch.write("none.json", "{}");
    scratch.write("page.md", page_of_all_tables());
    for (file, says) in [("wrong.json", "mix is wrong: one event too many"), ("none.json", "none.json")] {
        let ran = plot(&scratch, &[file], "plots");
        assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
        assert!(ran.stderr_text().contains(says), "{}", ran.stderr_text());
        assert!(!scratch.path("plots").exists());
    }
}

#[test]
fn the_documentation_is_that_of_the_recorded_results() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace");
    let docs = |name: &str| -> PathBuf { root.join("docs").join(name) };
    let scratch = Scratch::new();
    let page = text(fs::read(docs("performance.md")).expect("the page is there"));
    scratch.write("page.md", &page);
    let recorded = ["bench", "follow", "upload"]
        .map(|name| root.join(format!("benches/results/{name}.json")).display().to_string());
    let ran = plot(&scratch, &recorded.each_ref().map(String::as_str), "plots");
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    assert_eq!(text(scratch.read("page.md")), page, "`just plots` makes it anew");
    for name in PLOTS {
        let there = text(fs::read(docs("performance").join(name)).expect("all was measured"));
        assert_eq!(
            text(scratch.read(Path::new("plots").join(name))),
            there,
            "{name}: `just plots` makes it anew"
        );
        assert!(there.len() < MAX_PLOT_BYTES, "{name}: {}", there.len());
        check_well_formed(&there);
    }
}
