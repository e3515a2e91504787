//! Logpush jobs: what each key does, and what is refused in the words of Logpush's API.
//!
//! `config/good/pasted-*.yaml` and `config/bad/job*.yaml` beside this file belong to it too; `config.rs` reads them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::time::Duration;

use logweir_pipeline::{
    ConfigFile, Loaded, OutputConfig, PipelineConfig, Problem, Problems, SinkConfig, StageConfig, check_job,
    load_texts,
};
use logweir_sinks::{DestinationConfig, UploadSinkConfig};
use logweir_stages::{
    EncodeConfig, FilterConfig, OutputType, RecordTemplate, SampleConfig, TruncateConfig, Unit,
};
use proptest::prelude::*;

/// The budget of an event of a job, in characters.
const LOGPUSH_LIMIT: TruncateConfig = TruncateConfig::new(16_384, Unit::Chars);

/// All fields of the dataset in the order of the alphabet.
const ALL_FIELDS: &str = "CPUTimeMs DispatchNamespace Entrypoint Event EventTimestampMs EventType Exceptions Logs Outcome \
                          ScriptName ScriptTags ScriptVersion WallTimeMs";

fn env(name: &str) -> Option<String> {
    match name {
        "NAME" => Some(String::from("123")),
        "TOKEN" => Some(String::from("s3cr3t{")),
        _ => None,
    }
}

fn loaded(text: &str) -> Result<Loaded, Problems> {
    load_texts(vec![ConfigFile { path: PathBuf::from("p.yaml"), text: text.to_owned() }], &env)
}

