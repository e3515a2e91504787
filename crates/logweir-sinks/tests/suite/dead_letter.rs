//! The dead-letter sink loses nothing: it holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use logweir_event::{Payload, Settled, Verdict};
use logweir_sinks::{AckLevel, DeadLetterConfig, DeadLetterSink, DeadLetterStats, SinkError};
use logweir_testkit::scratch::Scratch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::books::{Books, all_written, context, receiver};

fn open(path: PathBuf, max_bytes: u64) -> DeadLetterSink {
    DeadLetterSink::open(DeadLetterConfig { path, max_bytes: Some(max_bytes), ack: AckLevel::Synced })
        .unwrap()
}

/// Runs the sink on these payloads; `meanwhile` gets what it counts once it holds, and may tell it to give up.
async fn run_holding(
    sink: DeadLetterSink,
    payloads: Vec<Payload>,
    meanwhile: impl AsyncFnOnce(DeadLetterStats, CancellationToken),
) -> Result<(), SinkError> {
    let (stats, context) = (sink.stats(), context(receiver(payloads, 2)));
    let (abort, condition) = (context.abort.clone(), context.condition.clone());
    let running = sink.run(context);
    let held = async {
        while !stats.is_holding() {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(condition.troubles().len(), 1);
        meanwhile(stats.clone(), abort).await;
    };
    let (result, ()) = futures::join!(running, held);
    assert!(!stats.is_holding());
    assert_eq!(condition.troubles().is_empty(), result.is_ok());
    result
}

#[tokio::test]
async fn lines_are_added_byte_for_byte() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let path = scratch.write("dead.ndjson", "torn");
    let sink = open(path, 1000);
    let stats = sink.stats();
    let payloads = vec![books.payload(&["not json\r\n", "[]\n"]), books.payload(&["\u{1}\n"])];
    sink.run(context(receiver(payloads, 2))).await.unwrap();
    assert_eq!(scratch.read("dead.ndjson"), b"torn\nnot json\r\n[]\n\x01\n");
    assert_eq!(books.settled(), [all_written(2, 13), all_written(1, 2)]);
    assert_eq!(books.verdicts(), [Verdict::Delivered; 2]);
    assert_eq!((stats.n_lines(), stats.n_bytes()), (3, 15));
}

#[tokio::test(start_paused = true)]
async fn a_full_file_holds_until_there_is_room() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let path = scratch.path("made/dead.ndjson");
    let payloads = vec![books.payload(&["1234\n12", "34\n1234\n"]), books.payload(&["5678\n"])];
    let seen = books.clone();
    let moved = path.with_extension("moved");
    run_holding(open(path.clone(), 12), payloads, async |stats, _| {
        assert_eq!((stats.n_lines(), stats.n_bytes()), (2, 10), "as many lines as fit");
        // It goes on holding for as long as there is no room.
        sleep(Duration::from_secs(3600)).await;
        assert!(stats.is_holding() && seen.settled().is_empty());
        assert_eq!(std::fs::read(&path).unwrap(), b"1234\n1234\n");
        std::fs::rename(&path, &moved).unwrap();
    })
    .await
    .unwrap();
    assert_eq!(scratch.read("made/dead.moved"), b"1234\n1234\n");
    assert_eq!(scratch.read("made/dead.ndjson"), b"1234\n5678\n");
    assert_eq!(books.settled(), [all_written(3, 15), all_written(1, 5)]);
    assert_eq!(books.verdicts(), [Verdict::Delivered; 2]);
}

#[tokio::test(start_paused = true)]
async fn room_is_found_within_five_seconds() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let path = scratch.write("dead.ndjson", "1234\n");
    let mut emptied = None;
    run_holding(open(path.clone(), 5), vec![books.payload(&["5678\n"])], async |_, _| {
        sleep(Duration::from_secs(100)).await;
        std::fs::write(&path, "").unwrap();
        emptied = Some(Instant::now());
    })
    .await
    .unwrap();
    assert!(emptied.expect("it was held").elapsed() <= Duration::from_secs(5));
    assert_eq!(scratch.read("dead.ndjson"), b"5678\n");
}

/// Stops a sink while it holds; returns why it held.
async fn stopped(sink: DeadLetterSink, books: &Arc<Books>, lines: &str) -> SinkError {
    let payloads = vec![books.payload(&[lines]), books.payload(&["queued\n"])];
    let result = run_holding(sink, payloads, async |_, stop| stop.cancel()).await;
    assert_eq!(books.verdicts(), [Verdict::NotDelivered; 2]);
    result.expect_err("what is held is not delivered")
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_while_full_it_gives_up_and_says_why() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let error = stopped(open(scratch.path("dead"), 7), &books, "1234\n1234\n").await;
    assert!(matches!(&error, SinkError::DeadLetterFull { max_bytes: 7, .. }), "{error:?}");
    assert_eq!(scratch.read("dead"), b"1234\n");
    let failed = crate::books::undelivered(1);
    assert_eq!(
        books.settled(),
        [Settled { written: 1, undelivered: 1, bytes: 5, ..Settled::default() }, failed]
    );
}

#[tokio::test(start_paused = true)]
async fn a_line_that_can_never_fit_is_said_to_be_one() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let error = stopped(open(scratch.path("dead"), 7), &books, "123456789\n").await;
    assert!(matches!(&error, SinkError::DeadLetterTooSmall { max_bytes: 7, n_bytes: 10, .. }), "{error:?}");
    assert_eq!(scratch.read("dead"), b"");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_holds() {
    let books = Books::new();
    let sink = DeadLetterSink::open(DeadLetterConfig {
        path: "/dev/full".into(),
        max_bytes: None,
        ack: AckLevel::Written,
    })
    .unwrap();
    let error = stopped(sink, &books, "1\n").await;
    assert!(
        matches!(&error, SinkError::Write { path, .. } if path.to_str() == Some("/dev/full")),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_path_that_goes_bad_holds_until_it_is_good_again() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let path = scratch.path("sub/dead");
    let sink = open(path.clone(), 100);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    run_holding(sink, vec![books.payload(&["1\n"])], async |_, _| std::fs::remove_dir(&path).unwrap())
        .await
        .unwrap();
    assert_eq!(scratch.read("sub/dead"), b"1\n");
}

#[test]
fn what_cannot_be_opened_is_named_at_once() {
    let scratch = Scratch::new();
    let config = DeadLetterConfig { path: scratch.dir().to_owned(), max_bytes: None, ack: AckLevel::Written };
    assert!(
        matches!(DeadLetterSink::open(config), Err(SinkError::Open { path, .. }) if path == scratch.dir())
    );
}
