//! `logweir test`: what it runs, what it says, and what it takes for a success.

use std::fs;

use logweir_testkit::process::{Ran, Run};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;
use quick_xml::events::Event;

use crate::rig::{logweir, workspace};

/// A pipeline whose sink and source cannot be had here, and need not be.
const SHOP: &str = r#"
source:
  file: { include: ["${NO_SUCH_VARIABLE}/*"] }
state_dir: "${NO_SUCH_VARIABLE}"
stages:
  - filter: { where: { key: Outcome, operator: "!eq", value: ok } }
  - truncate: { limit: 10 }
outputs:
  - name: full
    sink: { s3: { bucket: "${NO_SUCH_VARIABLE}", secret_access_key: "${file:/no/such/file}" } }
  - name: short
    stages:
      - sample: { rate: 0.1, key: Event.RayID }
    encode: { field_names: [Outcome, CPUTimeMs] }
    sink: { stdout: {} }
admin: { listen: "${NO_SUCH_VARIABLE}" }
"#;

fn test(scratch: &Scratch, args: &[&str]) -> Run {
    logweir([&["test"], args].concat()).dir(scratch.dir()).without_env("NO_COLOR").without_env("CLICOLOR")
}

/// Returns a run of the tests of a pipeline, which is written to `shop.yaml` with them.
fn shop(scratch: &Scratch, tests: &str) -> Run {
    scratch.write("shop.yaml", format!("{SHOP}tests:\n{tests}"));
    test(scratch, &["shop.yaml"])
}

#[track_caller]
fn check_passed(ran: &Ran, n_tests: usize) {
    let stdout = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(ran.code(), Some(0), "{stdout}{}", ran.stderr_text());
    assert!(stdout.ends_with(&format!("\n{n_tests} passed\n")), "{stdout}");
    assert_eq!(ran.stderr_text(), "");
}

#[track_caller]
fn check_failed(ran: &Ran, summary: &str) {
    let stdout = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(ran.code(), Some(1), "{stdout}{}", ran.stderr_text());
    assert!(stdout.contains(summary), "{summary} is not in\n{stdout}");
}

#[track_caller]
fn check_refused(ran: &Ran, words: &[&str]) {
    let stderr = ran.stderr_text();
    assert_eq!(ran.code(), Some(2), "{stderr}");
    for words in words {
        assert!(stderr.contains(words), "{words} is not in\n{stderr}");
    }
}

#[test]
fn what_comes_out_otherwise_is_shown() {
    let ran = shop(
        &Scratch::new(),
        r#"
  - name: bytes are bytes
    output: full
    input: '{"Outcome": "bad", "CPUTimeMs":1.50}'
    expect: '{"Outcome": "bad", "CPUTimeMs":1.50}'
  - name: a map is a value
    output: full
    input: '{"Outcome": "bad", "CPUTimeMs":1.50}'
    expect: { CPUTimeMs: 15e-1, Outcome: bad }
  - name: a map is another value
    output: full
    input: { Outcome: bad, CPUTimeMs: 9007199254740993, Logs: [{ Message: [hello world] }] }
    expect: { Outcome: bad, CPUTimeMs: 9007199254740992, Logs: [{ Message: [hello, world] }] }
  - name: other bytes of the same value
    output: full
    input: '{"Outcome":"bad","CPUTimeMs":1.50}'
    expect: '{"Outcome": "bad", "CPUTimeMs":1.5}'
  - name: more is expected than is written
    output: full
    input: [{ Outcome: bad, n: 1 }, { Outcome: ok, n: 2 }, { Outcome: bad, n: 3 }]
    expect: [{ Outcome: bad, n: 1 }, { Outcome: ok, n: 2 }, { Outcome: bad, n: 3 }]
  - name: dropped for another reason
    output: short
    input: [{ Outcome: ok }, 'no event', { Outcome: bad, Event: { RayID: 000000000000000b } }]
    expect_dropped: sampled_out
  - name: "with \e[31mcolours\e[m of its own"
    output: short
    input: |
      {"Outcome":"bad","Event":{"RayID":"000000000000000b"}}

      {"Outcome":"it's"}
    expect: |
      {"Outcome":"bad","CPUTimeMs":0}
"#,
    )
    .output();
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    insta::assert_snapshot!("failing_tests", String::from_utf8_lossy(&ran.stdout));
}

