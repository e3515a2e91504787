//! Reading events takes no memory once an event as large has been read, and a freak of an event leaves none behind.

use std::hint::black_box;

use logweir_event::{Edits, Span};
use logweir_json::{
    Instructions, Projection, Projector, Scanner, Text, Unit, elements, lines, members, splice,
};
use logweir_testkit::allocations::{COUNTING, CountingAllocator, count};

#[global_allocator]
static ALLOCATOR: &CountingAllocator = &COUNTING;

/// Real events.
const EVENTS: &[u8] = include_bytes!("data/events.ndjson");

fn projection() -> Projection {
    let mut projection = Projection::default();
    for key in ["Outcome", "Exceptions", "Logs", "Event.RayID", "ScriptVersion.ID"] {
        projection.ask(key);
    }
    projection
}

/// Returns the bytes that are allocated and not freed.
fn held_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn read_all(projector: &mut Projector, events: &[u8]) -> usize {
    let mut row = [Span::MISSING; 5];
    lines(events).filter(|&line| projector.project(events, line, &mut row).is_ok()).count()
}

/// All threads of the process are counted, so this is a program without the test harness, whose own thread allocates
/// when it pleases.
fn main() {
    let n_events = lines(EVENTS).count();
    for instructions in Instructions::available() {
        let mut projector = Projector::with(instructions, projection());
        assert_eq!(read_all(&mut projector, EVENTS), n_events);
        let n_allocations = count(|| assert_eq!(read_all(&mut projector, EVENTS), n_events));
        assert_eq!(n_allocations, 0, "by the projector with {instructions}");
    }

    let mut scanner = Scanner::new(projection());
    let mut scan_all = || {
        let mut row = [Span::MISSING; 5];
        lines(EVENTS).filter(|&line| scanner.scan(EVENTS, line, &mut row).is_ok()).count()
    };
    scan_all();
    assert_eq!(count(|| assert_eq!(scan_all(), n_events)), 0, "by the scanner");

    assert_eq!(count(look_at_all), 0, "by looking at values");
    splicing();
    freaks();
}

fn look_at_all() {
    for line in lines(EVENTS) {
        let event = EVENTS[line.range()].trim_ascii();
        for member in members(event) {
            let (name, value) = (Text::new(&event[member.name]), &event[member.value]);
            black_box(name.decodes_to(b"Logs"));
            if value.starts_with(b"[") {
                for element in elements(value) {
                    let text = Text::new(&value[element]);
                    black_box((text.count(Unit::Utf16), text.prefix(7, Unit::Chars)));
                }
            }
        }
    }
}

fn splicing() {
    let mut edits = Edits::default();
    edits.push(Span::new(5, 9), |text| text.extend_from_slice(b"..."));
    let mut out = Vec::with_capacity(100);
    assert_eq!(count(|| splice(b"{\"a\":1234}", 0, &edits, &mut out)), 0, "by splicing");
}

/// Half a megabyte of brackets side by side; 4 MB of them, as nested as can be, which the scanner reads; and a long string.
fn freaks() {
    let mut projector = Projector::new(projection());
    read_all(&mut projector, EVENTS);
    let flat = format!("{{\"a\":[{}0]}}\n", "[],".repeat(170_000));
    let nested = format!("{{\"a\":{}{}}}\n", "[".repeat(2_000_000), "]".repeat(2_000_000));
    let string = format!("{{\"a\":\"{}\"}}\n", "x".repeat(4_000_000));
    let before = held_bytes();
    for freak in [&flat, &nested, &string] {
        assert_eq!(read_all(&mut projector, freak.as_bytes()), 1);
        let kept = held_bytes().saturating_sub(before);
        assert!(kept < 2 * 1024 * 1024, "{kept} bytes kept for an event of {}", freak.len());
    }
}
