//! What is an event and what is not.

use logweir_testkit::oracle::encode::Options;
use logweir_testkit::samples;

use crate::{Input, run, run_whole, whole};

#[test]
fn real_events_pass_byte_for_byte() {
    for input in [samples::EVENTS, samples::DEEP] {
        let outcome = run_whole(&[], input);
        assert_eq!(outcome.output, input);
        assert_eq!(outcome.malformed, [0; 3]);
        assert_eq!(outcome.written, outcome.read);
    }
}

#[test]
fn each_line_is_judged_by_the_first_reason_that_holds() {
    let input = b"{}\n\xff{\n{,}\n[]\n \t\r\n\n7\n{\"a\":\"\xc3\x28\"}\nnull\r\n{\"b\":1}";
    let outcome = run_whole(&[], input);
    assert_eq!(outcome.malformed, [2, 1, 3]);
    assert_eq!(outcome.output, b"{}\n{\"b\":1}\n");
    assert_eq!(outcome.read, 8);
}

#[test]
fn the_length_of_a_line_does_not_count_its_ending() {
    let input = b"{\"a\":1}\r\n{\"a\":12}\n{\"a\":1}\n{\"a\":1}";
    let input = Input { bytes: input, max_event_bytes: 7, lines_a_chunk: 2 };
    let outcome = run(&[], &Options::default(), &input);
    assert_eq!(outcome.oversized, 1);
    assert_eq!(outcome.output, b"{\"a\":1}\r\n{\"a\":1}\n{\"a\":1}\n");
}

#[test]
fn a_chunk_without_lines_is_an_empty_batch() {
    let outcome = run_whole(&[], b"");
    assert_eq!(outcome, logweir_testkit::oracle::Outcome::default());
}

#[test]
fn a_chunk_of_very_many_events_is_decoded_in_several_batches() {
    let input = "{\"a\":1}\n{}\n[]\n\n".repeat(200_000);
    let outcome = run(&[], &Options::of_fields(&["a"]), &whole(input.as_bytes()));
    assert_eq!(outcome.output, "{\"a\":1}\n{\"a\":null}\n".repeat(200_000).as_bytes());
    assert_eq!((outcome.read, outcome.malformed), (600_000, [0, 0, 200_000]));
}