#[test]
fn each_reason_to_drop_an_event_can_be_expected() {
    let scratch = Scratch::new();
    scratch.write("latin.ndjson", b"{\"a\":\"\xe9\"}\n");
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(100));
    scratch.write(
        "p.yaml",
        format!(
            r"
source: {{ stdin: {{}} }}
limits: {{ max_event_bytes: 64 }}
stages:
  - filter: {{ where: {{ key: Outcome, operator: eq, value: ok }} }}
  - sample: {{ rate: 0.1, key: id }}
sink: {{ stdout: {{}} }}
tests:
  - {{ name: a, input: {{ Outcome: bad }}, expect_dropped: filtered }}
  - {{ name: b, input: {{ Outcome: ok, id: 000000000000000a }}, expect_dropped: sampled_out }}
  - {{ name: c, input_file: latin.ndjson, expect_dropped: not_utf8 }}
  - {{ name: d, input: ['{{', '', '{{}}}}'], expect_dropped: not_json }}
  - {{ name: e, input: ['[]', '1'], expect_dropped: not_object }}
  - {{ name: f, input: '{long}', expect_dropped: oversized }}
"
        ),
    );
    let ran = test(&scratch, &["p.yaml"]).output();
    // A blank line is no event, so it cannot be dropped as one.
    check_failed(&ran, "event 2 is blank: it is passed over, and no event");
    let text = fs::read_to_string(scratch.path("p.yaml")).unwrap().replace("'', ", "");
    scratch.write("p.yaml", &text);
    check_passed(&test(&scratch, &["p.yaml"]).output(), 6);
    // And none of them passes as another.
    scratch.write("p.yaml", text.replace("expect_dropped: not_object", "expect_dropped: not_json"));
    check_failed(&test(&scratch, &["p.yaml"]).output(), "2 of 2 events are not dropped as `not_json`");
}

#[test]
fn a_test_expects_what_a_run_writes() {
    let scratch = Scratch::new();
    // With a byte-order mark, both line endings, blank lines, lines that are no events, and no end of the last line.
    let crlf = String::from_utf8(EVENTS.to_vec()).unwrap().replacen('\n', "\r\n", 20);
    let input = format!("\u{feff}{}\n \r\nno event\n[1]", crlf.trim_end());
    scratch.write("in.ndjson", &input);
    for (n, rest) in [
        "",
        "stages: [{ truncate: { limit: 20 } }]",
        "encode: { field_names: [Outcome, Logs] }",
        "stages: [{ sample: { rate: 0.3 } }]\nencode: { field_names: [Outcome, Logs], record_prefix: '<', record_suffix: \">\\n\" }",
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("source: {{ stdin: {{}} }}\nsink: {{ stdout: {{}} }}\n{rest}\n");
        scratch.write("p.yaml", &text);
        let run = logweir(["run", "--quiet", "p.yaml"]).dir(scratch.dir()).stdin(input.as_bytes());
        let written = run.output().stdout;
        assert!(written.len() > 1000, "{rest}");
        scratch.write("out.ndjson", &written);
        scratch.write(
            "p.yaml",
            format!("{text}tests: [{{ name: same, input_file: in.ndjson, expect_file: out.ndjson }}]"),
        );
        check_passed(&test(&scratch, &["p.yaml"]).output(), 1);
        // One byte less makes it another output, wherever it is missing.
        let mut less = written;
        less.remove(less.len() / (n + 2));
        scratch.write("out.ndjson", &less);
        assert_eq!(test(&scratch, &["p.yaml"]).output().code(), Some(1), "{rest}");
    }
}

