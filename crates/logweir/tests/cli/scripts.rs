//! Cuts counted by script: they add up with all cuts, and what a script calls itself harms no scrape.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use logweir_testkit::process::{Signal, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::metrics::Scrape;
use crate::rig::{Feeder, SOON, admin, append, get, logweir, sample, succeeded, summary, watched_pipeline};

const EVENTS: &str = "logweir_script_events_truncated_total";
const CHARACTERS: &str = "logweir_script_truncated_characters_total";
const FIELDS: [&str; 3] =
    ["field=\"exception_names\"", "field=\"exception_messages\"", "field=\"log_messages\""];

/// Returns an event of which limit 7 cuts 3 characters of a log, and `script` as it is written.
fn cut_event(script: &str) -> String {
    format!("{{\"ScriptName\":{script},\"Logs\":[{{\"Message\":[\"0123456789\"]}}]}}\n")
}

/// Events of eleven scripts and of none, cut in every list, and events that are not cut.
fn block() -> Vec<u8> {
    let named: String = (0..11).map(|n| cut_event(&format!("\"script-{n}\"")).repeat(n + 1)).collect();
    let others = concat!(
        "{\"Exceptions\":[{\"Name\":\"SyntaxError\",\"Message\":\"long enough\"}]}\n",
        "{\"ScriptName\":\"script-3\",\"Exceptions\":[{\"Name\":\"Error\",\"Message\":\"too long\"}]}\n",
        "{\"ScriptName\":\"short\",\"Logs\":[]}\n",
    );
    (named + others).repeat(20).into_bytes()
}

