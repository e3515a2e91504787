//! No text makes the configuration panic, hang or run out of stack; what it says about it has a place in it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use logweir_pipeline::{ConfigFile, Problems, load_texts};
use proptest::prelude::*;
use proptest::sample::Index;

fn env(name: &str) -> Option<String> {
    name.len().is_multiple_of(2).then(|| name.to_owned())
}

/// Loads a text and checks that every problem with it is at a place that it has.
fn check(text: &str) -> Result<(), Problems> {
    let file = ConfigFile { path: PathBuf::from("pipeline.yaml"), text: text.to_owned() };
    let result = load_texts(vec![file], &env).map(|_| ());
    if let Err(problems) = &result {
        assert!(problems.len() > 0);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<(&str, usize)> = text.split('\n').map(|line| (line, line.chars().count())).collect();
        for problem in problems {
            let (line, n_chars) = lines[problem.line - 1];
            assert!((1..=n_chars + 1).contains(&problem.column), "{problem:?}");
            assert!(problem.caret_len >= 1 && problem.caret_len <= n_chars.max(1), "{problem:?}");
            let is_shown = |(shown, written): (char, char)| shown == written || shown == '*';
            let is_same = problem.text.chars().count() == n_chars
                && problem.text.chars().zip(line.chars()).all(is_shown);
            assert!(n_chars > 160 || is_same, "{problem:?}");
            assert!(!problem.message.is_empty() && !problem.message.contains('\n'), "{problem:?}");
        }
        assert!(problems.to_string().starts_with("pipeline.yaml:"));
    }
    result
}

fn examples() -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut texts = Vec::new();
    for kind in ["good", "bad"] {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(dir.join(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        paths.sort();
        texts.extend(paths.iter().map(|path| std::fs::read_to_string(path).unwrap()));
    }
    assert!(texts.len() > 10);
    texts
}

/// Pieces that mean something in YAML or to us.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\n",
        "\n  ",
        "\t",
        "\"",
        "'",
        "#",
        " #",
        "&a ",
        "*a",
        "!t ",
        "!!str ",
        "|",
        ">",
        "|2-\n",
        "---\n",
        "...\n",
        "? ",
        "%YAML 1.2\n",
        "%TAG ! x\n",
        "\\",
        "\\u00e9",
        "@",
        "`",
        "${",
        "$$",
        "${AB}",
        "${file:/}",
        "source",
        "sink",
        "stages",
        "filter",
        "where",
        "stdin",
        "null",
        "~",
        "0.5",
        "\r",
        "\r\n",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\0",
        "é",
        "🚀",
    ]);
    prop_oneof![4 => known.prop_map(String::from), 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged(text in any::<String>()) {
        let _ = check(&text);
    }

    #[test]
    fn any_yaml_like_text_is_judged(pieces in prop::collection::vec(piece(), 0..40)) {
        let _ = check(&pieces.concat());
    }

    #[test]
    fn any_change_of_an_example_is_judged(
        which in any::<Index>(),
        cuts in prop::collection::vec((any::<Index>(), 0_usize..6, piece()), 1..5),
    ) {
        thread_local!(static EXAMPLES: Vec<String> = examples());
        let mut chars: Vec<char> = EXAMPLES.with(|examples| which.get(examples).chars().collect());
        for (at, len, piece) in cuts {
            let at = at.index(chars.len() + 1);
            let end = (at + len).min(chars.len());
            chars.splice(at..end, piece.chars());
        }
        let _ = check(&chars.into_iter().collect::<String>());
    }
}

/// Judges a text that is as large as it may be, and returns what is wrong with it; it must not take long.
fn judged(text: &str) -> Problems {
    // Seconds are for a machine that is slow, loaded and not optimising: a quadratic cost takes minutes.
    const LONG: Duration = Duration::from_secs(20);
    let begin = Instant::now();
    let problems = check(text).unwrap_err();
    let shown = problems.to_string();
    assert!(begin.elapsed() < LONG, "{:?} for {}", begin.elapsed(), &shown[..shown.len().min(200)]);
    problems
}

/// Repeats a piece up to a size.
fn fill(piece: &str, size: usize) -> String {
    piece.repeat(size / piece.len())
}

#[test]
fn depth_costs_no_stack() {
    for piece in ["[", "{a: ", "- ", "? ", "[{a: "] {
        judged(&fill(piece, 1 << 20));
    }
    let nested = |levels: usize| format!("x: {}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(judged(&nested(127)).to_string().contains("unknown key `x`"));
    assert!(judged(&nested(128)).to_string().contains("nested more than 128 levels deep"));
}

#[test]
fn a_great_many_mistakes_are_judged_in_time() {
    // A quarter of what a file may hold: enough for any cost that grows with the square of it.
    const SIZE: usize = 1 << 18;
    let keys: Vec<String> = (0..20_000).map(|n| format!("k{n}: 1")).collect();
    assert!(judged(&keys.join("\n")).len() >= 20_000);
    let problems = judged(&format!("{{ {} }}", keys.join(", ")));
    assert!(problems.len() >= 20_000);
    assert!(problems.iter().all(|problem| problem.text.len() < 1000), "a long line is not shown whole");
    let rest = |rest: String| judged(&format!("source: {{stdin: }}\nsink: {{stdout: }}\n{rest}")).len();
    assert!(rest(format!("encode: {{field_names: [{}]}}", fill("a, ", SIZE))) > 80_000);
    assert!(rest(format!("name: \"{}\"", fill("${x}", SIZE))) > 60_000);
    assert_eq!(rest(format!("name: {}", fill("é", SIZE))), 1);
    assert_eq!(rest(format!("{}: 1", fill("x", SIZE))), 1);
    assert!(judged(&fill("a: b\n", SIZE)).len() > 50_000);
    judged(&fill("# comment\n", 1 << 20));
    let jobs = |jobs: String| judged(&format!("source: {{stdin: }}\nstate_dir: s\njobs: [{jobs}]")).len();
    assert!(jobs(fill("{name: a}, ", SIZE)) > 20_000);
    let one = |filter: &str, rest: &str| {
        format!("{{dataset: workers_trace_events, destination_conf: 'file:///o', filter: {filter}{rest}}}")
    };
    let conditions = fill(r#"{"key":"x","operator":"y","value":[]},"#, SIZE);
    assert!(jobs(one(&format!(r#"'{{"where":{{"and":[{conditions}{{}}]}}}}'"#), "")) >= 1);
    assert!(jobs(one("''", &format!(", logpull_options: '{}'", fill("a=1&", SIZE)))) > 50_000);
    assert!(jobs(fill("\n{", SIZE)) == 1, "lines that would all have to be indented");
    assert!(judged(&fill("s3://b?x=y&", SIZE)).len() == 1);
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_refused() {
    let problems = judged(&"#".repeat((1 << 20) + 1));
    assert!(problems.to_string().contains("larger than 1 MiB"));
}

#[test]
fn a_character_that_yaml_forbids_is_named() {
    let problems = judged("source: {stdin: }\nsink: {stdout: }\n# a\0b\nname: 5");
    let shown = problems.to_string();
    assert!(shown.starts_with("pipeline.yaml:3:4: the character U+0000"), "{shown}");
}
