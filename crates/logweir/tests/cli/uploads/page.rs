//! The job of the page that started this, pasted as it is, delivers what it should.

use std::path::Path;

use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{self, Stage, same_lines};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use super::bucket::{content, objects};
use crate::rig::{n_lines, pipeline, succeeded};

/// The body of the page's example, with the comma behind its list of fields.
const PAGE: &str = r#"{
  "name": "workers-logpush",
  "output_options": {
    "field_names": ["Event", "EventTimestampMs", "Outcome", "Exceptions", "Logs", "ScriptName"],
  },
  "destination_conf": "r2://<BUCKET_PATH>/{DATE}?account-id=<ACCOUNT_ID>&access-key-id=<R2_ACCESS_KEY_ID>&secret-access-key=<R2_SECRET_ACCESS_KEY>",
  "dataset": "workers_trace_events",
  "enabled": true
}"#;

/// Its fields.
const FIELDS: [&str; 6] = ["Event", "EventTimestampMs", "Outcome", "Exceptions", "Logs", "ScriptName"];

/// What is read: real events, again and again, and what is none.
fn input() -> Vec<u8> {
    [EVENTS.repeat(20).as_slice(), b"no event\n", EVENTS].concat()
}

/// Runs a job over what is read, and returns how many events it has delivered.
#[track_caller]
fn run_job(job: &str, input: &[u8]) -> u64 {
    let scratch = Scratch::new();
    scratch.write("in.ndjson", input);
    let head = "source: {file: {include: [in.ndjson], read: once}}\nstate_dir: state\n";
    let summary = succeeded(&pipeline(&scratch, &format!("{head}jobs:\n- {job}\n")).output());
    summary.count("written")
}

/// Returns what the plain path makes of the input: the stages and the encoder of a job, to standard output.
fn plain(input: &[u8]) -> Vec<u8> {
    let scratch = Scratch::new();
    scratch.write("in.ndjson", input);
    let yaml = format!(
        "source: {{file: {{include: [in.ndjson], read: once}}}}\nstages:\n- truncate: {{limit: 16384}}\n\
         encode: {{field_names: [{}]}}\nsink: {{stdout: {{}}}}\n",
        FIELDS.join(", ")
    );
    let ran = pipeline(&scratch, &yaml).output();
    succeeded(&ran);
    ran.stdout
}

/// Checks that the objects of a bucket lie below the day of their first event, and hold exactly the right events.
#[track_caller]
fn check_bucket(bucket: &Path, n_objects: usize, n_written: u64) {
    let objects = objects(bucket);
    assert_eq!(objects.len(), n_objects, "{:?}", objects.iter().map(|(path, _)| path).collect::<Vec<_>>());
    let mut lines = Vec::new();
    for (path, bytes) in &objects {
        let content = content(bytes);
        let first: Value =
            serde_json::from_slice(content.split(|&byte| byte == b'\n').next().unwrap()).unwrap();
        let day = path.parent().unwrap().to_str().unwrap();
        assert_eq!(day, date_of(first["EventTimestampMs"].as_u64().unwrap()), "{}", path.display());
        assert!(path.to_str().unwrap().ends_with(".log.gz"), "{}", path.display());
        lines.extend(content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec));
    }
    let plain = plain(&input());
    let mut expected: Vec<_> = plain.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    if n_objects > 1 {
        // Several batches have no order but that of their times.
        lines.sort();
        expected.sort();
    }
    assert!(lines == expected, "what is in the bucket is not what the plain path writes");
    assert_eq!((lines.len() as u64, n_lines(&plain) as u64), (n_written, n_written));

    let fields = FIELDS.map(str::to_owned);
    let stages = [Stage::Truncate { limit: 16_384, unit: Unit::Chars }];
    let outcome = oracle::run(&stages, Some(&fields), &input(), 4 << 20);
    assert_eq!(outcome.written, n_written);
    same_lines(&plain, &outcome.output).unwrap();
}

/// Returns the day of a time in milliseconds since 1970, as 20261122, by counting.
fn date_of(time_ms: u64) -> String {
    let (mut days, mut year) = (time_ms / 86_400_000, 1970);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}{month:02}{:02}", days + 1)
}

