//! `logweir job check` and `logweir import`: what is said of jobs, and the pipeline files that are made of them.

use logweir_testkit::oracle::{self, Stage, same_lines};
use logweir_testkit::process::Ran;
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;
use serde_json::{Value, json};

use crate::rig::{logweir, pipeline, succeeded};

/// The job of the page that started this, its placeholders filled in; the comma behind the list of fields is the page's.
const PAGE: &str = r#"{
  "name": "workers-logpush",
  "output_options": {
    "field_names": ["Event", "EventTimestampMs", "Outcome", "Exceptions", "Logs", "ScriptName"],
  },
  "destination_conf": "r2://logs/{DATE}?account-id=abc&access-key-id=key&secret-access-key=Sup3rS3cr3t",
  "dataset": "workers_trace_events",
  "enabled": true
}"#;

/// Runs a command over files.
fn run(args: &[&str], files: &[(&str, &str)]) -> (Ran, Scratch) {
    let scratch = Scratch::new();
    for (name, text) in files {
        scratch.write(name, text);
    }
    let names = files.iter().map(|(name, _)| *name);
    let ran = logweir(args.iter().copied().chain(names)).dir(scratch.dir()).output();
    (ran, scratch)
}

fn stdout(ran: &Ran) -> String {
    String::from_utf8(ran.stdout.clone()).unwrap()
}

/// Imports files and returns the pipeline file, which `check` finds no fault with.
#[track_caller]
fn imported(options: &[&str], files: &[(&str, &str)], env: &[(&str, &str)]) -> (String, String) {
    let (ran, scratch) = run(&[&["import"], options].concat(), files);
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let text = stdout(&ran);
    scratch.write("out.yaml", &text);
    let mut check = logweir(["check", "out.yaml"]).dir(scratch.dir());
    for (name, value) in env {
        check = check.env(name, value);
    }
    let checked = check.output();
    assert_eq!(checked.code(), Some(0), "{}\n{text}", checked.stderr_text());
    (text, ran.stderr_text())
}

#[track_caller]
fn refused(files: &[(&str, &str)], expected: &[&str]) {
    let (ran, _scratch) = run(&["import"], files);
    let said = ran.stderr_text();
    assert_eq!((ran.code(), stdout(&ran).as_str()), (Some(2), ""), "{said}");
    for part in expected {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_good_job_is_fine_from_a_file_and_from_standard_input() {
    let (ran, _scratch) = run(&["job", "check"], &[("job.json", PAGE)]);
    assert_eq!((ran.code(), stdout(&ran).as_str()), (Some(0), "job.json: fine\n"), "{}", ran.stderr_text());
    let ran = logweir(["job", "check", "-"]).stdin(PAGE.as_bytes()).output();
    assert_eq!((ran.code(), stdout(&ran).as_str()), (Some(0), "-: fine\n"), "{}", ran.stderr_text());
}

#[test]
fn every_problem_of_a_job_is_shown_at_its_place_with_its_code_and_without_secrets() {
    let bad = PAGE
        .replace("\"enabled\": true", "\"enabled\": \"yes\", \"ownership_challenge\": \"a b\"")
        .replace("\"Outcome\", ", "\"outcome\", ");
    let (ran, _scratch) = run(&["job", "check"], &[("good.json", PAGE), ("bad.json", &bad)]);
    let said = ran.stderr_text();
    assert_eq!((ran.code(), stdout(&ran).as_str()), (Some(2), "good.json: fine\n"));
    for part in [
        "bad.json:4:50: ",
        "did you mean `Outcome`?",
        "bad.json:8:14: ",
        "bad.json:8:44: incorrect ownership challenge",
        "(1002)",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("S3cr3t"), "{said}");
}

#[test]
fn a_job_is_answered_as_the_api_does_where_that_is_asked_for() {
    let filter = r#"{"where":{"key":"WallTimeMs","operator":"in","value":"200,201"}}"#;
    let bad = PAGE.replace("\"enabled\": true", &format!("\"id\": 0, \"filter\": {}", json!(filter)));
    let (ran, _scratch) = run(&["job", "check", "--json"], &[("bad.json", &bad), ("good.json", PAGE)]);
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(2), ""));
    let answers: Vec<Value> = stdout(&ran).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let errors = json!([
        { "code": 1004, "message": "creating a new job is not allowed: the number `0` is too small" },
        {
            "code": 1004,
            "message": "creating a new job is not allowed: bad predicate: failed to decode value \"\\\"200,201\\\"\", supported \
                        kinds: []uint64",
        },
    ]);
    let refused = json!({ "errors": errors, "messages": [], "result": null, "success": false });
    let taken = json!({
        "errors": [], "messages": [], "result": { "valid": true, "message": "" }, "success": true,
    });
    assert_eq!(answers, [refused, taken]);
}

