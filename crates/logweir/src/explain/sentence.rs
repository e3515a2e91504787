//! The fate of an event in one sentence.

use indicatif::HumanCount;
use logweir_pipeline::{Comparison, Draw, Explanation, Fate, Hashed, Illegal, Step, check_json};

use super::Explained;
use super::draw::{self, of_field};
use crate::shown::shown;

/// Reasons that a sentence names; the tree has all of them.
const MAX_REASONS: usize = 3;

/// Returns why an output does not get an event; `None` if it does.
pub(super) fn why(explained: &Explained<'_>, output: usize) -> Option<String> {
    let fate = explained.passage.fate_in(output);
    let text = match fate {
        Fate::Written | Fate::Blank => return None,
        Fate::Filtered | Fate::SampledOut => of_step(explained.passage.dropped_by_in(output)?),
        Fate::Oversized => {
            let limit = HumanCount(explained.config.limits.max_event_bytes as u64);
            format!("the line is longer than `limits.max_event_bytes`, {limit}")
        }
        Fate::NotObject => String::from("the line is JSON, but no object: it does not begin with `{`"),
        Fate::NotUtf8 | Fate::NotJson => match defect(explained) {
            Some(illegal) if fate == Fate::NotJson => format!("the line is no JSON: {illegal}"),
            Some(Illegal { at, .. }) => format!("the line is not UTF-8 from byte {at} on"),
            None => String::from("the line is no event"),
        },
    };
    Some(text)
}

/// Returns where a line stops being JSON; `None` if it does not.
pub(super) fn defect(explained: &Explained<'_>) -> Option<Illegal> {
    let line = explained.bytes?;
    // Its ending is not to blame for a text that lacks its last quote.
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    check_json(line.strip_suffix(b"\r").unwrap_or(line)).err()
}

/// Returns why a stage dropped an event.
fn of_step(step: &Step) -> String {
    let place = &step.place;
    match &step.explanation {
        Explanation::Filter(judgement) => {
            let reasons = judgement.reasons();
            let named: Vec<_> = reasons.iter().take(MAX_REASONS).map(|reason| found(reason)).collect();
            let more = match reasons.len() - named.len() {
                0 => String::new(),
                n_more => format!(" and {n_more} more"),
            };
            format!("`{place}` filter is false because {}{more}", named.join(" and "))
        }
        Explanation::Sample(draw) => format!("`{place}` sample {}", of_draw(draw)),
        Explanation::Truncate(_) => format!("`{place}` truncate dropped it"),
    }
}

fn found(reason: &Comparison) -> String {
    shown(&reason.found())
}

fn of_draw(draw: &Draw) -> String {
    let rate = draw.rate;
    let of = draw.stratum().map(|stratum| format!(" ({})", stratum.place)).unwrap_or_default();
    let what = match &draw.hashed {
        Hashed::Field { key, value } => of_field(key, value),
        Hashed::Event { .. } => String::from("the whole event"),
    };
    let share = draw::share(draw.share());
    format!("keeps a share of {rate}{of}, and the hash of {what} is {share} of all, not below that")
}
