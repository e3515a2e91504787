//! What is accepted, what is refused, and how it is said.
//!
//! `config/good` has files that load; `config/bad` has a file and the problems found in it; `config/together` has
//! files that are good alone and do not go together; `config/warned` has files that load, and what is surely unwanted in
//! them. After a change of wording, `UPDATE_EXPECTED=1 cargo test` writes
//! the expected problems anew, to be read with `git diff`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use logweir_pipeline::{
    AdminConfig, ConfigFile, Limits, OutputConfig, PipelineConfig, Problem, Problems, Secret, SinkConfig,
    SourceConfig, StageConfig, TapConfig, load_texts,
};
use logweir_sinks::{
    AckLevel, Compression, DeadLetterConfig, FileMode, FileSinkConfig, PathTemplate, Rotation, Tail,
};
use logweir_sources::{FileSourceConfig, FollowConfig, StartAt};
use logweir_stages::{EncodeConfig, FilterConfig, SampleConfig, TruncateConfig, Unit};

/// The variables that the files in `config` see.
fn env(name: &str) -> Option<String> {
    let value = match name {
        "NAME" => "123",
        "RATE" => "0.1",
        "TOKEN" => "s3cr3t{",
        "EMPTY" => "",
        _ => return None,
    };
    Some(value.to_owned())
}

fn dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name)
}

/// Returns the YAML files of a directory, by name.
fn files(dir: &Path) -> Vec<ConfigFile> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    assert!(!paths.is_empty(), "no files in {}", dir.display());
    let file = |path: PathBuf| ConfigFile {
        text: fs::read_to_string(&path).unwrap(),
        path: path.file_name().unwrap().into(),
    };
    paths.into_iter().map(file).collect()
}

fn one(text: &str) -> Result<PipelineConfig, Problems> {
    let file = ConfigFile { path: PathBuf::from("pipeline.yaml"), text: text.to_owned() };
    load_texts(vec![file], &env).map(|mut loaded| loaded.pipelines.remove(0))
}

/// Compares the problems of some files with those that are expected.
fn check(files: Vec<ConfigFile>, expected: &Path) {
    let problems = load_texts(files, &env).expect_err(&expected.display().to_string());
    let shown = format!("{problems}\n");
    compare(&shown, expected);
}

/// Compares what is shown with what is expected.
fn compare(shown: &str, expected: &Path) {
    assert!(!shown.contains("s3cr3t"), "a secret is shown:\n{shown}");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(expected, shown).unwrap();
    }
    let expected_text = fs::read_to_string(expected).unwrap_or_default();
    assert!(
        shown == expected_text,
        "{} expects\n{expected_text}\nbut what is shown is\n{shown}",
        expected.display()
    );
}

#[test]
fn metrics_name_a_destination_by_the_key_of_its_sink() {
    let text = fs::read_to_string(dir("good").join("uploads.yaml")).unwrap();
    for output in one(&text).unwrap().outputs {
        let (SinkConfig::Upload(sink), Some(name)) = (&output.sink, &output.name) else { unreachable!() };
        let line = text
            .lines()
            .skip_while(|line| !line.contains(&format!("name: {name}")))
            .collect::<Vec<_>>()
            .join(" ");
        let (_, keys) = line.split_once("sink:").unwrap();
        let key = keys.split([' ', '{', ':']).find(|word| !word.is_empty());
        assert_eq!(Some(sink.destination.kind()), key, "{name}");
    }
}

#[test]
fn good_files_load() {
    for file in files(&dir("good")) {
        let path = file.path.clone();
        if let Err(problems) = load_texts(vec![file], &env) {
            panic!("{} is good, but:\n{problems}", path.display());
        }
    }
}

#[test]
fn every_problem_of_a_bad_file_is_shown_at_its_place() {
    for file in files(&dir("bad")) {
        let expected = dir("bad").join(&file.path).with_extension("txt");
        check(vec![file], &expected);
    }
}

#[test]
fn files_that_do_not_go_together_are_refused() {
    for entry in fs::read_dir(dir("together")).unwrap() {
        let case = entry.unwrap().path();
        check(files(&case), &case.join("expected.txt"));
    }
}

#[test]
fn what_is_surely_unwanted_is_said_at_its_place() {
    for file in files(&dir("warned")) {
        let expected = dir("warned").join(&file.path).with_extension("txt");
        let loaded = load_texts(vec![file], &env).unwrap_or_else(|problems| panic!("{problems}"));
        let said = |kind: &'static str, list: &[Problem]| -> Vec<String> {
            list.iter().map(|one| format!("{kind}: {one}\n\n")).collect()
        };
        let shown = [said("warning", &loaded.warnings), said("note", &loaded.notes)].concat();
        compare(&shown.concat(), &expected);
    }
}