/// Loads one of the files beside this one.
fn good(name: &str) -> Loaded {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/config/good").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let file = ConfigFile { path: PathBuf::from(name), text };
    load_texts(vec![file], &env).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Checks a job as the API has it: its notes, or its problems.
fn check(job: &str) -> Result<Vec<Problem>, Problems> {
    check_job(ConfigFile { path: PathBuf::from("job.json"), text: job.to_owned() })
}

/// Returns the code and the message of each problem of a job.
#[track_caller]
fn refused(job: &str) -> Vec<(Option<u16>, String)> {
    let problems = check(job).expect_err(job);
    problems.iter().map(|problem| (problem.code, problem.message.clone())).collect()
}

/// Returns a job with something in it besides what it needs.
fn job(more: &str) -> String {
    format!(r#"{{"dataset": "workers_trace_events", "destination_conf": "file:///out", {more}}}"#)
}

fn with_filter(filter: &str) -> String {
    job(&format!(r#""filter": {}"#, serde_json::Value::from(filter)))
}

fn stages_and_output(pipeline: &PipelineConfig) -> (&[StageConfig], &OutputConfig) {
    let [output] = pipeline.outputs.as_slice() else { panic!("one output: {:?}", pipeline.outputs) };
    (&pipeline.stages, output)
}

fn upload(pipeline: &PipelineConfig) -> &UploadSinkConfig {
    let SinkConfig::Upload(upload) = &stages_and_output(pipeline).1.sink else { panic!("an upload") };
    upload
}

fn strings(names: &str) -> Vec<String> {
    names.split_whitespace().map(String::from).collect()
}

#[test]
fn the_body_of_the_pages_curl_call_runs_as_it_is_pasted() {
    let loaded = good("pasted-job.yaml");
    assert_eq!(loaded.notes, []);
    let [pipeline] = loaded.pipelines.as_slice() else { panic!("one pipeline") };
    assert_eq!(pipeline.name, "pasted-job.workers-logpush");
    let where_text = r#"{"where": {"key":"Outcome","operator":"!eq","value":"exception"}}"#;
    let filter = FilterConfig::from_json(where_text).unwrap();
    let (stages, output) = stages_and_output(pipeline);
    assert_eq!(stages, [StageConfig::Filter(filter), StageConfig::Truncate(LOGPUSH_LIMIT)]);
    let field_names = Some(strings("Event EventTimestampMs Outcome Exceptions Logs ScriptName"));
    assert_eq!(output.encode, EncodeConfig { field_names, ..EncodeConfig::default() });
    let conf = "r2://logs/workers/{DATE}?account-id=0123456789abcdef0123456789abcdef&access-key-id=key&\
                secret-access-key=s3cr3t";
    assert_eq!(*upload(pipeline), UploadSinkConfig::new(DestinationConfig::parse(conf).unwrap()));
}

#[test]
fn json_keeps_its_tabs_its_indentation_and_its_escapes() {
    let loaded = good("pasted-list.yaml");
    let [pipeline] = loaded.pipelines.as_slice() else { panic!("one job is enabled") };
    let (_, output) = stages_and_output(pipeline);
    assert_eq!(output.encode.batch_prefix.as_deref(), Some("\u{1f680}"));
    assert_eq!(
        upload(pipeline).destination,
        DestinationConfig::parse("s3://logs/{DATE}?region=eu-west-1").unwrap()
    );
    let notes: Vec<_> = loaded.notes.iter().map(|note| (note.line, note.message.as_str())).collect();
    assert_eq!(
        notes,
        [
            (10, "another job has this name, so this one is called `pasted-list.tabs-2`"),
            (11, "this job is not enabled, so it does not run")
        ]
    );
}

#[test]
fn every_key_of_a_job_arrives_in_its_place() {
    let loaded = good("jobs.yaml");
    let [all, bare] = loaded.pipelines.as_slice() else { panic!("two pipelines") };
    assert_eq!((all.name.as_str(), bare.name.as_str()), ("jobs.All.of-it", "jobs.job"));
    for pipeline in [all, bare] {
        assert_eq!(pipeline.state_dir, Some(PathBuf::from("state")));
        assert_eq!((pipeline.deadline, pipeline.limits.max_event_bytes), (Duration::from_secs(5), 1 << 20));
    }
    let (stages, output) = stages_and_output(all);
    let literal = r#"{"where":{"key":"ScriptName","operator":"contains","value":"${NAME}"}}"#;
    let expected = [
        StageConfig::Filter(FilterConfig::from_json(literal).unwrap()),
        StageConfig::Sample(SampleConfig::of_rate(0.25)),
        StageConfig::Truncate(LOGPUSH_LIMIT),
    ];
    assert_eq!(stages, expected, "filter, sample, truncate, and no variable in a filter");
    let text = |text: &str| Some(String::from(text));
    let encode = EncodeConfig {
        field_names: Some(strings("ScriptName Outcome")),
        output_type: OutputType::Csv,
        batch_prefix: text("ScriptName,Outcome\n"),
        batch_suffix: text("# $ end\n"),
        record_prefix: text(""),
        record_suffix: text("\r\n"),
        record_delimiter: text("\n"),
        field_delimiter: text("\t"),
        record_template: Some(RecordTemplate::parse("{{.Outcome}} ${NAME}").unwrap()),
        redact_cve_2021_44228: true,
    };
    assert_eq!(output.encode, encode);
    let conf = "https://logs.example.com/in?header_Authorization=Bearer%20s3cr3t{&tags=a:b";
    let mut expected = UploadSinkConfig::new(DestinationConfig::parse(conf).unwrap());
    expected.batch.max_bytes = Some(5_000_000);
    expected.batch.max_events = 1000;
    expected.batch.max_interval = Duration::from_secs(300);
    assert_eq!(*upload(all), expected);
    assert!(!format!("{loaded:?}").contains("s3cr3t"), "{loaded:?}");

    let (stages, output) = stages_and_output(bare);
    assert_eq!(stages, [StageConfig::Truncate(LOGPUSH_LIMIT)]);
    assert_eq!(output.encode, EncodeConfig::default(), "no fields are known of another dataset");
}

#[test]
fn a_job_without_fields_has_all_that_are_documented_in_alphabetical_order() {
    for options in ["", r#", "output_options": null"#, r#", "output_options": {"output_type": "csv"}"#] {
        let text = format!(
            "{{source: {{stdin: }}, state_dir: s, jobs: [{{\"dataset\": \"workers_trace_events\", \
             \"destination_conf\": \"file:///o\"{options}}}]}}"
        );
        let pipeline = loaded(&text).unwrap_or_else(|problems| panic!("{problems}")).pipelines.remove(0);
        let names = &stages_and_output(&pipeline).1.encode.field_names;
        assert_eq!(*names, Some(strings(ALL_FIELDS)), "{options}");
    }
}

#[test]
fn a_job_is_enabled_unless_it_says_no() {
    let jobs = |enabled: &str| {
        let text = format!(
            "source: {{file: {{include: [x]}}}}\nstate_dir: s\njobs:\n- destination_conf: file:///o\n  {enabled}"
        );
        loaded(&text).unwrap().pipelines.len()
    };
    assert_eq!(
        (jobs(""), jobs("enabled: true"), jobs("enabled: null"), jobs("enabled: false")),
        (1, 1, 1, 0)
    );
}

#[test]
fn jobs_that_share_a_name_are_numbered_and_those_without_one_go_by_their_id() {
    let text = "source: {file: {include: [x]}}\nstate_dir: s\nname: f\njobs:\n\
                - {destination_conf: 'file:///o', name: a}\n\
                - {destination_conf: 'file:///o', name: a-2}\n\
                - {destination_conf: 'file:///o', name: a, enabled: false}\n\
                - {destination_conf: 'file:///o', name: a}\n\
                - {destination_conf: 'file:///o', name: '', id: 7}\n\
                - {destination_conf: 'file:///o'}\n\
                - {destination_conf: 'file:///o', name: null}\n";
    let loaded = loaded(text).unwrap();
    let names: Vec<_> = loaded.pipelines.iter().map(|pipeline| pipeline.name.as_str()).collect();
    assert_eq!(names, ["f.a", "f.a-2", "f.a-4", "f.job-7", "f.job", "f.job-2"]);
    let said: Vec<_> = loaded.notes.iter().filter(|note| note.message.contains("called")).collect();
    assert_eq!(said.iter().map(|note| note.line).collect::<Vec<_>>(), [7, 8, 11]);
}

#[test]
fn names_of_jobs_count_among_those_of_all_pipelines() {
    let file = |path: &str, text: &str| ConfigFile { path: PathBuf::from(path), text: text.to_owned() };
    let jobs =
        "source: {file: {include: [x]}}\nstate_dir: s\njobs: [{destination_conf: 'file:///o', name: b}]";
    let plain = "source: {stdin: }\nsink: {stdout: }";
    let problems = load_texts(vec![file("a.yaml", jobs), file("a.b.yaml", plain)], &env).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems}");
    assert!(problems.to_string().contains("another pipeline has the name of this file"), "{problems}");
}

#[test]
fn standard_input_feeds_one_job_only() {
    let text = |second: &str| {
        format!(
            "source: {{stdin: }}\nstate_dir: s\njobs:\n- {{destination_conf: 'file:///o'}}\n\
             - {{destination_conf: 'file:///o', enabled: {second}}}"
        )
    };
    assert_eq!(loaded(&text("false")).unwrap().pipelines.len(), 1);
    let problems = loaded(&text("true")).unwrap_err();
    let problem = problems.iter().next().unwrap();
    assert_eq!((problems.len(), problem.line), (1, 5), "{problems}");
}

#[test]
fn old_options_are_read_as_a_query_or_a_url_and_ignored_beside_new_ones() {
    let pipeline = |options: &str| {
        let text = format!(
            "{{source: {{stdin: }}, state_dir: s, jobs: [{{dataset: workers_trace_events, \
             destination_conf: 'file:///o', {options}}}]}}"
        );
        loaded(&text).unwrap_or_else(|problems| panic!("{problems}")).pipelines.remove(0)
    };
    let query = "fields=Event,Outcome%2CLogs&timestamps=rfc3339&sample=0.1&CVE-2021-44228=true";
    let url = format!("https://api.cloudflare.com/client/v4/zones/z/logs/received?start=1&end=2&{query}");
    for text in [query, &format!("?{query}"), &url] {
        let pipeline = pipeline(&format!("logpull_options: '{text}'"));
        let (stages, output) = stages_and_output(&pipeline);
        let sample = SampleConfig::of_rate(0.1);
        assert_eq!(stages, [StageConfig::Sample(sample), StageConfig::Truncate(LOGPUSH_LIMIT)], "{text}");
        let field_names = Some(strings("Event Outcome Logs"));
        let encode = EncodeConfig { field_names, redact_cve_2021_44228: true, ..EncodeConfig::default() };
        assert_eq!(output.encode, encode, "{text}");
    }
    let both = format!("logpull_options: '{query}', output_options: {{field_names: [Outcome]}}");
    let (stages, encode) = (pipeline(&both).stages, pipeline(&both).outputs[0].encode.clone());
    assert_eq!(stages, [StageConfig::Truncate(LOGPUSH_LIMIT)]);
    assert_eq!(encode, EncodeConfig { field_names: Some(strings("Outcome")), ..EncodeConfig::default() });
    let notes = check(&job(&format!(r#""logpull_options": "{query}", "output_options": {{}}"#))).unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].message.contains("`logpull_options` are ignored"), "{notes:?}");
}

#[test]
fn zero_sets_no_limit_and_null_is_left_out() {
    let keys = ["max_upload_bytes", "max_upload_records", "max_upload_interval_seconds"];
    for value in ["0", "null"] {
        let more = keys.map(|key| format!("{key}: {value}")).join(", ");
        let text = format!(
            "{{source: {{stdin: }}, state_dir: s, jobs: [{{destination_conf: 'file:///o', {more}}}]}}"
        );
        let pipeline = loaded(&text).unwrap().pipelines.remove(0);
        let batch = &upload(&pipeline).batch;
        let expected = (None, 100_000, Duration::from_secs(30));
        assert_eq!((batch.max_bytes, batch.max_events, batch.max_interval), expected);
    }
}

#[test]
fn the_limits_of_the_api_are_exact() {
    let fits = |key: &str, value: u64| check(&job(&format!(r#""{key}": {value}"#))).is_ok();
    for (key, least, most) in [
        ("max_upload_bytes", 5_000_000, 1_000_000_000),
        ("max_upload_records", 1_000, 1_000_000),
        ("max_upload_interval_seconds", 30, 300),
    ] {
        assert!(fits(key, 0) && fits(key, least) && fits(key, most), "{key}");
        assert!(!fits(key, 1) && !fits(key, least - 1) && !fits(key, most + 1), "{key}");
    }
    let text = |key: &str, n: usize| check(&job(&format!(r#""{key}": "{}""#, "a".repeat(n)))).is_ok();
    for (key, most) in [("name", 512), ("ownership_challenge", 4096)] {
        assert!(text(key, 0) && text(key, most) && !text(key, most + 1), "{key}");
    }
    let rate = |rate: &str| check(&job(&format!(r#""output_options": {{"sample_rate": {rate}}}"#))).is_ok();
    assert!(rate("1") && rate("1.0") && rate("0.0001") && rate("null"));
    assert!(!rate("0") && !rate("1.01") && !rate("-0.5") && !rate("\"0.5\""));
}

#[test]
fn a_filter_has_at_most_30_operators_and_1000_bytes() {
    let of = |n: usize| {
        let predicates = vec![r#"{"key":"Outcome","operator":"eq","value":"a"}"#; n].join(",");
        format!(r#"{{"where":{{"or":[{predicates}]}}}}"#)
    };
    assert!(check(&with_filter(&of(20))).is_ok());
    let short = |n: usize| of(n).replace("Outcome", "Logs");
    assert!(short(31).len() > 1000, "31 operators fit in no filter of 1000 bytes: both are wrong");
    let messages = refused(&with_filter(&of(31)));
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.iter().all(|(code, _)| *code == Some(1004)), "{messages:?}");
    assert!(messages[0].1.ends_with(&format!("the filter has {} bytes", of(31).len())), "{messages:?}");
    assert!(messages[1].1.ends_with("this is operator 31 of the filter"), "{messages:?}");
    let padded = |n: usize| format!("{}{}", of(1), " ".repeat(n - of(1).len()));
    assert!(check(&with_filter(&padded(1000))).is_ok());
    assert_eq!(refused(&with_filter(&padded(1001))).len(), 1);
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_in_the_words_of_the_api() {
    let filter = r#"{"where":{"and":[{"key":"WallTimeMs","operator":"in","value":"200,201"}]}}"#;
    let expected = r#"creating a new job is not allowed: bad predicate: failed to decode value "\"200,201\"", supported kinds: []uint64"#;
    assert_eq!(refused(&with_filter(filter)), [(Some(1004), expected.to_owned())]);
    let lines = with_filter(filter).replace(", ", ",\n");
    let problem = check(&lines).unwrap_err().iter().next().unwrap().clone();
    let written = problem.text.chars().skip(problem.column - 1).take(problem.caret_len).collect::<String>();
    assert_eq!(written, r#"\"200,201\""#, "the value, where it stands between its escapes");
}

/// The operators and the types they are for, with a value that fits and one that does not.
#[test]
fn each_operator_takes_the_types_that_the_reference_says() {
    let types = [
        ("CPUTimeMs", "int", r#""30""#, "[200,201]", r#"["a"]"#),
        ("EventTimestampMs", "int", "30", r#"["200"]"#, r#"["1e3"]"#),
        ("Outcome", "string", r#""ok""#, r#"["ok","30"]"#, "[30]"),
        ("ScriptTags", "array", r#""a""#, r#"["a"]"#, "[1]"),
    ];
    let operators = [
        ("eq", "int string"),
        ("lt", "int"),
        ("leq", "int"),
        ("gt", "int"),
        ("geq", "int"),
        ("startsWith", "string"),
        ("endsWith", "string"),
        ("contains", "string array"),
        ("in", "int string"),
    ];
    for (field, kind, one, several, wrong) in types {
        for (operator, kinds) in operators {
            let negations =
                if ["lt", "leq", "gt", "geq"].contains(&operator) { &[""][..] } else { &["", "!"] };
            for not in negations {
                let filter = |value: &str| {
                    let filter = format!(
                        r#"{{"where":{{"key":"{field}","operator":"{not}{operator}","value":{value}}}}}"#
                    );
                    check(&with_filter(&filter)).is_ok()
                };
                let value = if operator == "in" { several } else { one };
                let is_for = kinds.split(' ').any(|one| one == kind);
                assert_eq!(filter(value), is_for, "{not}{operator} of {field}");
                assert!(!filter(wrong) && !filter("null") && !filter("{}"), "{not}{operator} of {field}");
            }
        }
    }
    for field in ["Event", "Logs", "Exceptions", "ScriptVersion", "RayID", "Event.RayID", "outcome"] {
        let filter = format!(r#"{{"where":{{"key":"{field}","operator":"eq","value":"a"}}}}"#);
        let [(code, _)] = refused(&with_filter(&filter)).try_into().unwrap();
        assert_eq!(code, Some(1004), "{field}");
    }
}

#[test]
fn fields_and_filters_of_another_dataset_are_not_checked() {
    let text = r#"{"dataset": "http_requests", "destination_conf": "file:///out",
        "filter": "{\"where\":{\"key\":\"ClientIP\",\"operator\":\"lt\",\"value\":\"5\"}}",
        "output_options": {"field_names": ["ClientIP"], "merge_subrequests": true}}"#;
    let notes = check(text).unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].message.contains("`merge_subrequests` has no effect"), "{notes:?}");
}

#[test]
fn a_challenge_that_is_none_is_refused_with_the_code_of_the_api() {
    let [(code, message)] = refused(&job(r#""ownership_challenge": "two words""#)).try_into().unwrap();
    assert_eq!(code, Some(1002));
    assert!(message.starts_with("incorrect ownership challenge"), "{message}");
}

#[test]
fn a_checked_job_is_taken_literally() {
    assert_eq!(check(&job(r#""output_options": {"batch_prefix": "${NOWHERE} $$"}"#)), Ok(Vec::new()));
}

#[test]
fn a_response_of_the_api_is_a_job_as_well() {
    let response = r#"{"id":146,"dataset":"workers_trace_events","kind":"","enabled":true,"name":"workers-logpush",
        "output_options":{"field_names":["Event","Logs"],"timestamp_format":"rfc3339"},
        "destination_conf":"s3://logs/{DATE}?region=auto","last_complete":null,"last_error":null,"error_message":null,
        "frequency":null,"filter":"","logpull_options":null,"max_upload_bytes":null}"#;
    assert_eq!(check(response), Ok(Vec::new()));
}

#[test]
fn problems_show_no_secret_wherever_it_stands() {
    let secret = "Sup3rS3cr3t";
    for text in [
        format!(r#"{{"destination_conf": "s3://b?region=x&secret-access-key={secret}", "nope": 1}}"#),
        format!(
            r#"{{"destination_conf": "https://u:{secret}@h/{secret}?header_A={secret}&{secret}", "id": 0}}"#
        ),
        format!(r#"{{"destination": "sumo:\/\/h\/{secret}"}}"#),
        format!(r#"{{"destination_conf": "splunk:\u002f/h/x?channel={secret}", "id": 0}}"#),
        format!(r#"{{"destination_conf": "https://h/?a={secret}" "id": 0}}"#),
        format!(r#"{{"id": "https://h/{secret}", "destination_conf": "bq://h?credentials={secret}"}}"#),
        format!(
            r#"{{"destination_conf": "file:///o", "ownership_challenge": "{secret} {secret}", "id": 0}}"#
        ),
        format!(r#"{{"id": 0, {pad} "destination_conf": "r2://b?x={secret}"}}"#, pad = " ".repeat(200)),
    ] {
        let problems = check(&text).expect_err(&text);
        let shown = format!("{problems} {problems:?}");
        assert!(!shown.contains("S3cr3t"), "{shown}");
    }
}

/// Pieces of a job, good and bad.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\\"",
        "\\",
        "\n",
        "\t",
        " ",
        "'",
        "#",
        "null",
        "true",
        "0",
        "1e9",
        "-1",
        "\"dataset\"",
        "\"workers_trace_events\"",
        "\"destination_conf\"",
        "\"s3://b/{DATE}?region=x\"",
        "\"https://h?header_A=b%20c&d\"",
        "\"filter\"",
        "\"{\\\"where\\\":{\\\"key\\\":\\\"Outcome\\\",",
        "\\\"operator\\\":\\\"eq\\\",\\\"value\\\":5}}\"",
        "\"output_options\"",
        "\"field_names\"",
        "\"record_template\"",
        "\"{{.Outcome}}\"",
        "\"{{\"",
        "\"logpull_options\"",
        "\"fields=Event,,%2C&sample=x&%ff\"",
        "\"name\"",
        "\\ud83d\\ude00",
        "\\ud83d",
        "://",
        "é",
        "🚀",
        "- ",
        "|\n",
        "\r\n",
    ]);
    prop_oneof![6 => known.prop_map(String::from), 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged_as_a_job(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        let (Ok(found) | Err(found)) = check(&text).map_err(|problems| problems.iter().cloned().collect::<Vec<_>>());
        let n_lines = text.replace("\r\n", "\n").split(['\n', '\r']).count();
        for problem in found {
            prop_assert!((1..=n_lines).contains(&problem.line), "{problem:?} in {text:?}");
        }
        let _ = loaded(&format!("source: {{stdin: }}\nstate_dir: s\njobs:\n- {text}"));
    }

    #[test]
    fn any_texts_in_a_job_are_judged(filter in ".{0,60}", template in ".{0,40}", old in ".{0,60}", conf in ".{0,60}") {
        let job = serde_json::json!({
            "dataset": "workers_trace_events", "destination_conf": conf, "filter": filter, "logpull_options": old,
            "output_options": { "record_template": template },
        });
        let _ = check(&job.to_string());
    }
}
