//! What every sink must do, whatever it writes to.
//!
//! A sink conforms if [`check`] passes for a [`Rig`] of it.

use std::io::{PipeReader, Read, pipe};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use logweir_event::{Ack, Payload, Verdict};
use logweir_sinks::{PayloadReceiver, Sink, SinkError, StdoutSink};
use tokio::sync::mpsc;

use crate::books::{Books, all_written, context, receiver, undelivered, with_places};
use crate::rigs::{Fifo, Files, Null, Stdout, Uploads};
use crate::running::Running;

/// Returns what has been delivered at the moment of asking, for good; it may be asked from any thread.
pub(crate) type Probe = Arc<dyn Fn() -> Vec<u8> + Send + Sync>;

/// A sink and what it delivers to.
pub(crate) trait Rig {
    /// Returns the sink, opened anew, with nothing in its way.
    fn sink(&mut self) -> Box<dyn Sink>;

    /// Returns the sink, opened anew, that cannot deliver before [`unblock`](Rig::unblock); `None` if nothing that a
    /// test can do holds it up.
    fn blocked(&mut self) -> Option<Box<dyn Sink>> {
        None
    }

    /// Lets a blocked sink go on.
    fn unblock(&mut self) {}

    /// Returns what the sink last opened has delivered, once it has ended; `None` if nobody can know.
    fn delivered(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// Returns what looks at the deliveries of the sink last opened while it runs, if that can be looked at.
    fn probe(&self) -> Option<Probe> {
        None
    }
}

/// Checks all that a sink must do.
pub(crate) fn check(name: &str, rig: &mut dyn Rig) {
    order_and_books(name, rig);
    an_ack_comes_after_delivery(name, rig);
    abort_ends_a_wait(name, rig);
    what_is_blocked_goes_on(name, rig);
    the_end_flushes(name, rig);
}

fn order_and_books(name: &str, rig: &mut dyn Rig) {
    let long = format!("{{\"long\":\"{}\"}}\n", "x".repeat(300_000));
    for n_channels in [1, 3] {
        let books = Books::new();
        let payloads = vec![
            books.payload(&["{\"a\":1}\n", "", "{\"b\":2}\n{\"c\"", ":3}\n"]),
            books.payload(&[&long]),
            books.payload(&[]),
            books.payload(&["{}\n"]),
        ];
        run(rig.sink(), receiver(payloads, n_channels)).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        if let Some(delivered) = rig.delivered() {
            let expected = format!("{{\"a\":1}}\n{{\"b\":2}}\n{{\"c\":3}}\n{long}{{}}\n");
            assert!(delivered == expected.as_bytes(), "{name}");
        }
        // Of a payload without events there is nothing to deliver: it may be settled before others.
        let mut settled = books.settled();
        settled.retain(|settled| settled.bytes > 0);
        let n_long = long.len() as u64;
        assert_eq!(settled, [all_written(3, 24), all_written(1, n_long), all_written(1, 3)], "{name}");
        assert_eq!(books.settled().len(), 4, "{name}: each once");
        assert_eq!(books.verdicts(), [Verdict::Delivered; 4], "{name}");
    }
}

/// Returns the only line of payload `i`.
fn line(i: usize) -> String {
    format!("{{\"number\":{i},\"of\":\"{}\"}}\n", "y".repeat(i * 13 % 70))
}

fn an_ack_comes_after_delivery(name: &str, rig: &mut dyn Rig) {
    let sink = rig.sink();
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let acked = Arc::new(Mutex::new(Vec::new()));
    let payloads = (0..40).map(|i| {
        let (wrong, acked, probe) = (wrong.clone(), acked.clone(), rig.probe());
        let ack = Ack::new(move |verdict| {
            let line = line(i);
            let is_there = probe.is_none_or(|probe| {
                let delivered = probe();
                delivered.windows(line.len()).any(|window| window == line.as_bytes())
            });
            if verdict != Verdict::Delivered || !is_there {
                wrong.lock().unwrap().push((i, verdict));
            }
            acked.lock().unwrap().push(i);
        });
        with_places(Payload::new(vec![Bytes::from(line(i))], 1)).bound_to(None, ack)
    });
    run(sink, receiver(payloads.collect(), 2)).unwrap();
    assert_eq!(*wrong.lock().unwrap(), [], "{name}");
    assert_eq!(*acked.lock().unwrap(), (0..40).collect::<Vec<_>>(), "{name}: in order");
    rig.delivered();
}

/// Larger than any pipe, so that it cannot be delivered while nobody reads.
fn large() -> String {
    format!("{}\n", "z".repeat(3 << 20))
}

fn abort_ends_a_wait(name: &str, rig: &mut dyn Rig) {
    let Some(sink) = rig.blocked() else { return };
    let books = Books::new();
    let running = Running::start(sink);
    running.give(books.payload(&["{}\n", &large()]));
    running.give(books.payload(&["{}\n"]));
    let result = running.give_up();
    assert!(result.is_err(), "{name}");
    assert_eq!(books.verdicts(), [Verdict::NotDelivered; 2], "{name}");
    let settled = books.settled();
    assert!(settled[0].written + settled[0].undelivered == 2 && settled[0].undelivered > 0, "{name}");
    assert_eq!(settled[1], undelivered(1), "{name}");
    rig.delivered();
}

fn what_is_blocked_goes_on(name: &str, rig: &mut dyn Rig) {
    let Some(sink) = rig.blocked() else { return };
    let books = Books::new();
    let running = Running::start(sink);
    let large = large();
    running.give(books.payload(&[&large]));
    running.give(books.payload(&["{}\n"]));
    assert!(books.verdicts().is_empty(), "{name}: nobody has read");
    rig.unblock();
    running.end().unwrap();
    assert_eq!(books.settled(), [all_written(1, large.len() as u64), all_written(1, 3)], "{name}");
    assert!(
        rig.delivered().is_none_or(|delivered| delivered == format!("{large}{{}}\n").as_bytes()),
        "{name}"
    );
}

fn the_end_flushes(name: &str, rig: &mut dyn Rig) {
    let books = Books::new();
    let running = Running::start(rig.sink());
    running.give(books.payload(&["{\"last\":1}\n"]));
    running.end().unwrap();
    assert_eq!(books.verdicts(), [Verdict::Delivered], "{name}");
    assert!(rig.delivered().is_none_or(|delivered| delivered == b"{\"last\":1}\n"), "{name}");
    // Without any payload there is nothing to do.
    let sink = rig.sink();
    run(sink, receiver(Vec::new(), 1)).unwrap();
}

fn run(sink: Box<dyn Sink>, payloads: PayloadReceiver) -> Result<(), SinkError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sink.run(context(payloads)))
}