#[test]
fn two_pipelines_that_read_the_same_file_are_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.ndjson"), "").unwrap();
    let path = dir.path().display();
    let file = |name: &str, source: &str| ConfigFile {
        path: PathBuf::from(format!("{name}.yaml")),
        text: format!("source: {{ file: {{ read: once, {source} }} }}\nsink: {{ 'null': {{}} }}\n"),
    };
    let warned = |first: String, second: String| {
        let loaded = load_texts(vec![file("first", &first), file("second", &second)], &env).unwrap();
        let shown: Vec<_> =
            loaded.warnings.iter().map(|one| (one.file.clone(), one.message.clone())).collect();
        assert!(shown.len() <= 1, "{shown:?}");
        assert!(loaded.warnings.iter().all(|one| one.help.as_ref().unwrap().contains("first.yaml:1:")));
        shown
            .first()
            .is_some_and(|(file, message)| file == "second.yaml" && message.contains("reads these files"))
    };
    let include = |pattern: &str| format!("include: ['{path}/{pattern}']");
    assert!(warned(include("*.ndjson"), include("a*")) && warned(include("later.txt"), include("*.txt")));
    assert!(warned(include("later.txt"), include("../*/later.txt")));
    // They may meet some day, which is not certain.
    assert!(!warned(include("*.txt"), include("l*")) && !warned(include("a.ndjson"), include("b.ndjson")));
    assert!(!warned(include("*"), format!("{}, exclude: ['{path}/a.*']", include("*"))));
}

/// Loads one of the good files.
fn good(name: &str) -> PipelineConfig {
    let file = files(&dir("good")).into_iter().find(|file| file.path == Path::new(name)).unwrap();
    load_texts(vec![file], &env).unwrap().pipelines.remove(0)
}

#[test]
fn what_is_left_out_has_the_documented_defaults() {
    let pipeline = good("minimal.yaml");
    let limits = pipeline.limits;
    assert_eq!(limits, Limits::default());
    assert_eq!((limits.max_event_bytes, limits.chunk_bytes), (4 << 20, 512 << 10));
    assert_eq!((limits.channel_batches, limits.held_bytes), (4, 32 << 20));
    assert!((1..=256).contains(&limits.decoders));
    let output = OutputConfig {
        name: None,
        stages: Vec::new(),
        encode: EncodeConfig::default(),
        sink: SinkConfig::Stdout,
    };
    let expected = PipelineConfig {
        name: String::from("minimal"),
        source: SourceConfig::Stdin,
        stages: Vec::new(),
        outputs: vec![output],
        dead_letter: None,
        admin: None,
        state_dir: None,
        deadline: Duration::from_secs(30),
        limits,
    };
    assert_eq!(pipeline, expected);
    let bare = good("bare.yaml");
    assert_eq!(bare.outputs[0].sink, SinkConfig::Null);
    assert_eq!(PipelineConfig { name: bare.name.clone(), ..expected.clone() }.stages, bare.stages);
}

