//! Lines, streams of them, and damage.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::event::any_event;
use super::json::{any_json, white_space};

/// Gives a line with its ending, `\n` or `\r\n`: an event, blank, or malformed in each of the ways there are.
pub fn any_line() -> BoxedStrategy<Vec<u8>> {
    let event = (white_space(), any_event(), white_space())
        .prop_map(|(a, event, b)| format!("{a}{event}{b}").into_bytes());
    let no_object =
        any_json().prop_filter("is an object", |text| !text.starts_with('{')).prop_map(String::into_bytes);
    let damaged = any_event().prop_flat_map(|event| mutated(event.into_bytes())).prop_map(without_line_feeds);
    let blank = vec(select(vec![b' ', b'\t', b'\r']), 0..4);
    let content = prop_oneof![
        10 => event,
        1 => no_object,
        1 => no_json().prop_map(|text| text.as_bytes().to_vec()),
        1 => no_utf8(),
        2 => damaged,
        2 => blank,
    ];
    (content, select(vec!["\n", "\n", "\r\n"]))
        .prop_map(|(mut line, ending)| {
            line.extend_from_slice(ending.as_bytes());
            line
        })
        .boxed()
}

/// Gives a stream of lines, now and then with a byte-order mark, the last line with or without its ending.
pub fn any_stream() -> BoxedStrategy<Vec<u8>> {
    (prop::bool::weighted(0.1), vec(any_line(), 0..12), any::<bool>())
        .prop_map(|(has_mark, lines, has_end)| {
            let mut stream = if has_mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
            stream.extend(lines.concat());
            if !has_end && stream.last() == Some(&b'\n') {
                stream.pop();
            }
            stream
        })
        .boxed()
}

/// Gives these bytes with one to eight faults: bits flipped, bytes put in, runs deleted or repeated.
pub fn mutated(bytes: Vec<u8>) -> BoxedStrategy<Vec<u8>> {
    vec((any::<Index>(), fault()), 1..=8)
        .prop_map(move |faults| {
            let mut bytes = bytes.clone();
            for (place, fault) in faults {
                let at = place.index(bytes.len() + 1);
                fault.happen_to(&mut bytes, at);
            }
            bytes
        })
        .boxed()
}

#[derive(Clone, Debug)]
enum Fault {
    Flip(u8),
    Insert(u8),
    Delete(usize),
    Repeat(usize),
}

fn fault() -> BoxedStrategy<Fault> {
    // Bytes that mean something to JSON hurt most.
    let byte = prop_oneof![3 => select(b"{}[]:,\"\\ue0-.tn \r\n\x00\x80\xff".to_vec()), 1 => any::<u8>()];
    prop_oneof![
        (0..8u32).prop_map(|bit| Fault::Flip(1 << bit)),
        byte.prop_map(Fault::Insert),
        (1..20usize).prop_map(Fault::Delete),
        (1..20usize).prop_map(Fault::Repeat),
    ]
    .boxed()
}

impl Fault {
    fn happen_to(&self, bytes: &mut Vec<u8>, at: usize) {
        let run = |n: usize| at..bytes.len().min(at + n);
        match *self {
            Self::Flip(bit) => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit),
            Self::Insert(byte) => bytes.insert(at, byte),
            Self::Delete(n) => drop(bytes.drain(run(n))),
            Self::Repeat(n) => {
                let copy = bytes[run(n)].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
}

fn no_json() -> BoxedStrategy<&'static str> {
    select(vec![
        "{\"a\":1,}",
        "{\"a\":1}{\"b\":2}",
        "{\"a\":1} x",
        "{\"a\":01}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":NaN}",
        "{\"a\":'b'}",
        "{a:1}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\x41\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"b}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\" 1}",
        "{\"a\":1",
        "{\"a\":1]",
        "// {}",
        "{\"a\":1/**/}",
        "\u{feff}{}",
        "{\u{a0}}",
        "True",
    ])
    .boxed()
}

fn no_utf8() -> BoxedStrategy<Vec<u8>> {
    let broken: Vec<&[u8]> =
        vec![b"\xff", b"\xc3", b"\xc0\x80", b"\xe2\x82", b"\xed\xa0\xbd", b"\xf4\x90\x80\x80"];
    (any_event(), any::<Index>(), select(broken))
        .prop_map(|(event, place, broken)| {
            let starts: Vec<usize> = event.char_indices().map(|(at, _)| at).collect();
            let mut line = event.into_bytes();
            let at = starts[place.index(starts.len())];
            line.splice(at..at, broken.iter().copied());
            line
        })
        .boxed()
}

fn without_line_feeds(mut line: Vec<u8>) -> Vec<u8> {
    line.retain(|&byte| byte != b'\n');
    line
}
