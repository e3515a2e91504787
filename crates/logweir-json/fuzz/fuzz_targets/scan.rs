//! The plain scanner says what the naive oracle says, of any bytes; and what is legal can be walked over.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logweir_event::Span;
use logweir_json::{Projection, Scanner, members};
use logweir_testkit::oracle::decode::Event;

const KEYS: [&str; 4] = ["a", "a.b", "Logs", "Event.RayID"];

fuzz_target!(|line: &[u8]| {
    let mut projection = Projection::default();
    for key in KEYS {
        projection.ask(key);
    }
    let mut row = [Span::MISSING; KEYS.len()];
    let body = Scanner::new(projection).scan(line, Span::new(0, line.len()), &mut row);
    let event = Event::read(line);
    assert_eq!(
        body.map(Span::range),
        event.as_ref().map(|event| event.object().span()).map_err(|reason| *reason)
    );

    let Ok(event) = event else { return };
    assert_eq!(members(event.body()).count(), event.object().members().len());
    for (key, span) in KEYS.into_iter().zip(row) {
        let expected = event.object().path(key).map(|node| node.span());
        assert_eq!((!span.is_missing()).then(|| span.range()), expected, "{key}");
    }
});
