//! What a configuration has to do with the file system: reading it, and which files are the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use logweir_pipeline::{ConfigFile, load, load_texts};
use tempfile::TempDir;

fn problems(files: &[(&str, String)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| ConfigFile { path: PathBuf::from(path), text: text.clone() });
    match load_texts(files.collect(), &|_| None) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|problem| problem.message.clone()).collect(),
    }
}

/// A pipeline from files to a file.
fn from_to(include: &str, exclude: &str, path: &Path) -> String {
    format!(
        "source: {{file: {{include: ['{include}'], exclude: [{exclude}], read: once}}}}\nsink: {{file: {{path: '{}'}}}}",
        path.display()
    )
}

fn temp() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

const EATS_ITSELF: [&str; 1] = ["this file is read by a source as well"];
const FINE: [&str; 0] = [];

#[test]
fn a_file_that_cannot_be_read_is_a_problem_beside_the_others() {
    let (_guard, dir) = temp();
    fs::write(dir.join("good.yaml"), "source: {stdin: }\nsink: {stdout: }").unwrap();
    fs::write(dir.join("bad.yaml"), "source: {file: {include: [x], read: once}}\nsink: {stdut: }").unwrap();
    fs::write(dir.join("latin.yaml"), b"# one\n# \xe9\n").unwrap();
    fs::write(dir.join("large.yaml"), "#".repeat((1 << 20) + 1)).unwrap();
    fs::write(
        dir.join("largest.yaml"),
        format!("source: {{stdin: }}\nsink: {{stdout: }}\n{}", "#".repeat((1 << 20) - 35)),
    )
    .unwrap();
    let names = ["good.yaml", "bad.yaml", "latin.yaml", "large.yaml", "missing.yaml", "."];
    let paths: Vec<PathBuf> = names.iter().map(|name| dir.join(name)).collect();
    let problems = load(&paths).unwrap_err();
    let shown = problems.to_string();
    for (words, line) in [
        ("latin.yaml: this file is not UTF-8: line 2", 0),
        ("large.yaml: this file is larger than 1 MiB", 0),
        ("missing.yaml: this file cannot be read: ", 0),
        ("/.: this file cannot be read: ", 0),
        ("bad.yaml:2:8: unknown key `stdut`", 2),
    ] {
        assert!(shown.contains(words), "{words} is not in\n{shown}");
        let same_line = problems.iter().filter(|problem| problem.line == line);
        assert!(same_line.count() >= 1);
    }
    assert_eq!(problems.len(), 5, "{shown}");
    assert_eq!(load(&paths[..1]).unwrap().pipelines[0].name, "good");
    let largest = dir.join("largest.yaml");
    assert_eq!(fs::metadata(&largest).unwrap().len(), 1 << 20);
    assert!(load(&[largest]).is_ok());
}

#[test]
fn a_secret_comes_from_a_file_without_its_line_ending() {
    let (_guard, dir) = temp();
    let name_of = |content: &[u8]| {
        let secret = dir.join("secret");
        fs::write(&secret, content).unwrap();
        let text = format!("name: '${{file:{}}}'\nsource: {{stdin: }}\nsink: {{stdout: }}", secret.display());
        let file = ConfigFile { path: PathBuf::from("p.yaml"), text };
        load_texts(vec![file], &|_| None).map(|loaded| loaded.pipelines[0].name.clone())
    };
    assert_eq!(name_of(b"abc").unwrap(), "abc");
    assert_eq!(name_of(b"abc\n").unwrap(), "abc");
    assert_eq!(name_of(b"abc\r\n").unwrap(), "abc");
    assert!(name_of(b"abc\n\n").is_err(), "one line ending is taken off, not two");
    for content in [&b"\xff"[..], &vec![b'a'; 70_000], b"hidden value"] {
        let shown = name_of(content).unwrap_err().to_string();
        assert!(!shown.contains("hidden") && !shown.contains("aaaa"), "{shown}");
    }
}

#[test]
fn a_sink_that_its_source_reads_is_refused() {
    let (_guard, dir) = temp();
    let all = format!("{}/*.ndjson", dir.display());
    let out = dir.join("out.ndjson");
    let check =
        |include: &str, exclude: &str, path: &Path| problems(&[("p.yaml", from_to(include, exclude, path))]);
    // Before it exists, and once it does.
    for _ in 0..2 {
        assert_eq!(check(&all, "", &out), EATS_ITSELF);
        assert_eq!(check(&out.display().to_string(), "", &out), EATS_ITSELF);
        assert_eq!(check(&format!("{}/**/*.ndjson", dir.display()), "", &out), EATS_ITSELF);
        assert_eq!(check(&all, "", &dir.join("below/../out.ndjson")), EATS_ITSELF);
        assert_eq!(check(&all, &format!("'{}'", out.display()), &out), FINE);
        assert_eq!(check(&all, &format!("'{}/out.*'", dir.display()), &out), FINE);
        assert_eq!(check(&all, "", &dir.join("out.json")), FINE);
        assert_eq!(check(&all, "", &dir.join("below/out.ndjson")), FINE);
        fs::write(&out, "").unwrap();
    }
}

