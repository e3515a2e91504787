//! An event that a failing write tears is taken back.
//!
//! A limit on the size of files makes a write fail in its middle, as a full disk does. It is a limit of the whole
//! process, so these tests run themselves again in a process that has it.

use std::path::PathBuf;
use std::process::Command;

use logweir_event::Settled;
use logweir_sinks::{AckLevel, DeadLetterConfig, DeadLetterSink, Sink, SinkError};
use logweir_testkit::scratch::Scratch;

use crate::books::{Books, context, open, plain, receiver};

/// Tells the process with the limit which file to write.
const PATH: &str = "LOGWEIR_TEST_TORN_PATH";

/// A length that no limit in blocks is a multiple of.
const EVENT_BYTES: usize = 99;

fn event() -> String {
    format!("{}\n", "x".repeat(EVENT_BYTES - 1))
}

/// In a process with the limit, returns the path to write. In another, runs the test again in one that has it, and
/// checks that what was there before and what was written after it are whole.
fn within_limit(test: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(PATH) {
        return Some(path.into());
    }
    let scratch = Scratch::new();
    let path = scratch.write("out", event());
    let status = Command::new("sh")
        // The signal that comes with the error would end the process.
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" --exact \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(PATH, &path)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "the test in the process with the limit");
    let written = scratch.read("out");
    let n_events = written.len() / EVENT_BYTES;
    assert!(n_events > 1 && n_events < 100 && written == event().repeat(n_events).into_bytes());
    None
}

#[test]
fn the_file_sink_leaves_whole_events() {
    let Some(path) = within_limit("torn::the_file_sink_leaves_whole_events") else { return };
    let sink = open(plain(path.clone())).unwrap();
    let books = Books::new();
    let context =
        context(receiver(vec![books.payload(&[&event()]), books.payload(&[&event().repeat(200)])], 1));
    context.abort.cancel();
    let condition = context.condition.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = runtime.block_on(Box::new(sink).run(context));
    assert_eq!(condition.counts()["write"], 1, "it was held, and there was no time");
    assert!(matches!(result, Err(SinkError::Write { .. })), "{result:?}");
    let bytes = std::fs::metadata(path).unwrap().len() - 2 * EVENT_BYTES as u64;
    let written = bytes / EVENT_BYTES as u64;
    assert_eq!(
        books.settled()[1],
        Settled { written, undelivered: 200 - written, bytes, ..Settled::default() }
    );
}

#[test]
fn the_dead_letter_sink_leaves_whole_lines() {
    let Some(path) = within_limit("torn::the_dead_letter_sink_leaves_whole_lines") else { return };
    let sink = DeadLetterSink::open(DeadLetterConfig {
        path: path.clone(),
        max_bytes: None,
        ack: AckLevel::Written,
    })
    .unwrap();
    let books = Books::new();
    let context = context(receiver(vec![books.payload(&[&event().repeat(200)])], 1));
    context.abort.cancel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let result = runtime.block_on(sink.run(context));
    assert!(matches!(result, Err(SinkError::Write { .. })), "{result:?}");
    let bytes = std::fs::metadata(path).unwrap().len() - EVENT_BYTES as u64;
    let written = bytes / EVENT_BYTES as u64;
    assert_eq!(
        books.settled(),
        [Settled { written, undelivered: 200 - written, bytes, ..Settled::default() }]
    );
}
