//! The filter parser takes any text without panicking, and refuses what the naive oracle refuses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logweir_stages::FilterConfig;
use logweir_testkit::oracle::filter::refuses;

/// Deeper ones are refused for their depth, of which the oracle knows no bound.
const MAX_DEPTH: usize = 16;

fuzz_target!(|text: &str| {
    let parsed = FilterConfig::from_json(text);
    if text.matches(['[', '{']).count() > MAX_DEPTH {
        return;
    }
    assert_eq!(parsed.is_err(), refuses(text), "{parsed:?}");
    if let Err(problems) = parsed {
        assert!(!problems.is_empty() && problems.iter().all(|problem| problem.at <= text.len()));
    }
});
