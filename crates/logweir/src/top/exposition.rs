//! Prometheus' text format, as far as reading values goes.
//!
//! A line is a name, labels in braces with `\\`, `\"` and `\n` in their values, a number, and maybe a time. Lines that begin
//! with `#` say of what kind a metric is, which whoever asks for one by name knows.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

/// The values of one scrape, by the names of their metrics.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Scrape(BTreeMap<String, Vec<Sample>>);

/// A value and what it belongs to.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Sample {
    /// Names and values, in the order of the text.
    pub(crate) labels: Vec<(String, String)>,
    /// It may be infinite or no number.
    pub(crate) value: f64,
}

impl Scrape {
    /// Reads a scrape.
    ///
    /// # Errors
    ///
    /// If a line is not in the format; it is named by its number.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut samples: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, sample) = parse_line(line)
                .with_context(|| format!("line {} is not in the text format of Prometheus", index + 1))?;
            match samples.get_mut(name) {
                Some(known) => known.push(sample),
                None => {
                    samples.insert(name.to_owned(), vec![sample]);
                }
            }
        }
        Ok(Self(samples))
    }

    /// Returns the values of a metric.
    pub(crate) fn of(&self, name: &str) -> &[Sample] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns the names of all metrics, sorted.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Sample {
    /// Returns the value of a label.
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn parse_line(line: &str) -> anyhow::Result<(&str, Sample)> {
    let end = line.find(['{', ' ', '\t']).context("there is no value")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name) {
        bail!("a metric has no name");
    }
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (Vec::new(), rest),
    };
    let mut words = rest.split_ascii_whitespace();
    let value = words.next().context("there is no value")?;
    let value = value.parse().with_context(|| format!("`{value}` is no number"))?;
    if let Some(time) = words.next() {
        time.parse::<i64>().with_context(|| format!("`{time}` is no time"))?;
    }
    if words.next().is_some() {
        bail!("something stands behind the time");
    }
    Ok((name, Sample { labels, value }))
}

/// Reads labels up to the closing brace; returns what stands behind it, too.
fn parse_labels(mut rest: &str) -> anyhow::Result<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, behind) = rest.split_once('=').context("a label has no value")?;
        let name = name.trim();
        if !is_name(name) {
            bail!("a label has no name");
        }
        let quoted = behind.trim_start().strip_prefix('"').context("a label's value is not in quotes")?;
        let (value, behind) = parse_quoted(quoted)?;
        labels.push((name.to_owned(), value));
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',') {
            Some(behind) => behind,
            None if behind.starts_with('}') => behind,
            None => bail!("neither a comma nor a brace stands behind a label"),
        };
    }
}

/// Reads a label's value up to the closing quote; returns what stands behind it, too.
fn parse_quoted(text: &str) -> anyhow::Result<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, character @ ('\\' | '"'))) => value.push(character),
                // Not in the format; it is what Prometheus itself makes of it.
                Some((_, character)) => value.extend(['\\', character]),
                None => break,
            },
            character => value.push(character),
        }
    }
    bail!("a label's value has no end")
}

fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "what is read is exactly what was written")]
mod tests {
    use metrics::{Label, counter, gauge};
    use metrics_exporter_prometheus::PrometheusBuilder;
    use proptest::prelude::*;

    use super::*;

    fn only(line: &str) -> Sample {
        let scrape = Scrape::parse(line).unwrap_or_else(|error| panic!("{line}: {error:#}"));
        assert_eq!(scrape.names().collect::<Vec<_>>(), ["m"], "{line}");
        scrape.of("m")[0].clone()
    }

    #[test]
    fn values_have_labels_with_escapes_and_may_be_no_numbers() {
        assert_eq!(only("m 1").value, 1.0);
        assert_eq!(only("m\t1.5e3 1763848800000").value, 1500.0);
        assert_eq!(only("m{} +Inf").value, f64::INFINITY);
        assert_eq!(only("m{le=\"+Inf\",} -Inf").value, f64::NEG_INFINITY);
        assert!(only("m NaN").value.is_nan());
        let sample = only(r#"m { a = "x" , b="say \"hi\", {c}\\\n=\t" } 7"#);
        assert_eq!(sample.label("a"), Some("x"));
        assert_eq!(sample.label("b"), Some("say \"hi\", {c}\\\n=\\t"));
        assert_eq!((sample.label("c"), sample.value), (None, 7.0));
    }

    #[test]
    fn what_is_not_in_the_format_is_refused_by_its_line() {
        for line in [
            "m",
            "m{",
            "m{a}",
            "m{a=}",
            "m{a=\"x}",
            "m{a=\"x\\",
            "m{a=\"x\" b=\"y\"} 1",
            "m{a=\"x\"}",
            "m x",
            "m 1 2 3",
            "m 1 x",
            "{} 1",
            "1m 1",
            "m{=\"x\"} 1",
            "m{1=\"x\"} 1",
            "<html lang=\"en\">",
        ] {
            let error = Scrape::parse(&format!("# a comment\n\ngood 1\n{line}\n")).expect_err(line);
            assert!(format!("{error:#}").starts_with("line 4 "), "{line}: {error:#}");
        }
    }

    #[test]
    fn a_long_scrape_is_read_in_no_time_worth_speaking_of() {
        let lines = (0..100_000).map(|n| format!("m{{pipeline=\"p{n}\",reason=\"filtered\"}} {n}\n"));
        let scrape = Scrape::parse(&lines.collect::<String>()).expect("it is in the format");
        assert_eq!(scrape.of("m").len(), 100_000);
        assert_eq!(scrape.of("m")[99_999].value, 99_999.0);
    }

    proptest! {
        #[test]
        fn what_our_exporter_renders_is_read_back(
            counts in proptest::collection::btree_map("[a-z]{1,8}", 0u64..1 << 53, 0..8),
            level in proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::NEGATIVE,
            // Without backslashes, of which the exporter takes some for escapes that were there before.
            text in "[^\\\\]*|[\"\n{},= ]*",
        ) {
            let recorder = PrometheusBuilder::new().build_recorder();
            metrics::with_local_recorder(&recorder, || {
                for (name, count) in &counts {
                    let labels = vec![Label::new("pipeline", name.clone()), Label::new("text", text.clone())];
                    counter!("counts_total", labels).absolute(*count);
                }
                gauge!("level", "text" => text.clone()).set(level);
            });
            let scrape = Scrape::parse(&recorder.handle().render()).expect("the exporter keeps to the format");
            let read: BTreeMap<String, f64> = scrape
                .of("counts_total")
                .iter()
                .map(|sample| (sample.label("pipeline").expect("a label").to_owned(), sample.value))
                .collect();
            let counts: BTreeMap<_, _> = counts.into_iter().map(|(name, count)| (name, count as f64)).collect();
            prop_assert_eq!(read, counts);
            prop_assert_eq!(scrape.of("level")[0].value, level);
            prop_assert_eq!(scrape.of("level")[0].label("text"), Some(text.as_str()));
        }

        #[test]
        fn every_label_is_read_back_from_how_the_format_has_it_written(text in ".*|[\"\\\\\n{},= ]*") {
            let escaped = text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
            // What ends a line ends it in a label, too.
            prop_assume!(!text.contains('\r'));
            let sample = only(&format!("m{{a=\"{escaped}\",b=\"{escaped}\"}} 1"));
            prop_assert_eq!(sample.label("b"), Some(text.as_str()));
        }

        #[test]
        fn nothing_makes_the_reader_panic(text in "\\PC*|([a-z{}\",=\\\\ 0-9\n]){0,60}") {
            let _ = Scrape::parse(&text);
        }
    }
}