#[test]
fn what_exclude_leaves_out_under_another_name_is_still_read() {
    // The source compares `exclude` with the path by which it finds a file: relative stays relative.
    let here = std::env::current_dir().unwrap();
    let below = |name: &str| format!("{}/{name}", here.display());
    let check = |include: &str, exclude: &str| {
        problems(&[("p.yaml", from_to(include, &format!("'{exclude}'"), Path::new("no-logs/out.ndjson")))])
    };
    assert_eq!(check("no-logs/*.ndjson", "no-logs/out.ndjson"), FINE);
    assert_eq!(check("./no-logs/*.ndjson", "no-logs/out.ndjson"), FINE);
    assert_eq!(check("no-logs/*.ndjson", "./no-logs/out.ndjson"), FINE);
    assert_eq!(check(&below("no-logs/*"), &below("no-logs/out.*")), FINE);
    assert_eq!(check(&below("no-logs/*"), "no-logs/out.ndjson"), EATS_ITSELF);
    assert_eq!(check("no-logs/*", &below("no-logs/out.ndjson")), EATS_ITSELF);
}

#[test]
#[cfg(unix)]
fn links_do_not_hide_that_two_paths_are_one_file() {
    let (_guard, dir) = temp();
    let (logs, real) = (dir.join("logs"), dir.join("real"));
    fs::create_dir(&logs).unwrap();
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, dir.join("linked")).unwrap();
    let check = |include: String, path: PathBuf| problems(&[("p.yaml", from_to(&include, "", &path))]);
    // A directory under another name, with a file that does not exist yet.
    assert_eq!(check(format!("{}/linked/*", dir.display()), real.join("a")), EATS_ITSELF);
    assert_eq!(check(format!("{}/real/*", dir.display()), dir.join("linked/a")), EATS_ITSELF);
    // A link and a hard link among what is read.
    fs::write(real.join("out"), "").unwrap();
    assert_eq!(check(format!("{}/*", logs.display()), real.join("out")), FINE);
    std::os::unix::fs::symlink(real.join("out"), logs.join("current")).unwrap();
    assert_eq!(check(format!("{}/*", logs.display()), real.join("out")), EATS_ITSELF);
    fs::remove_file(logs.join("current")).unwrap();
    fs::hard_link(real.join("out"), logs.join("hard")).unwrap();
    assert_eq!(check(format!("{}/*", logs.display()), real.join("out")), EATS_ITSELF);
    // Two sinks.
    let sink = |path: PathBuf| {
        format!(
            "source: {{file: {{include: [x], read: once}}}}\nsink: {{file: {{path: '{}'}}}}",
            path.display()
        )
    };
    let two = |a: PathBuf, b: PathBuf| problems(&[("a.yaml", sink(a)), ("b.yaml", sink(b))]);
    let same = ["this file is written by another output as well"];
    assert_eq!(two(real.join("out"), dir.join("linked/out")), same);
    assert_eq!(two(real.join("out"), logs.join("hard")), same);
    assert_eq!(two(real.join("new"), dir.join("linked/new")), same);
    assert_eq!(two(real.join("new"), logs.join("new")), FINE);
}

#[test]
fn a_pipeline_may_not_read_what_another_one_writes() {
    let (_guard, dir) = temp();
    let writer = format!("source: {{stdin: }}\nsink: {{file: {{path: '{}/a.ndjson'}}}}", dir.display());
    let dead = format!(
        "source: {{stdin: }}\nsink: {{stdout: }}\ndead_letter: {{file: {{path: '{}/dead.ndjson'}}}}",
        dir.display()
    );
    let reader =
        format!("source: {{file: {{include: ['{}/*'], read: once}}}}\nsink: {{'null': }}", dir.display());
    assert_eq!(problems(&[("w.yaml", writer), ("r.yaml", reader.clone())]), EATS_ITSELF);
    assert_eq!(problems(&[("d.yaml", dead), ("r.yaml", reader)]), EATS_ITSELF);
}

#[test]
fn a_job_that_delivers_to_where_its_source_reads_is_refused() {
    let (_guard, dir) = temp();
    let shown = dir.display();
    let check = |include: &str, enabled: bool| {
        let job = |below: &str| format!("{{destination_conf: 'file://{shown}/{below}', enabled: {enabled}}}");
        let source = format!("{{file: {{include: ['{shown}/{include}'], read: once}}}}");
        let (a, b) = (job("out/{DATE}"), job("out"));
        problems(&[("p.yaml", format!("source: {source}\nstate_dir: s\njobs: [{a}, {b}]"))])
    };
    let refused = "what is delivered to this directory is read by a source as well";
    assert_eq!(check("**/*.gz", true), [refused; 2]);
    assert_eq!(check("*/*/*", true), [refused; 2]);
    assert_eq!(check("**/*.gz", false), FINE);
    assert_eq!(check("**/*.ndjson", true), FINE);
    assert_eq!(check("*.gz", true), FINE, "nothing is put in the directory itself");
}
