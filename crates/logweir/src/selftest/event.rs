//! The events that are written: each can be made again from its number, and tells its number.

use std::fmt::Write as _;

use fastrand::Rng;

/// What each event begins with, up to its number: the number is early, so that no two files begin alike.
const BEGINNING: &str = r#"{"CPUTimeMs":7,"DispatchNamespace":"","Entrypoint":"","Event":{"RayID":""#;
/// Hex digits of a number.
const N_DIGITS: usize = 16;

const PATHS: [&str; 4] = ["/", "/api/cart/items", "/search?q=shoes&page=2", "/caf%C3%A9/menu?lang=fr"];
const WORDS: [&str; 12] = [
    "order",
    "stored",
    "retry",
    "in",
    "ms",
    "cache",
    "miss",
    "user",
    "caf\u{e9}",
    "\\\"quoted\\\"",
    "\u{1f642}",
    "\\n",
];

/// Appends event `number` of a run to `out`, with its line feed. The same seed and number give the same bytes.
pub(super) fn write_event(seed: u64, number: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let time = 1_794_870_000_000 + number;
    let mut text = format!("{BEGINNING}{number:016x}");
    let path = PATHS[rng.usize(..PATHS.len())];
    let _ = write!(
        text,
        r#"","Request":{{"URL":"https://shop.example.com{path}","Method":"GET"}},"Response":{{"Status":{}}}}},"#,
        rng.u16(200..600)
    );
    let _ = write!(text, r#""EventTimestampMs":{time},"EventType":"fetch","Exceptions":[],"Logs":["#);
    for i in 0..n_logs(&mut rng) {
        text.push_str(if i == 0 { "" } else { "," });
        push_log(&mut text, &mut rng, time);
    }
    let _ = write!(
        text,
        r#"],"Outcome":"ok","ScriptName":"shop","ScriptTags":[],"WallTimeMs":{}}}"#,
        rng.u16(..900)
    );
    text.push('\n');
    out.extend_from_slice(text.as_bytes());
}

/// Returns how many logs an event has: few as a rule, and so many now and then that it spans several pages.
fn n_logs(rng: &mut Rng) -> usize {
    if rng.u16(..400) == 0 { rng.usize(100..900) } else { rng.usize(..12) }
}

fn push_log(text: &mut String, rng: &mut Rng, time: u64) {
    text.push_str(r#"{"Level":"log","Message":[""#);
    for _ in 0..rng.usize(1..12) {
        text.push_str(WORDS[rng.usize(..WORDS.len())]);
        text.push(' ');
    }
    let _ = write!(text, r#""],"TimestampMs":{time}}}"#);
}

/// Returns the number of an event, or of what is left of one; `None` if there is none to be seen.
pub(super) fn number_of(event: &[u8]) -> Option<u64> {
    let digits = event.strip_prefix(BEGINNING.as_bytes())?.get(..N_DIGITS)?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_legal_distinct_and_tell_their_number() {
        let mut n_large = 0;
        for number in [0, 1, u64::from(u32::MAX)].into_iter().chain(1_000..3_000) {
            let (mut event, mut again, mut other) = (Vec::new(), Vec::new(), Vec::new());
            write_event(7, number, &mut event);
            write_event(7, number, &mut again);
            write_event(8, number, &mut other);
            assert_eq!((number_of(&event), &event), (Some(number), &again));
            assert_ne!(event, other, "another seed gives another event");
            let value: serde_json::Value = serde_json::from_slice(&event).unwrap();
            assert_eq!(value["Outcome"], "ok");
            assert_eq!(event.iter().position(|&byte| byte == b'\n'), Some(event.len() - 1));
            n_large += usize::from(event.len() > 8_192);
        }
        assert!((1..100).contains(&n_large), "{n_large} of 2,003 are large");
    }

    #[test]
    fn what_is_no_event_has_no_number() {
        let mut event = Vec::new();
        write_event(7, 0xabc, &mut event);
        for cut in [&b""[..], b"{}", &event[..BEGINNING.len() + 15], &event[1..]] {
            assert_eq!(number_of(cut), None);
        }
        assert_eq!(number_of(&event[..BEGINNING.len() + 16]), Some(0xabc));
    }
}