#[test]
fn notes_are_said_and_stand_in_the_way_of_nothing() {
    let (ran, _scratch) =
        run(&["job", "check"], &[("job.json", &PAGE.replace("\"enabled\": true", "\"enabled\": false"))]);
    assert_eq!(ran.code(), Some(0));
    assert!(
        ran.stderr_text().starts_with("note: job.json:8:3: this job is not enabled"),
        "{}",
        ran.stderr_text()
    );
}

#[test]
fn a_job_a_list_and_responses_of_the_api_become_pipelines() {
    let named = |name: &str| PAGE.replace("workers-logpush", name);
    let list = format!("[{}, {}]", named("b"), named("c"));
    let response = format!(
        r#"{{"errors": [], "messages": [], "result": {}, "success": true, "result_info": {{"page": 1}}}}"#,
        format!("[{}]", named("d")).replace("\"name\"", "\"last_complete\": null, \"id\": 7, \"name\"")
    );
    let one = format!(r#"{{"errors": [], "result": {}, "success": true}}"#, named("e"));
    let files = [("a.json", PAGE), ("b.json", &list), ("c.json", &response), ("d.json", &one)];
    let (text, said) = imported(&[], &files, &[]);
    assert_eq!(said, "");
    let expected = ["workers-logpush", "b", "c", "d", "e"].map(|name| format!("  - name: \"{name}\"\n"));
    assert!(expected.iter().all(|name| text.contains(name)), "{text}");
    assert!(text.contains("secret-access-key=Sup3rS3cr3t") && !text.contains("last_complete"), "{text}");
}

#[test]
fn what_is_imported_means_the_same() {
    let texts = ["$", "$$", "${X}", "a\"b\\c\n\t", "\u{85}\u{feff}\u{1f680}é", "'", "#", " x "];
    let prefix = texts.concat();
    let filter = r#"{"where":{"key":"ScriptName","operator":"contains","value":"${X}$$"}}"#;
    let job = json!({
        "destination_conf": "https://h/x?header_A=$b", "dataset": "workers_trace_events", "filter": filter,
        "output_options": {
            "field_names": ["Outcome"], "batch_prefix": prefix, "record_template": "{{.Outcome}}${X}$$", "sample_rate": 0.25,
            "CVE-2021-44228": true,
        },
        "max_upload_records": 1000,
    });
    // What YAML does not take as it is, JSON has as an escape, the rocket as two.
    let escaped = |job: &Value| {
        let escapes = [('\u{85}', "\\u0085"), ('\u{feff}', "\\ufeff"), ('\u{1f680}', "\\ud83d\\ude80")];
        escapes.iter().fold(job.to_string(), |text, (c, escape)| text.replace(*c, escape))
    };
    let (text, _) = imported(&[], &[("job.json", &escaped(&job))], &[]);
    let file =
        |path: &str, text: &str| logweir_pipeline::ConfigFile { path: path.into(), text: text.to_owned() };
    let load = |text: &str| {
        logweir_pipeline::load_texts(vec![file("p.yaml", text)], &|_| None).unwrap().pipelines.remove(0)
    };
    let mut doubled = job.clone();
    for pointer in ["/destination_conf", "/output_options/batch_prefix"] {
        let value = doubled.pointer_mut(pointer).unwrap();
        *value = value.as_str().unwrap().replace('$', "$$").into();
    }
    // The file that a person would write: the job itself, each `$` doubled where variables are replaced.
    let job = escaped(&doubled);
    let by_hand =
        format!("source: {{file: {{include: [events/*.ndjson]}}}}\nstate_dir: state\njobs: [{job}]");
    assert_eq!(load(&text), load(&by_hand));
}

#[test]
fn secrets_become_variables_that_are_listed() {
    let jobs = json!([
        { "name": "a", "destination_conf": "https://h/x?header_Authorization=Bearer%20Sup3rS3cr3t&tags=x" },
        { "name": "a", "destination_conf": "sumo://h/receiver/v1/http/Sup3rS3cr3t" },
        { "id": 9, "destination_conf": "s3://b/{DATE}?region=r&access-key-id=K&secret-access-key=Sup3rS3cr3t",
          "ownership_challenge": "Sup3rS3cr3t" },
    ]);
    let env = [
        ("A_HEADER_AUTHORIZATION", "Bearer%20x"),
        ("A_COLLECTOR", "x"),
        ("JOB_9_SECRET_ACCESS_KEY", "x"),
        ("JOB_9_OWNERSHIP_CHALLENGE", "x"),
    ];
    let (text, said) = imported(&["--secrets-to-env"], &[("jobs.json", &jobs.to_string())], &env);
    assert!(!text.contains("S3cr3t") && !said.contains("S3cr3t"), "{text}{said}");
    for (name, _) in env {
        assert!(text.contains(&format!("${{{name}}}")), "{name}: {text}");
        assert!(said.contains(&format!("set {name}: ")), "{name}: {said}");
    }
}

const TERRAFORM: &str = r#"
variable "r2_secret" { sensitive = true }
variable "bucket" { default = "logs" }
variable "on" { default = true }
variable "types" { default = ["ok"] }
locals {
  fields = ["Event", "Outcome"]
  conf   = "r2://${var.bucket}/{DATE}?account-id=${cloudflare_account.main.id}&access-key-id=k&secret-access-key=${var.r2_secret}"
}
resource "cloudflare_r2_bucket" "logs" { name = "x" }
resource "cloudflare_logpush_job" "one" {
  account_id          = var.account
  name                = "new"
  dataset             = "Workers_Trace_Events"
  enabled             = var.on
  destination_conf    = local.conf
  ownership_challenge = data.aws_s3_object.challenge.body
  max_upload_records  = 5000
  filter = jsonencode({
    where = { and = [{ key = "Outcome", operator = "in", value = var.types }] }
  })
  output_options = {
    field_names    = local.fields
    cve_2021_44228 = true
    batch_prefix   = "$${x}"
  }
  lifecycle { ignore_changes = [name] }
}
resource "cloudflare_logpush_job" "two" {
  name             = "old"
  dataset          = "workers_trace_events"
  destination_conf = trimspace(<<-EOT
    https://h/x?tags=a
  EOT
  )
  output_options {
    field_names     = ["Event"]
    sample_rate     = 0.5
    cve20214428     = false
    record_template = <<EOT
{"e":{{.Event}}}
EOT
  }
}
"#;

#[test]
fn terraform_of_both_generations_becomes_pipelines() {
    let env = [("CLOUDFLARE_ACCOUNT_MAIN_ID", "abc"), ("R2_SECRET", "x")];
    let (text, said) = imported(&[], &[("main.tf", TERRAFORM)], &env);
    for part in [
        "  - name: \"new\"\n    dataset: \"workers_trace_events\"\n    enabled: ${ON:-true}\n",
        "\"r2://${BUCKET:-logs}/{DATE}?account-id=${CLOUDFLARE_ACCOUNT_MAIN_ID}&access-key-id=k&secret-access-key=${R2_SECRET}\"",
        r#"filter: "{\"where\":{\"and\":[{\"key\":\"Outcome\",\"operator\":\"in\",\"value\":[\"ok\"]}]}}""#,
        "        - \"Event\"\n        - \"Outcome\"\n      CVE-2021-44228: true\n      batch_prefix: \"$${x}\"\n",
        "    max_upload_records: 5000\n",
        "    destination_conf: \"https://h/x?tags=a\"\n",
        "      sample_rate: 0.5\n      CVE-2021-44228: false\n      record_template: \"{\\\"e\\\":{{.Event}}}\\n\"\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(said.contains("`ownership_challenge` that only Terraform knows is left out"), "{said}");
    assert!(said.contains("the default of `var.types` is taken"), "{said}");
}

#[test]
fn what_only_terraform_can_work_out_is_refused_at_its_place() {
    let text = r#"resource "cloudflare_logpush_job" "x" {
  for_each = var.jobs
  destination_conf = format("s3://%s", var.x)
  filter = "{\"where\":${var.where}}"
  enabled = var.a ? true : false
  name = "é${upper("x")}"
}"#;
    let expected = [
        "a.tf:2:3: `for_each` makes this more jobs",
        "a.tf:3:22: the function `format`",
        "a.tf:4:3: `filter` depends on what only Terraform knows",
        "a.tf:5:13: an operator or a loop",
        "a.tf:6:14: the function `upper`",
    ];
    refused(&[("a.tf", text)], &expected);
    let local = |n: u32| format!("  l{n} = \"${{local.l{next}}}${{local.l{next}}}\"\n", next = n + 1);
    let doubling = (0..40).map(local).collect::<Vec<_>>().concat();
    let much = format!(
        "locals {{\n{doubling}}}\nresource \"cloudflare_logpush_job\" \"x\" {{\n  name = local.l0\n}}"
    );
    refused(&[("c.tf", &much)], &["too much to work out"]);
    refused(&[("b.tf", "resource \"cloudflare_logpush_job\" {")], &["b.tf:1:", "this is not Terraform"]);
}

#[test]
fn what_is_no_job_or_cannot_run_here_is_refused_and_nothing_is_printed() {
    refused(&[("a.json", "{\"name\": 1}")], &["a.json: a job is a JSON object with a `destination_conf`"]);
    refused(
        &[("a.json", r#"{"success": false, "errors": [], "result": null}"#)],
        &["the request has failed"],
    );
    refused(&[("a.json", "[]")], &["there is no job in these files"]);
    refused(&[("a.tf", "x = 1\n")], &["there is no job in these files"]);
    refused(&[("a.json", "[{]")], &["a.json:1:"]);
    refused(&[("missing.txt/a", "")][..0], &["required"]);
    let job = r#"{"destination_conf": "kinesis://s?region=r&secret-access-key=S3cr3t", "name": "a_b"}"#;
    let (ran, _scratch) = run(&["import"], &[("a.json", job)]);
    let said = ran.stderr_text();
    assert_eq!((ran.code(), ran.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.contains("Kinesis") && said.contains("the name of a job has letters"), "{said}");
    assert!(!said.contains("S3cr3t"), "{said}");
}

#[test]
fn a_job_that_is_not_enabled_is_told_of_when_the_file_is_checked_and_run() {
    let scratch = Scratch::new();
    let job = "{destination_conf: 'file:///nowhere', dataset: workers_trace_events, enabled: false}";
    scratch.write("p.yaml", format!("source: {{stdin: {{}}}}\nstate_dir: state\njobs: [{job}]\n"));
    for command in ["check", "run"] {
        let ran = logweir([command, "p.yaml"]).dir(scratch.dir()).stdin("").output();
        assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
        assert!(ran.stderr_text().contains("this job is not enabled"), "{}", ran.stderr_text());
        let expected = if command == "check" { "no job is enabled: there is nothing to run\n" } else { "" };
        assert_eq!(stdout(&ran), expected);
    }
}

#[test]
fn a_job_delivers_what_the_stages_of_a_job_make_of_its_source() {
    let scratch = Scratch::new();
    scratch.write("in.ndjson", EVENTS);
    std::fs::create_dir(scratch.path("bucket")).unwrap();
    let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#;
    let conf = format!("file://{}/{{DATE}}", scratch.path("bucket").display());
    let job = json!({ "destination_conf": conf, "dataset": "workers_trace_events", "filter": filter,
        "output_options": { "field_names": ["ScriptName", "Logs", "Outcome"] } });
    let head = "source: {file: {include: [in.ndjson], read: once}}\nstate_dir: state";
    let ran = pipeline(&scratch, &format!("{head}\njobs:\n- {job:#}\n")).output();
    let summary = succeeded(&ran);

    let stages = [
        Stage::Filter(filter.to_owned()),
        Stage::Truncate { limit: 16_384, unit: oracle::truncate::Unit::Chars },
    ];
    let names = ["ScriptName", "Logs", "Outcome"].map(String::from);
    let expected = oracle::run(&stages, Some(&names), EVENTS, 4 << 20);
    assert_eq!([summary.count("written"), summary.count("filtered")], [expected.written, expected.filtered]);
    assert!(expected.written > 0 && expected.filtered > 0, "{expected:?}");
    same_lines(&objects(&scratch.path("bucket")), &expected.output).unwrap();
}

/// Returns what is in all objects below a directory, in the order of their names.
fn objects(dir: &std::path::Path) -> Vec<u8> {
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut bytes = Vec::new();
    for path in paths {
        if path.is_dir() {
            bytes.extend(objects(&path));
        } else {
            let file = std::fs::File::open(path).unwrap();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut bytes).unwrap();
        }
    }
    bytes
}
