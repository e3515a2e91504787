//! What every sink must do, whatever it writes to.

use std::fs::File;
use std::io::{PipeReader, Read, pipe};
use std::os::fd::OwnedFd;

use logweir_event::{Payload, Verdict};
use logweir_sinks::{FileMode, FileSinkConfig, NullSink, PayloadReceiver, Sink, SinkError, StdoutSink};
use logweir_testkit::scratch::Scratch;
use tokio::sync::mpsc;

use crate::books::{Books, all_written, context, open, plain, receiver, undelivered};

fn run(sink: impl Sink + 'static, payloads: PayloadReceiver) -> Result<(), SinkError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Box::new(sink).run(context(payloads)))
}

fn read_all(mut reader: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Runs each sink on the payloads that `make` makes, and returns what it wrote, `None` where it writes nothing.
fn for_each(make: impl Fn() -> PayloadReceiver, check: impl Fn(&str, Option<Vec<u8>>)) {
    run(NullSink, make()).unwrap();
    check("null", None);

    for is_nonblocking in [false, true] {
        let (reader, writer) = pipe().unwrap();
        if is_nonblocking {
            rustix::io::ioctl_fionbio(&writer, true).unwrap();
        }
        let written = read_all(reader);
        run(StdoutSink::from(OwnedFd::from(writer)), make()).unwrap();
        check("stdout, a pipe", Some(written.join().unwrap()));
    }

    let scratch = Scratch::new();
    run(open(plain(scratch.path("made/for/it.ndjson"))).unwrap(), make()).unwrap();
    check("file", Some(scratch.read("made/for/it.ndjson")));

    let path = scratch.path("named.pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let sink = open(plain(scratch.path("named.pipe"))).unwrap();
    let reading = std::thread::spawn(|| read_all(File::open(path).unwrap()).join().unwrap());
    run(sink, make()).unwrap();
    check("file, a named pipe", Some(reading.join().unwrap()));
}

#[test]
fn bytes_arrive_in_order_and_each_payload_is_settled_once() {
    let long = format!("{{\"long\":\"{}\"}}\n", "x".repeat(300_000));
    for n_channels in [1, 3] {
        let books = Books::new();
        let make = || {
            let payload = |parts: &[&str]| books.payload(parts);
            let payloads = vec![
                payload(&["{\"a\":1}\n", "", "{\"b\":2}\n{\"c\"", ":3}\n"]),
                payload(&[&long]),
                payload(&[]),
                payload(&["{}\n"]),
            ];
            receiver(payloads, n_channels)
        };
        let expected = format!("{{\"a\":1}}\n{{\"b\":2}}\n{{\"c\":3}}\n{long}{{}}\n").into_bytes();
        for_each(make, |name, written| {
            assert!(written.is_none_or(|written| written == expected), "{name}");
        });
        let n_long = long.len() as u64;
        let each = [all_written(3, 24), all_written(1, n_long), all_written(0, 0), all_written(1, 3)];
        assert_eq!(books.settled(), each.repeat(5));
        assert_eq!(books.verdicts(), vec![Verdict::Delivered; 20]);
    }
}

#[test]
fn the_ack_comes_after_the_write() {
    let (mut reader, writer) = pipe().unwrap();
    let books = Books::new();
    // Larger than the pipe: it cannot be written before somebody reads.
    let line = format!("{}\n", "x".repeat(1 << 20));
    let payloads = receiver(vec![books.payload(&[&line])], 1);
    let sink = std::thread::spawn(|| run(StdoutSink::from(OwnedFd::from(writer)), payloads));
    reader.read_exact(&mut [0; 1000]).unwrap();
    assert!(books.verdicts().is_empty() && books.settled().is_empty());
    assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), (1 << 20) + 1 - 1000);
    sink.join().unwrap().unwrap();
    assert_eq!(books.verdicts(), [Verdict::Delivered]);
}

/// Lets the first 10,000 bytes through and then goes away.
fn read_a_little(mut reader: PipeReader) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || reader.read_exact(&mut [0; 10_000]).unwrap())
}

#[test]
fn a_reader_that_goes_away_ends_it_and_the_books_are_right() {
    let (reader, writer) = pipe().unwrap();
    let books = Books::new();
    let event = format!("{}\n", "x".repeat(99));
    let payloads: Vec<Payload> = (0..3).map(|_| books.payload(&[&event.repeat(100_000)])).collect();
    let reading = read_a_little(reader);
    let result = run(StdoutSink::from(OwnedFd::from(writer)), receiver(payloads, 2));
    reading.join().unwrap();
    assert!(matches!(result, Err(SinkError::Closed)), "{result:?}");
    let settled = books.settled();
    assert!(settled[0].written >= 100 && settled[0].written == settled[0].bytes / 100, "{:?}", settled[0]);
    assert!(settled.iter().all(|settled| settled.written + settled.undelivered == 100_000));
    assert_eq!(settled[1..], [undelivered(100_000); 2], "what was queued");
    assert_eq!(books.verdicts(), [Verdict::NotDelivered; 3]);
}

#[test]
fn a_full_device_is_an_error_that_names_it() {
    let books = Books::new();
    let config = FileSinkConfig { mode: FileMode::Overwrite, ..plain("/dev/full") };
    let payloads = receiver(vec![books.payload(&["{}\n"]), books.payload(&["{}\n"])], 1);
    let result = run(open(config).unwrap(), payloads);
    let Err(SinkError::Write { path, source }) = result else { panic!("{result:?}") };
    assert_eq!((path.to_str(), source.kind()), (Some("/dev/full"), std::io::ErrorKind::StorageFull));
    assert_eq!(books.settled(), [undelivered(1); 2]);
    assert_eq!(books.verdicts(), [Verdict::NotDelivered; 2]);
}

#[tokio::test]
async fn receiving_is_in_turn_and_a_dropped_wait_takes_nothing() {
    let books = Books::new();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..2).map(|_| mpsc::channel(2)).unzip();
    let mut payloads = PayloadReceiver::new(receivers);
    // The second giver is early, but it is the first one's turn.
    senders[1].try_send(books.payload(&["2\n"])).unwrap();
    assert!(futures::poll!(std::pin::pin!(payloads.recv())).is_pending());
    senders[0].try_send(books.payload(&["1\n"])).unwrap();
    for expected in ["1\n", "2\n"] {
        let payload = payloads.recv().await.expect("a payload");
        assert_eq!(payload.parts()[0], expected);
        payload.written();
    }
    // The end of the one whose turn it is is the end, whatever the other still has.
    let mut senders = senders.into_iter();
    drop(senders.next());
    senders.next().expect("two").try_send(books.payload(&["3\n"])).unwrap();
    assert!(payloads.recv().await.is_none() && payloads.recv().await.is_none());
}