#[test]
fn every_key_arrives_in_its_place() {
    let pipeline = good("full.yaml");
    assert_eq!(pipeline.name, "workers.prod-1");
    assert_eq!(
        pipeline.source,
        SourceConfig::File(FileSourceConfig {
            include: vec!["/var/log/workers/*.ndjson".into(), "/var/log/workers/*.gz".into()],
            exclude: vec!["/var/log/workers/debug-*".into()],
        })
    );
    let [StageConfig::Filter(first), StageConfig::Filter(second), StageConfig::Sample(sample), truncate] =
        pipeline.stages.as_slice()
    else {
        panic!("other stages: {:?}", pipeline.stages)
    };
    assert_ne!(first, second);
    assert!(sample.always_keep.is_some());
    let [slow, quoted] = sample.rates.as_slice() else { panic!("other rates: {:?}", sample.rates) };
    assert_eq!((slow.rate, quoted.rate), (0.5, 1.0));
    assert_eq!(Some(&quoted.filter), sample.always_keep.as_ref());
    assert_ne!(slow.filter, quoted.filter);
    let expected = SampleConfig {
        rate: 0.1,
        key: Some("Event.RayID".into()),
        seed: u64::MAX,
        always_keep: sample.always_keep.clone(),
        rates: sample.rates.clone(),
        weight_field: Some("SampleInterval".into()),
    };
    assert_eq!(*sample, expected);
    let counted = TruncateConfig {
        max_scripts: Some(100),
        report: Some("Truncation".into()),
        ..TruncateConfig::new(16_384, Unit::Chars)
    };
    assert_eq!(*truncate, StageConfig::Truncate(counted));
    let [alerts, archive, counted] = pipeline.outputs.as_slice() else { panic!("three outputs") };
    assert_eq!(alerts.name.as_deref(), Some("alerts"));
    assert_eq!(alerts.stages[1], StageConfig::Truncate(TruncateConfig::new(200, Unit::Utf16)));
    assert_eq!(alerts.encode.field_names, Some(vec!["Outcome".into(), "Exceptions".into()]));
    let config = |path: &str| FileSinkConfig::new(PathTemplate::fixed(path));
    let overwritten = FileSinkConfig { mode: FileMode::Overwrite, ..config("out/alerts.ndjson") };
    assert_eq!(alerts.sink, SinkConfig::File(overwritten));
    let synced = FileSinkConfig {
        ack: AckLevel::Synced,
        sync_every: Duration::from_secs(60),
        ..config("out/archive.ndjson")
    };
    assert_eq!(archive.sink, SinkConfig::File(synced));
    let truncates =
        [Unit::Bytes, Unit::Chars].map(|unit| StageConfig::Truncate(TruncateConfig::new(16_384, unit)));
    assert_eq!(counted.stages, truncates);
    assert_eq!(counted.sink, SinkConfig::Null);
    let dead = DeadLetterConfig {
        path: "out/dead.ndjson".into(),
        max_bytes: Some(1_000_000_000),
        ack: AckLevel::Written,
    };
    assert_eq!(pipeline.dead_letter, Some(dead));
    let admin = AdminConfig {
        listen: ([0, 0, 0, 0, 0, 0, 0, 1], 9598).into(),
        token: Some(Secret::new("0123456789abcdef")),
        tap: Some(TapConfig {
            redact: vec!["Event.Request.Headers".into(), "Logs.Message".into()],
            max_events_per_second: 20,
        }),
    };
    assert_eq!(pipeline.admin, Some(admin));
    assert_eq!((&pipeline.state_dir, pipeline.deadline), (&None, Duration::from_millis(1500)));
    let limits = Limits {
        max_event_bytes: 1 << 20,
        chunk_bytes: 65_536,
        channel_batches: 8,
        decoders: 2,
        held_bytes: 128 << 10,
    };
    assert_eq!(pipeline.limits, limits);
}

#[test]
fn what_is_said_of_followed_files_arrives_and_makes_synced_the_default() {
    let pipeline = good("follow.yaml");
    let follow = FollowConfig {
        include: vec!["/var/log/workers/*.ndjson".into()],
        exclude: Vec::new(),
        start_at: StartAt::End,
        open_files: 64,
    };
    assert_eq!(pipeline.source, SourceConfig::Follow(follow));
    assert!(pipeline.source.is_replayable());
    assert_eq!(pipeline.state_dir.as_deref(), Some(Path::new("state")));
    assert_eq!(pipeline.deadline, Duration::from_secs(300));
    let sinks: Vec<_> = pipeline.outputs.iter().map(|output| output.sink.clone()).collect();
    let path = "out/{pipeline}/{output}-{DATE:%Y/%m-%d}-{HOUR}{{x}}.gz";
    let base = |path: &str| FileSinkConfig {
        tail: Tail::SetAside,
        ..FileSinkConfig::new(PathTemplate::parse(path).unwrap())
    };
    let archive = FileSinkConfig {
        rotate: Rotation { max_bytes: Some(64 << 20), every: Some(Duration::from_secs(3600)) },
        compression: Compression::Gzip { level: 9 },
        ..base(path)
    };
    let synced = |path: &str| FileSinkConfig { ack: AckLevel::Synced, ..base(path) };
    let safe = FileSinkConfig {
        sync_every: Duration::from_millis(1500),
        compression: Compression::Zstd { level: 3 },
        ..synced("out/safe.ndjson.zst")
    };
    assert_eq!(sinks, [archive, safe, synced("out/plain.ndjson")].map(SinkConfig::File));
    assert_eq!(pipeline.dead_letter.map(|dead_letter| dead_letter.ack), Some(AckLevel::Synced));
}

#[test]
fn files_are_followed_from_their_beginning_unless_something_else_is_said() {
    let text = "source: {file: {include: [x]}}\nsink: {stdout: }\nstate_dir: s";
    let expected = FollowConfig {
        include: vec!["x".into()],
        exclude: Vec::new(),
        start_at: StartAt::Beginning,
        open_files: 512,
    };
    assert_eq!(one(text).unwrap().source, SourceConfig::Follow(expected));
}

