//! The law: projector and scanner give the same answer for every line, whatever stands around it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logweir_event::Span;
use logweir_json::{Projection, Projector, Scanner, lines};

const KEYS: [&str; 5] = ["a", "a.b", "", "Logs", "Event.RayID"];

fuzz_target!(|chunk: &[u8]| {
    let mut projection = Projection::default();
    for key in KEYS {
        projection.ask(key);
    }
    let mut scanner = Scanner::new(projection.clone());
    let mut projector = Projector::new(projection);
    for line in lines(chunk) {
        let (mut scanned, mut projected) = ([Span::MISSING; KEYS.len()], [Span::MISSING; KEYS.len()]);
        let expected = scanner.scan(chunk, line, &mut scanned);
        assert_eq!(projector.project(chunk, line, &mut projected), expected);
        assert_eq!(projected, scanned);
    }
});
