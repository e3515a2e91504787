//! What an attempt that did not succeed means.

use logweir_event::with_causes;
use logweir_net::{Answer, Failure, Verdict};

use super::hidden::Hidden;
use super::{UploadError, UploadVerdict};

/// How much of what a server says is shown.
const MAX_CHARS: usize = 300;

/// The status of an attempt that failed on this machine, as [`Failure::Request`] has it.
pub(super) const LOCAL: u16 = 1108;

/// The status of an answer that is none of what was asked, as [`Failure::Protocol`] has it.
pub(super) const NO_ANSWER: u16 = 1107;

impl UploadError {
    /// Returns what an answer means by which a server did not take a batch. `server` is how it is called.
    pub(super) fn refused(server: &str, answer: &Answer, hidden: &Hidden) -> Self {
        let said = hidden.hide_in(&answer.excerpt(MAX_CHARS));
        Self::answered(server, answer, &said)
    }

    /// Returns the same with what the server said already cut out of its answer.
    pub(super) fn answered(server: &str, answer: &Answer, said: &str) -> Self {
        let status = answer.status.as_u16();
        let message = match said {
            "" => format!("{server} answered {status}"),
            said => format!("{server} answered {status}: {said}"),
        };
        Self { status, verdict: answer.verdict().into(), message }
    }

    /// Returns what it means that there was no answer.
    pub(super) fn unanswered(failure: &Failure) -> Self {
        Self { status: failure.status(), verdict: failure.verdict().into(), message: with_causes(failure) }
    }

    /// Returns what it means that this machine could not even ask. What is wrong with it is mended from outside.
    pub(super) fn local(message: impl Into<String>) -> Self {
        Self { status: LOCAL, verdict: UploadVerdict::Retry { after: None }, message: message.into() }
    }
}

impl From<Verdict> for UploadVerdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Retry { after } => Self::Retry { after },
            Verdict::Done | Verdict::Reject => Self::Reject,
        }
    }
}