#[test]
fn tests_stand_beside_a_pipeline_as_well() {
    let scratch = Scratch::new();
    let pipeline = "source: { stdin: {} }\nsink: { stdout: {} }\n";
    scratch.write("in/p.yaml", format!("{pipeline}tests: [{{ name: in, input: '{{}}', expect: {{}} }}]"));
    scratch.write(
        "in/p.test.yaml",
        "tests:\n- { name: in, input_file: sub/e.ndjson, expect: '{\"a\":\"${NO_SUCH_VARIABLE}\"}' }",
    );
    scratch.write("in/sub/e.ndjson", "{\"a\":\"${NO_SUCH_VARIABLE}\"}");
    check_passed(&test(&scratch, &["in/p.yaml"]).output(), 2);
    let text = fs::read(scratch.path("in/sub/e.ndjson")).unwrap();
    scratch.write("in/sub/e.ndjson", zstd::encode_all(&text[..], 1).unwrap());
    check_passed(&test(&scratch, &["in/p.yaml"]).output(), 2);
    // `*.yaml` names both.
    check_passed(&test(&scratch, &["in/p.test.yaml", "in/p.yaml"]).output(), 2);
    scratch.write("in/p.test.yaml", "tests: [{ name: a, input: '{}', output: x }]\nsource: { stdin: {} }");
    check_refused(
        &test(&scratch, &["in/p.yaml"]).output(),
        &[
            "in/p.test.yaml:1:9: a test needs `expect`",
            "this pipeline has no `outputs`",
            "2:1: unknown key `source`",
        ],
    );
    check_refused(
        &logweir(["check", "in/p.test.yaml"]).dir(scratch.dir()).output(),
        &["in/p.test.yaml:1:1: a pipeline needs `sink` or `outputs`"],
    );
    let both = logweir(["check", "in/p.test.yaml", "in/p.yaml"]).dir(scratch.dir()).output();
    assert_eq!((both.code(), both.stdout), (Some(0), b"p: fine\n".to_vec()));
    scratch.write("in/p.test.yaml", "tests: []");
    check_refused(
        &logweir(["run", "in/p.test.yaml"]).dir(scratch.dir()).output(),
        &["this file has tests and no pipeline", "`logweir test"],
    );
}