/// Returns the series of a metric, each with the escapes it is written with.
fn series(address: SocketAddr, name: &str) -> Vec<String> {
    let body = get(address, "/metrics");
    let lines = body.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

/// Checks that the scripts of a pipeline or output have all that is cut there.
#[track_caller]
fn check_sums(scrape: &Scrape, labels: &[&str], others: &[&str]) {
    let total = scrape.sum("logweir_events_truncated_total", labels, others);
    assert_eq!(scrape.sum(EVENTS, labels, others), total, "{labels:?}");
    for field in FIELDS {
        let labels = [labels, &[field]].concat();
        let total = scrape.sum("logweir_truncated_characters_total", &labels, others);
        assert_eq!(scrape.sum(CHARACTERS, &labels, others), total, "{labels:?}");
    }
}

#[test]
fn scripts_add_up_with_all_that_is_cut() {
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nstages: [truncate: {limit: 7, max_scripts: 4}, truncate: {limit: 6, max_scripts: 2}]\n\
        outputs:\n- {name: own, stages: [truncate: {limit: 3, max_scripts: 20}], sink: {\"null\": {}}}\n\
        - {name: none, sink: {\"null\": {}}}\n\
        limits: {chunk_bytes: 16 KiB, decoders: 3}\n";
    let mut running = watched_pipeline(&scratch, yaml).hold_stdin().start();
    let address = admin(&running);
    let feeder = Feeder::start(running.take_stdin().unwrap(), std::iter::repeat(block()));
    let mut before = Scrape::new(address);
    poll_until("scrapes while events flow", SOON, || {
        let now = Scrape::new(address);
        check_sums(&now, &[], &["output="]);
        check_sums(&now, &["output=\"own\""], &[]);
        assert_eq!(now.sum(EVENTS, &["output=\"none\""], &[]), 0);
        now.check_follows(&before);
        before = now;
        (before.sum(EVENTS, &["output=\"own\""], &[]) > 100_000).then_some(())
    });
    let (own, shared): (Vec<_>, Vec<_>) =
        series(address, EVENTS).into_iter().partition(|series| series.contains("output="));
    assert_eq!(shared.len(), 4 + 2, "those it has room for, the others and none: {shared:?}");
    assert_eq!(own.len(), 11 + 1, "{own:?}");
    running.signal(Signal::TERM);
    assert_eq!(summary(&running.wait()).0["balanced"], true);
    drop(feeder);
}

#[test]
fn whatever_a_script_calls_itself_it_has_one_series() {
    // As JSON has them, and as the exposition has them. Some differ in backslashes alone.
    let long = "x".repeat(1 << 20);
    let long = (format!("\"{long}\""), format!("{}…", &long[..125]));
    let names = [
        (r#""a\"b""#, r#"a\"b"#),
        (r#""a\\\"b""#, r#"a\\\"b"#),
        (r#""a\\b""#, r"a\\b"),
        (r#""a\\\\b""#, r"a\\\\b"),
        (r#""a\nb""#, r"a\nb"),
        (r#""a\\nb""#, r"a\\nb"),
        (r#""a\\\nb""#, r"a\\\nb"),
        (r#""}\",x=\"1""#, r#"}\",x=\"1"#),
        (r#""{\u00e9} 7 # \ud83d""#, "{é} 7 # \u{fffd}"),
        (r#""a\r\u0000b""#, "a\r\0b"),
        ("null", "(none)"),
        (&long.0, &long.1),
    ];
    let scratch = Scratch::new();
    let yaml =
        "source: {stdin: {}}\nstages: [truncate: {limit: 7, max_scripts: 100}]\nsink: {\"null\": {}}\n";
    let mut running = watched_pipeline(&scratch, yaml).hold_stdin().start();
    let address = admin(&running);
    let events: String = names.iter().map(|(json, _)| cut_event(json)).collect();
    let feeder = Feeder::start(running.take_stdin().unwrap(), std::iter::once(events));
    poll_until("all is written", SOON, || {
        let scrape = Scrape::new(address);
        (scrape.sum("logweir_events_written_total", &[], &[]) == names.len() as u64).then_some(())
    });
    let expected = names.map(|(_, shown)| format!("{EVENTS}{{pipeline=\"pipeline\",script=\"{shown}\"}}"));
    let shown = series(address, EVENTS);
    assert_eq!(shown.iter().cloned().collect::<BTreeSet<_>>(), BTreeSet::from(expected));
    assert_eq!(shown.len(), names.len(), "no series is there twice");
    check_sums(&Scrape::new(address), &[], &[]);
    drop(feeder.finish());
    succeeded(&running.wait());
}

#[test]
fn what_scripts_have_lost_is_kept_through_a_reload_that_has_room_for_fewer() {
    let scratch = Scratch::new();
    let yaml = |n: u32| {
        format!(
            "source: {{file: {{include: [\"{}\"]}}}}\nstate_dir: state\nsink: {{\"null\": {{}}}}\n\
             stages: [truncate: {{limit: 7, max_scripts: {n}}}]\nadmin: {{listen: \"127.0.0.1:0\"}}\n",
            scratch.path("in/*").display()
        )
    };
    scratch.write("pipeline.yaml", yaml(2));
    append(&scratch, "in/events.ndjson", [cut_event("\"a\""), cut_event("\"b\"")].concat());
    let running = logweir(["run", "--log-format", "json", "pipeline.yaml"]).dir(scratch.dir()).start();
    let address = admin(&running);
    let wait_for = |n| {
        poll_until("all is cut", SOON, || {
            let scrape = Scrape::new(address);
            check_sums(&scrape, &[], &[]);
            (scrape.sum(EVENTS, &[], &[]) == n).then_some(scrape)
        })
    };
    let before = wait_for(2);
    scratch.write("pipeline.yaml", yaml(1));
    running.signal(Signal::HUP);
    poll_until("it is reloaded", SOON, || {
        (sample(address, "logweir_config_reloads_total{outcome=\"applied\"}") == 1).then_some(())
    });
    append(&scratch, "in/events.ndjson", ["\"b\"", "\"c\""].map(cut_event).concat());
    let after = wait_for(4);
    after.check_follows(&before);
    let of = |script: &str| after.sum(EVENTS, &[&format!("script=\"{script}\"")], &[]);
    assert_eq!(["a", "b", "c", "(other)"].map(of), [1, 2, 0, 1]);
}
