//! Compares what a program wrote with what the oracle says it must write, event by event and as JSON.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

use logweir_testkit::oracle::{self, Stage};
use serde::Serialize;

use super::digest::Digest;

/// The default of `limits.max_event_bytes`.
const MAX_EVENT_BYTES: usize = 4 << 20;

/// What a program promises of the order of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// They come out as they went in.
    Kept,
    /// They come out in any order.
    Any,
}

/// What must come out.
pub(super) struct Expected {
    /// The events, in order.
    events: Vec<Digest>,
    /// The same by the digests of their bytes: one that came out byte for byte need not be parsed.
    by_bytes: HashMap<Digest, Digest>,
    /// How many events went in.
    pub(super) n_read: u64,
}

/// How what came out compares with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub(super) enum Verdict {
    /// The same events, in the order that the program promises.
    Equal,
    /// The same events, but not in the order that the program promises.
    Reordered,
    /// Other events. One that has changed is one that is missing and another that is too many; as many pairs of these
    /// as there are count as changed.
    Different {
        /// Events that have changed.
        changed: u64,
        /// Other events that are missing.
        missing: u64,
        /// Other events that must not be there.
        too_many: u64,
    },
}

impl Expected {
    /// Works out what the stages make of the input.
    ///
    /// # Errors
    ///
    /// If the input cannot be read.
    pub(super) fn make(stages: &[Stage], input: impl BufRead) -> std::io::Result<Self> {
        let mut expected = Self { events: Vec::new(), by_bytes: HashMap::new(), n_read: 0 };
        for line in input.split(b'\n') {
            let made = oracle::run(stages, None, &line?, MAX_EVENT_BYTES);
            expected.n_read += made.read;
            for event in made.output.split(|&byte| byte == b'\n').filter(|event| !event.is_empty()) {
                let digest = Digest::of_line(event);
                expected.events.push(digest);
                expected.by_bytes.insert(Digest::of_bytes(event), digest);
            }
        }
        Ok(expected)
    }

    /// Compares an output with it, and returns how many events that has, too.
    ///
    /// # Errors
    ///
    /// If the output cannot be read.
    pub(super) fn compare(&self, output: impl BufRead, order: Order) -> std::io::Result<(u64, Verdict)> {
        let mut found = Vec::new();
        for line in output.split(b'\n') {
            let line = line?;
            if !line.is_empty() {
                let known = self.by_bytes.get(&Digest::of_bytes(&line));
                found.push(known.copied().unwrap_or_else(|| Digest::of_line(&line)));
            }
        }
        Ok((found.len() as u64, verdict(&self.events, &found, order)))
    }
}

fn verdict(expected: &[Digest], found: &[Digest], order: Order) -> Verdict {
    if expected == found {
        return Verdict::Equal;
    }
    // How many more there must be of each.
    let mut lacking: HashMap<Digest, i64> = HashMap::new();
    for digest in expected {
        *lacking.entry(*digest).or_default() += 1;
    }
    for digest in found {
        *lacking.entry(*digest).or_default() -= 1;
    }
    let missing: u64 = lacking.values().filter(|&&n| n > 0).map(|n| n.unsigned_abs()).sum();
    let too_many: u64 = lacking.values().filter(|&&n| n < 0).map(|n| n.unsigned_abs()).sum();
    match (missing, too_many, order) {
        (0, 0, Order::Any) => Verdict::Equal,
        (0, 0, Order::Kept) => Verdict::Reordered,
        _ => {
            let changed = missing.min(too_many);
            Verdict::Different { changed, missing: missing - changed, too_many: too_many - changed }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Different { changed, missing, too_many } = *self else {
            return f.write_str(if *self == Self::Equal { "equal" } else { "in another order" });
        };
        let parts = [(changed, "differ"), (missing, "missing"), (too_many, "too many")];
        let parts: Vec<_> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use logweir_testkit::generate::{self, Workload};

    use super::super::peer::Job;
    use super::*;

    const INPUT: &str = concat!(
        r#"{"n":1,"Outcome":"ok"}"#,
        "\n",
        r#"{"n":2,"Outcome":"exception"}"#,
        "\n",
        r#"{"n":3,"Outcome":"canceled"}"#,
        "\n",
        r#"{"n":4,"Outcome":"ok"}"#,
    );

    fn compared(output: &str, order: Order) -> (u64, String) {
        let expected = Expected::make(&Job::Filter.stages(), INPUT.as_bytes()).unwrap();
        assert_eq!(expected.n_read, 4);
        let (n_events, verdict) = expected.compare(output.as_bytes(), order).unwrap();
        (n_events, verdict.to_string())
    }

    #[test]
    fn the_same_values_are_equal_however_they_are_written() {
        let exact =
            "{\"n\":1,\"Outcome\":\"ok\"}\n{\"n\":3,\"Outcome\":\"canceled\"}\n{\"n\":4,\"Outcome\":\"ok\"}";
        let other = "{\"Outcome\":\"o\\u006b\",\"n\":1.0}\n\n{\"Outcome\": \"canceled\", \"n\":3}\n{\"n\":4,\"Outcome\":\"ok\"}\n";
        assert_eq!(compared(exact, Order::Kept), (3, "equal".to_owned()));
        assert_eq!(compared(other, Order::Kept), (3, "equal".to_owned()));
    }

    #[test]
    fn order_counts_where_it_is_promised() {
        let output = "{\"n\":3,\"Outcome\":\"canceled\"}\n{\"n\":1,\"Outcome\":\"ok\"}\n{\"n\":4,\"Outcome\":\"ok\"}\n";
        assert_eq!(compared(output, Order::Kept), (3, "in another order".to_owned()));
        assert_eq!(compared(output, Order::Any), (3, "equal".to_owned()));
    }

    #[test]
    fn what_differs_is_counted() {
        assert_eq!(compared("", Order::Kept), (0, "3 missing".to_owned()));
        let copy = format!("{INPUT}\n");
        assert_eq!(compared(&copy, Order::Kept), (4, "1 too many".to_owned()));
        let twice = "{\"n\":1,\"Outcome\":\"ok\"}\n{\"n\":1,\"Outcome\":\"ok\"}\n";
        assert_eq!(compared(twice, Order::Any), (2, "1 differ, 1 missing".to_owned()));
        let damaged = "{\"n\":1,\"Outcome\":\"ok\"}\n{\"n\":3,\"Outcome\":\"canceled\"}\n{\"n\":4,\"Outco";
        assert_eq!(compared(damaged, Order::Kept), (3, "1 differ".to_owned()));
    }

    #[test]
    fn all_that_the_oracle_makes_is_expected() {
        let mut input = Vec::new();
        generate::write(Workload::Mix, 7, 1_000_000, &mut input).unwrap();
        let made = oracle::run(&Job::FilterAndTruncate.stages(), None, &input, MAX_EVENT_BYTES);
        assert!(made.filtered > 0 && made.truncated > 0);
        let expected = Expected::make(&Job::FilterAndTruncate.stages(), &input[..]).unwrap();
        let (n_events, verdict) = expected.compare(&made.output[..], Order::Kept).unwrap();
        assert_eq!((n_events, verdict), (made.written, Verdict::Equal));

        let filtered = oracle::run(&Job::Filter.stages(), None, &input, MAX_EVENT_BYTES).output;
        let (_, verdict) = expected.compare(&filtered[..], Order::Kept).unwrap();
        assert_eq!(verdict, Verdict::Different { changed: made.truncated, missing: 0, too_many: 0 });
    }
}