#[test]
fn a_duration_is_the_same_in_every_unit() {
    let deadline = |text: &str| {
        one(&format!("source: {{stdin: }}\nsink: {{stdout: }}\nshutdown: {{deadline: {text}}}"))
            .map(|pipeline| pipeline.deadline)
    };
    for (text, millis) in [("0s", 0), ("250ms", 250), ("90 s", 90_000), ("5m", 300_000), ("24h", 86_400_000)]
    {
        assert_eq!(deadline(text), Ok(Duration::from_millis(millis)), "{text}");
    }
    assert_eq!(deadline("1d"), deadline("24 h"));
    for text in ["30", "s", "-1s", "1.5s", "1S", "1  s", "1s ago", "86400001ms", "1M"] {
        assert!(deadline(text).is_err(), "{text}");
    }
}

#[test]
fn variables_are_replaced_outside_of_filters() {
    let pipeline = good("variables.yaml");
    assert_eq!(pipeline.name, "123");
    let SourceConfig::File(source) = &pipeline.source else { panic!("a file source") };
    assert_eq!(source.include, ["/var/log/*.ndjson"]);
    let literal = r#"{"where":{"key":"ScriptName","operator":"eq","value":"${NAME}"}}"#;
    assert_eq!(pipeline.stages[0], StageConfig::Filter(FilterConfig::from_json(literal).unwrap()));
    let StageConfig::Sample(sample) = &pipeline.stages[1] else { panic!("a sample stage") };
    assert_eq!((sample.rate, sample.seed), (0.1, 7));
    assert_eq!(pipeline.stages[2], StageConfig::Truncate(TruncateConfig::new(100, Unit::Chars)));
    let names = ["price in $", "${NAME}", "$US"].map(String::from);
    assert_eq!(pipeline.outputs[0].encode.field_names.as_deref(), Some(&names[..]));
    assert_eq!(pipeline.limits.held_bytes, 2 << 20);
}

#[test]
fn the_words_and_numbers_of_a_file_are_those_of_json() {
    let key = |key: &str| {
        let file = format!(
            "source: {{stdin: }}\nstages:\n- sample:\n    rate: 1\n    key: {key}\nsink: {{stdout: }}"
        );
        one(&file).map(|pipeline| match &pipeline.stages[0] {
            StageConfig::Sample(sample) => sample.key.clone().unwrap(),
            other => panic!("{other:?}"),
        })
    };
    for text in
        ["yes", "on", "No", "True", "NULL", "0x10", "1_000", ".5", "1.", "01", "+1", "1e", "2026-01-01"]
    {
        assert_eq!(key(text).as_deref(), Ok(text));
    }
    for other in ["true", "false", "null", "~", "", "1", "-0.5e+7", "0"] {
        assert!(key(other).is_err(), "{other}");
        if !other.is_empty() {
            assert_eq!(key(&format!("'{other}'")).as_deref(), Ok(other));
        }
    }
}

#[test]
fn a_problem_can_be_taken_apart() {
    let problems = one("source: {stdin: }\nsink: {stdout: }\nname: \"é é\"  # spaces").unwrap_err();
    assert_eq!(problems.len(), 1);
    let problem = problems.iter().next().unwrap();
    assert_eq!((problem.file.as_str(), problem.line, problem.column), ("pipeline.yaml", 3, 7));
    assert_eq!(problem.text, "name: \"é é\"  # spaces");
    assert_eq!(problem.caret_len, 5);
    assert!(!problem.message.is_empty() && problem.help.is_some());
    let as_error: &dyn std::error::Error = &problems;
    assert!(as_error.to_string().starts_with("pipeline.yaml:3:7: "));
}

#[test]
fn line_endings_and_a_byte_order_mark_change_no_place() {
    let text = "source: {stdin: }\nsink: {stdout: }\n\nnome: x\n";
    let expected = one(text).unwrap_err();
    assert_eq!(one(&text.replace('\n', "\r\n")).unwrap_err(), expected);
    assert_eq!(one(&text.replace('\n', "\r")).unwrap_err(), expected);
    assert_eq!(one(&format!("\u{feff}{text}")).unwrap_err(), expected);
}

#[test]
fn a_default_is_taken_for_what_is_not_set_or_empty() {
    let name = |written: &str| {
        one(&format!("name: {written}\nsource: {{stdin: }}\nsink: {{stdout: }}"))
            .map(|pipeline| pipeline.name)
    };
    assert_eq!(name("${NAME:-x}").as_deref(), Ok("123"));
    assert_eq!(name("${EMPTY:-x}").as_deref(), Ok("x"));
    assert_eq!(name("a-${NOWHERE:-b}-${NAME}").as_deref(), Ok("a-b-123"));
    assert!(name("${NOWHERE}").is_err());
    assert!(name("${EMPTY}").is_err(), "an empty name");
}