#[test]
fn null_conforms() {
    check("null", &mut Null);
}

#[test]
fn stdout_conforms() {
    check("stdout, a pipe", &mut Stdout::new(false, false));
    check("stdout, a pipe that does not wait", &mut Stdout::new(true, false));
    check("stdout, a socket", &mut Stdout::new(false, true));
    check("stdout, a socket that does not wait", &mut Stdout::new(true, true));
}

#[test]
fn a_named_pipe_conforms() {
    check("file, a named pipe", &mut Fifo::new());
}

#[test]
fn files_conform() {
    for (name, mut rig) in Files::all() {
        check(name, &mut rig);
    }
}

#[test]
fn uploads_conform() {
    for (name, mut rig) in Uploads::all() {
        check(name, &mut rig);
    }
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
    let result = run(Box::new(StdoutSink::from(OwnedFd::from(writer))), receiver(payloads, 2));
    reading.join().unwrap();
    assert!(matches!(result, Err(SinkError::Closed)), "{result:?}");
    let settled = books.settled();
    assert!(settled[0].written >= 100 && settled[0].written == settled[0].bytes / 100, "{:?}", settled[0]);
    assert!(settled.iter().all(|settled| settled.written + settled.undelivered == 100_000));
    assert_eq!(settled[1..], [undelivered(100_000); 2], "what was queued");
    assert_eq!(books.verdicts(), [Verdict::NotDelivered; 3]);
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