#[test]
fn jobs_are_tested_enabled_or_not() {
    let scratch = Scratch::new();
    let jobs = r#"
source: { file: { include: [logs/*] } }
state_dir: state
jobs:
  - name: one
    destination_conf: "${NO_SUCH_VARIABLE}"
    filter: '{"where":{"key":"Outcome","operator":"eq","value":"ok"}}'
    dataset: workers_trace_events
    output_options: { field_names: [Outcome] }
  - name: two
    enabled: false
    destination_conf: "r2://b?secret-access-key=${NO_SUCH_VARIABLE}"
    dataset: workers_trace_events
    output_options: { field_names: [ScriptName] }
tests:
"#;
    scratch.write(
        "logs.yaml",
        format!(
            "{jobs}{}",
            "- { name: a, job: one, input: { Outcome: ok, ScriptName: shop }, expect: { Outcome: ok } }
- { name: b, job: logs.one, input: { Outcome: bad }, expect_dropped: filtered }
- { name: c, job: two, input: { Outcome: ok, ScriptName: shop }, expect: { ScriptName: shop } }
"
        ),
    );
    check_passed(&test(&scratch, &["logs.yaml"]).output(), 3);
    scratch.write(
        "logs.yaml",
        format!(
            "{jobs}{}",
            "- { name: a, input: '{}', expect: '{}' }\n- { name: b, job: tow, input: '{}', expect: '{}' }\n"
        ),
    );
    check_refused(
        &test(&scratch, &["logs.yaml"]).output(),
        &["there are several `jobs`: say which one", "no job has this name", "did you mean `two`?"],
    );
}

#[test]
fn the_command_that_says_why_can_be_run_as_it_is_printed() {
    let scratch = Scratch::new();
    let tests = "- { name: a, output: full, input: { Outcome: ok, Quote: \"it's\" }, expect: {} }";
    let shop_ran = shop(&scratch, tests).output();
    scratch.write("in.ndjson", "{\"Outcome\":\"ok\"}\n");
    let job = |name: &str, enabled: bool| {
        format!(
            "- {{ name: {name}, enabled: {enabled}, destination_conf: \"${{NO_SUCH_VARIABLE}}\", dataset: workers_trace_events, \
             filter: '{{\"where\":{{\"key\":\"Outcome\",\"operator\":\"eq\",\"value\":\"x\"}}}}' }}\n"
        )
    };
    let file = |jobs: &str| {
        let head = "source: { file: { include: [logs/*] } }\nstate_dir: state\njobs:\n";
        format!("{head}{jobs}tests:\n- {{ name: a, job: one, input_file: in.ndjson, expect: {{}} }}\n")
    };
    scratch.write("jobs.yaml", file(&(job("one", false) + &job("two", true))));
    scratch.write("job.yaml", file(&job("one", false)));
    let rans = [shop_ran, test(&scratch, &["jobs.yaml"]).output(), test(&scratch, &["job.yaml"]).output()];
    for ran in rans {
        let stdout = String::from_utf8_lossy(&ran.stdout).into_owned();
        let command = stdout.lines().find_map(|line| line.strip_prefix("  why: ")).expect(&stdout);
        let command = command.replace("logweir explain", concat!(env!("CARGO_BIN_EXE_logweir"), " explain"));
        let ran = std::process::Command::new("sh")
            .args(["-c", &command])
            .current_dir(scratch.dir())
            .output()
            .unwrap();
        let explained = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
        assert!(
            explained.contains("false  Outcome ") && explained.matches("event ").count() == 1,
            "{explained}"
        );
    }
    std::fs::remove_file(scratch.path("in.ndjson")).unwrap();
    let ran = test(&scratch, &["job.yaml"]).output();
    let stdout = String::from_utf8_lossy(&ran.stdout);
    assert!(stdout.contains("in.ndjson cannot be read") && !stdout.contains("why:"), "{stdout}");
}

#[test]
fn what_is_tested_must_be_known_and_nothing_secret_is_shown() {
    let scratch = Scratch::new();
    scratch.write(
        "p.yaml",
        "source: { stdin: {} }\nstages: [{ sample: { rate: \"${NO_SUCH_VARIABLE}\" } }]\n\
         outputs: [{ name: a b, sink: { http: { url: 'https://x/', headers: { Authorization: hunter2 } } } }]\n\
         tests: [{ name: a, input: '{}', expect: '{}' }]",
    );
    let ran = test(&scratch, &["p.yaml"]).output();
    check_refused(&ran, &["the variable `NO_SUCH_VARIABLE` is not set", "p.yaml:3:"]);
    assert!(!ran.stderr_text().contains("hunter2"), "{}", ran.stderr_text());
}

#[test]
fn that_nothing_was_tested_is_no_success() {
    let scratch = Scratch::new();
    scratch.write("bare.yaml", "source: { stdin: {} }\nsink: { stdout: {} }\n");
    let good =
        "source: { stdin: {} }\nsink: { stdout: {} }\ntests: [{ name: one, input: '{}', expect: '{}' }]";
    scratch.write("good.yaml", good);
    check_refused(
        &test(&scratch, &["bare.yaml"]).output(),
        &["bare.yaml has no tests: write some under `tests`, or in bare.test.yaml", "no test was run"],
    );
    let both = test(&scratch, &["bare.yaml", "good.yaml"]).output();
    assert_eq!(both.code(), Some(0), "{}", both.stderr_text());
    assert!(both.stderr_text().contains("bare.yaml has no tests"));
    check_refused(
        &test(&scratch, &["--require", "bare.yaml", "good.yaml"]).output(),
        &["bare.yaml has no tests"],
    );
    check_refused(&test(&scratch, &["--filter", "two", "good.yaml"]).output(), &["see `--filter`"]);
    check_passed(&test(&scratch, &["--filter", "on", "good.yaml"]).output(), 1);
    // Nor is a test without events, or of a file that is not there.
    scratch.write("none.ndjson", "");
    for (input, summary) in
        [("none", "the input has no events"), ("missing", "missing.ndjson cannot be read")]
    {
        let file = good.replace("input: '{}'", &format!("input_file: {input}.ndjson"));
        scratch.write("good.yaml", file);
        check_failed(&test(&scratch, &["good.yaml"]).output(), summary);
    }
}

#[test]
fn results_are_written_as_xml() {
    let scratch = Scratch::new();
    let ran = shop(
        &scratch,
        r#"
  - { name: "<\"&\u0007'>", output: full, input: '{"Outcome":"<bad>"}', expect: '{"Outcome":"\u001b&]]>"}' }
  - { name: fine, output: full, input: '{}', expect: '{}' }
"#,
    );
    assert_eq!(ran.output().code(), Some(1));
    let ran = test(&scratch, &["--junit", "out.xml", "shop.yaml"]).output();
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    let document = String::from_utf8(scratch.read("out.xml")).unwrap();
    let mut reader = quick_xml::Reader::from_str(&document);
    let (mut elements, mut text) = (Vec::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                let attribute = |name: &str| {
                    let attribute = element.try_get_attribute(name).unwrap();
                    attribute
                        .map(|found| {
                            found.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned()
                        })
                        .unwrap_or_default()
                };
                let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
                elements.push((name, attribute("name"), attribute("tests"), attribute("failures")));
            }
            Event::Text(part) => text.push_str(&part.decode().unwrap()),
            Event::GeneralRef(part) => text.push_str(match part.decode().unwrap().as_ref() {
                "lt" => "<",
                "gt" => ">",
                "amp" => "&",
                "quot" => "\"",
                _ => "'",
            }),
            Event::Eof => break,
            _ => {}
        }
    }
    let element = |name: &str, called: &str, tests: &str, failures: &str| {
        (name.to_owned(), called.to_owned(), tests.to_owned(), failures.to_owned())
    };
    let expected = [
        element("testsuites", "logweir test", "2", "1"),
        element("testsuite", "shop.yaml", "2", "1"),
        element("testcase", "<\"&\u{fffd}'>", "", ""),
        element("failure", "", "", ""),
        element("testcase", "fine", "", ""),
    ];
    assert_eq!(elements, expected);
    assert!(text.contains(r#"+ {"Outcome":"<bad>"}"#) && text.contains("]]>"), "{text}");
    let ran = test(&scratch, &["--junit", "no/such/out.xml", "shop.yaml"]).output();
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().contains("the results cannot be written to no/such/out.xml"));
}

#[test]
fn results_are_written_over_nothing_but_results() {
    let scratch = Scratch::new();
    let text = "source: { stdin: {} }\nsink: { stdout: {} }\ntests: [{ name: a, input: { a: 1 }, expect: { a: 1 } }]\n";
    for name in ["a.yaml", "b.yaml", "no-ending"] {
        scratch.write(name, text);
    }
    scratch.write("events.ndjson", "{}\n");
    for (args, said) in [
        (&["--junit", "a.yaml", "b.yaml"][..], "not written over a pipeline file"),
        (&["--junit", "new.yml", "b.yaml"], "not written over a pipeline file"),
        (&["--junit", "./no-ending", "no-ending"], "not written over a pipeline file"),
        (&["--junit", "events.ndjson", "b.yaml"], "holds something else than results"),
        (&["--junit", "-", "b.yaml"], "name a file"),
    ] {
        let ran = test(&scratch, args).output();
        assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(2), &b""[..]), "{args:?}");
        assert!(ran.stderr_text().contains(said), "{args:?}: {}", ran.stderr_text());
    }
    for name in ["a.yaml", "b.yaml", "no-ending"] {
        assert_eq!(scratch.read(name), text.as_bytes());
    }
    assert_eq!(scratch.read("events.ndjson"), b"{}\n");
    assert!(!scratch.path("-").exists() && !scratch.path("new.yml").exists());
    for _ in 0..2 {
        assert_eq!(test(&scratch, &["--junit", "results.xml", "b.yaml"]).output().code(), Some(0));
    }
}

#[test]
fn colours_are_for_terminals() {
    let scratch = Scratch::new();
    let tests = "  - { name: a, output: full, input: '{\"a\":1}', expect: '{\"a\":2}' }";
    let has_colours = |run: Run| run.output().stdout.contains(&0x1b);
    assert!(!has_colours(shop(&scratch, tests)));
    assert!(has_colours(shop(&scratch, tests).env("CLICOLOR_FORCE", "1")));
    assert!(!has_colours(shop(&scratch, tests).env("NO_COLOR", "1")));
}

#[test]
fn large_outputs_that_have_nothing_in_common_are_compared_at_once() {
    let scratch = Scratch::new();
    let lines =
        |what: &str| (0..50_000).map(|n| format!("{{\"{what}\":{n}}}\n")).collect::<Vec<_>>().concat();
    scratch.write("in.ndjson", lines("a"));
    scratch.write("out.ndjson", lines("b"));
    let text = "source: { stdin: {} }\nsink: { stdout: {} }\n\
                tests: [{ name: a, input_file: in.ndjson, expect_file: out.ndjson }]";
    scratch.write("p.yaml", text);
    let ran = test(&scratch, &["p.yaml"]).output();
    check_failed(&ran, "more lines");
    assert!(ran.stdout.len() < 50_000, "{} bytes", ran.stdout.len());
}

#[test]
fn every_example_passes_its_tests_on_a_machine_that_knows_nothing() {
    let mut files: Vec<String> = fs::read_dir(workspace().join("pipelines"))
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().into_string().unwrap().strip_suffix(".yaml").map(str::to_owned)
        })
        .map(|name| format!("pipelines/{name}.yaml"))
        .collect();
    files.sort();
    let args = ["test", "--require"].into_iter().chain(files.iter().map(String::as_str));
    let ran = logweir(args).dir(workspace()).output();
    assert_eq!(ran.code(), Some(0), "{}{}", String::from_utf8_lossy(&ran.stdout), ran.stderr_text());
    assert!(files.len() >= 9, "{files:?}");
}
