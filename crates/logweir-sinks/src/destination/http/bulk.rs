//! What the bulk interface of Elasticsearch answers: a status for each event.
//!
//! Each event was to be created under an id of its own. 409 says that the id is there already: the batch was sent
//! before, and that is fine. 400 and 413 say that this one event is none that the index can hold: it is refused for
//! good, and counted. 429 and 5xx pass: the batch is sent again, and what it made already is 409 then. Anything else,
//! like 403 or 404, is no fault of the event's but of who asks, or of what for: the batch is not taken, as if the
//! whole request had been answered so.

use std::collections::BTreeMap;

use logweir_net::{Answer, BodyEnd, Verdict};
use serde::Deserialize;

use crate::destination::refusal::NO_ANSWER;
use crate::destination::{UploadError, UploadVerdict, Uploaded};

/// What is asked of the answer.
pub(super) const FILTER: &str = "errors,items.*.status,items.*.error.type,items.*.error.reason";

/// How much of a reason is shown.
const MAX_CHARS: usize = 300;

#[derive(Deserialize)]
struct BulkAnswer {
    errors: bool,
    /// Each under the name of what was to be done.
    items: Vec<BTreeMap<String, Item>>,
}

#[derive(Deserialize)]
struct Item {
    status: u16,
    error: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    r#type: Option<String>,
    reason: Option<String>,
}

/// Returns what an answer with a status of success says of the events.
pub(super) fn read(server: &str, answer: &Answer, n_events: u64) -> Result<Uploaded, UploadError> {
    if let BodyEnd::Broken(failure) = &answer.end {
        return Err(UploadError::unanswered(failure));
    }
    let status = answer.status.as_u16();
    let Ok(said) = serde_json::from_slice::<BulkAnswer>(&answer.body) else {
        return Err(unclear(server, "is none of the bulk interface"));
    };
    if said.items.len() as u64 != n_events {
        return Err(unclear(server, &format!("is about {} events of {n_events}", said.items.len())));
    }
    let mut uploaded = Uploaded { status, ..Uploaded::default() };
    if !said.errors {
        return Ok(uploaded);
    }
    let mut refusal: Option<&Item> = None;
    for item in said.items.iter().flat_map(BTreeMap::values) {
        match item.status {
            200..=299 | 409 => {}
            400 | 413 => {
                uploaded.n_rejected += 1;
                uploaded.first_error.get_or_insert_with(|| item.reason());
            }
            // One that passes counts more than one that does not: the others will be seen then.
            _ if refusal.is_none_or(|before| item.passes() && !before.passes()) => refusal = Some(item),
            _ => {}
        }
    }
    match refusal {
        None => Ok(uploaded),
        Some(item) => Err(item.refusal(server, answer)),
    }
}

impl Item {
    fn passes(&self) -> bool {
        self.status == 429 || self.status >= 500
    }

    fn reason(&self) -> String {
        let unknown = Reason { r#type: None, reason: None };
        let Reason { r#type, reason } = self.error.as_ref().unwrap_or(&unknown);
        let texts: Vec<_> = [r#type, reason].into_iter().flatten().map(String::as_str).collect();
        texts.join(": ").chars().filter(|one| !one.is_control()).take(MAX_CHARS).collect()
    }

    fn refusal(&self, server: &str, answer: &Answer) -> UploadError {
        let verdict = match answer.verdict() {
            _ if !self.passes() => UploadVerdict::Reject,
            Verdict::Retry { after } => UploadVerdict::Retry { after },
            Verdict::Done | Verdict::Reject => UploadVerdict::Retry { after: None },
        };
        let message = format!("{server} answered {} for an event: {}", self.status, self.reason());
        UploadError { status: self.status, verdict, message }
    }
}

fn unclear(server: &str, what: &str) -> UploadError {
    let verdict = UploadVerdict::Retry { after: None };
    UploadError { status: NO_ANSWER, verdict, message: format!("the answer of {server} {what}") }
}