#[test]
fn the_page_s_job_delivers_to_a_directory() {
    for (more, n_objects) in [("", 1), ("\"max_upload_records\": 1000,", 4)] {
        let scratch = Scratch::new();
        let conf = format!("file://{}/{{DATE}}", scratch.dir().display());
        let begin = PAGE.find("r2://").unwrap();
        let end = begin + PAGE[begin..].find('"').unwrap();
        let job = format!("{}{conf}{}", &PAGE[..begin], &PAGE[end..]).replacen('{', &format!("{{ {more}"), 1);
        let n_written = run_job(&job, &input());
        check_bucket(scratch.dir(), n_objects, n_written);
    }
}

#[cfg(feature = "services")]
mod services {
    use std::collections::BTreeMap;
    use std::fs;
    use std::process::Command;

    use logweir_testkit::service::Service;

    use super::*;

    /// What an independent reader makes of the bucket: how many events there are of each outcome, and when.
    const DUCKDB: &str = r"
import duckdb, sys
columns = {'Event': 'JSON', 'EventTimestampMs': 'UBIGINT', 'Outcome': 'VARCHAR', 'Exceptions': 'JSON[]', 'Logs': 'JSON[]', 'ScriptName': 'VARCHAR'}
events = duckdb.read_json(sys.argv[1], format='newline_delimited', columns=columns, maximum_object_size=1 << 28)
for row in duckdb.sql('select Outcome, count(*), sum(EventTimestampMs)::varchar from events group by 1 order by 1').fetchall():
    print(*row)
";

    /// Returns the page's job with its placeholders filled in and a server of one's own.
    fn page(endpoint: &str) -> String {
        let filled = [
            ("<BUCKET_PATH>", "logs"),
            ("<ACCOUNT_ID>", "0123abcd"),
            ("<R2_ACCESS_KEY_ID>", "AK"),
            ("<R2_SECRET_ACCESS_KEY>", &format!("SK&endpoint={endpoint}")),
        ];
        filled.iter().fold(PAGE.to_owned(), |page, (placeholder, value)| page.replace(placeholder, value))
    }

    #[test]
    fn the_page_s_job_delivers_to_an_s3_server() {
        for (more, n_objects) in [("", 1), ("\"max_upload_records\": 1000,", 4)] {
            let data = Scratch::new();
            fs::create_dir(data.path("logs")).unwrap();
            let service = Service::s3s_fs(data.dir());
            let job = page(&service.url()).replacen('{', &format!("{{ {more}"), 1);
            let n_written = run_job(&job, &input());
            check_bucket(&data.path("logs"), n_objects, n_written);
        }
    }

    #[test]
    fn duckdb_reads_what_was_delivered() {
        // What is JSON to it: it knows no halves of surrogates, as serde_json does not.
        let is_read = |line: &&[u8]| serde_json::from_slice::<Value>(line).is_ok();
        let input: Vec<_> = EVENTS.split_inclusive(|&byte| byte == b'\n').filter(is_read).collect();
        let input = input.concat().repeat(20);
        let data = Scratch::new();
        fs::create_dir(data.path("logs")).unwrap();
        let service = Service::s3s_fs(data.dir());
        let job = page(&service.url()).replacen('{', "{ \"max_upload_records\": 1000,", 1);
        assert!(run_job(&job, &input) > 3000);

        let files = data.path("logs/*/*.log.gz");
        let ran = Command::new("python3").args(["-c", DUCKDB, files.to_str().unwrap()]).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(String::from_utf8_lossy(&ran.stdout), counted(&plain(&input)));
    }

    /// Returns what `DuckDB` should say of these events.
    fn counted(events: &[u8]) -> String {
        let mut counts: BTreeMap<String, (u64, u128)> = BTreeMap::new();
        for line in events.split_inclusive(|&byte| byte == b'\n') {
            let event: Value = serde_json::from_slice(line).unwrap();
            let count = counts.entry(event["Outcome"].as_str().unwrap().to_owned()).or_default();
            count.0 += 1;
            count.1 += u128::from(event["EventTimestampMs"].as_u64().unwrap());
        }
        let rows = counts.iter().map(|(outcome, (n, sum))| format!("{outcome} {n} {sum}\n"));
        rows.collect::<Vec<_>>().concat()
    }
}
