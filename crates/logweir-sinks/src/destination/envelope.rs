//! The form in which a destination wants the events of a batch.

use std::collections::BTreeMap;
use std::io::Write as _;

/// The form in which a destination wants the events of a batch.
///
/// A batch is written as [`begin`](Self::begin), [`event`](Self::event) for each event, [`end`](Self::end). What is not
/// [plain](Self::is_plain) wants events that are one line of JSON each, and nothing else around them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Envelope {
    /// As they were rendered.
    #[default]
    Plain,
    /// As the bulk interface of Elasticsearch wants them: a line before each that says what to do with it.
    Bulk(Bulk),
    /// As the push interface of Loki wants them: each a string in one JSON document.
    Push(Push),
}

/// What the bulk interface of Elasticsearch is told of each event.
///
/// Events are created, under an id that is made from the batch and the place in it. So a batch that is sent again makes
/// nothing twice: what is already there is refused as a conflict, and that is fine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bulk {
    /// What stands before the id.
    action: Vec<u8>,
}

/// What the push interface of Loki is told of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// What stands before the first event.
    head: Vec<u8>,
}

/// An event that is put into its envelope.
#[derive(Clone, Copy, Debug)]
pub struct EnvelopedEvent<'a> {
    /// The event as it was rendered, with or without its line feed.
    pub bytes: &'a [u8],
    /// When it happened, or, if it does not say, when it was read, in milliseconds since 1970.
    pub time_ms: i64,
    /// A number that no other batch of the destination has. It may be made up when the batch is begun, since a batch
    /// is sent again only from the file that it was written to.
    pub batch_id: u64,
    /// Which event of the batch it is, from 0.
    pub index: u64,
}

impl Envelope {
    /// Returns the envelope of the bulk interface of Elasticsearch, for this index or data stream.
    pub fn bulk(index: &str) -> Self {
        let mut action = b"{\"create\":{\"_index\":".to_vec();
        add_string(&mut action, index.as_bytes());
        action.extend_from_slice(b",\"_id\":\"");
        Self::Bulk(Bulk { action })
    }

    /// Returns the envelope of the push interface of Loki, for the stream with these labels.
    pub fn push(labels: &BTreeMap<String, String>) -> Self {
        let mut head = b"{\"streams\":[{\"stream\":{".to_vec();
        for (place, (name, value)) in labels.iter().enumerate() {
            if place > 0 {
                head.push(b',');
            }
            add_string(&mut head, name.as_bytes());
            head.push(b':');
            add_string(&mut head, value.as_bytes());
        }
        head.extend_from_slice(b"},\"values\":[");
        Self::Push(Push { head })
    }

    /// Returns whether events stay as they were rendered, so that there is nothing to call for them.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// Adds what stands before the first event.
    pub fn begin(&self, out: &mut Vec<u8>) {
        if let Self::Push(push) = self {
            out.extend_from_slice(&push.head);
        }
    }

    /// Adds an event.
    pub fn event(&self, out: &mut Vec<u8>, event: &EnvelopedEvent<'_>) {
        let line = event.bytes.strip_suffix(b"\n").unwrap_or(event.bytes);
        match self {
            Self::Plain => out.extend_from_slice(event.bytes),
            Self::Bulk(bulk) => {
                out.extend_from_slice(&bulk.action);
                add(out, format_args!("{:016x}-{}", event.batch_id, event.index));
                out.extend_from_slice(b"\"}}\n");
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            Self::Push(_) => {
                if event.index > 0 {
                    out.push(b',');
                }
                // Loki counts nanoseconds, and nothing before 1970.
                add(out, format_args!("[\"{}000000\",", event.time_ms.max(0)));
                add_string(out, line);
                out.push(b']');
            }
        }
    }

    /// Adds what stands behind the last event.
    pub fn end(&self, out: &mut Vec<u8>) {
        if let Self::Push(_) = self {
            out.extend_from_slice(b"]}]}");
        }
    }
}

fn add(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a vector takes all that is written to it");
}

/// Adds a text as a JSON string.
fn add_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            byte @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', byte]),
            byte => add(out, format_args!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
