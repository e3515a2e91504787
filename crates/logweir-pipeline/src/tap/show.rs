//! How an event is shown to who watches: away from the lanes, one by one.

use bytes::Bytes;
use logweir_event::{Ack, Batch, Chunk, Position};
use logweir_stages::{Decode, Encode, EncodeConfig, Projection, Redaction};
use serde_json::json;

use super::point::Portion;

/// Turns what a lane has copied into frames: one line each, a JSON object with the event in it byte for byte.
pub(super) struct Show {
    redaction: Redaction,
    decode: Decode,
    batch: Batch,
    /// What is written of an event, where that is what is watched.
    encode: Option<Encode>,
    /// Whether the lines are no events, and nothing in them can be found to be hidden.
    are_lines: bool,
}

impl Show {
    /// Returns what shows events as they are, or as `encode` writes them.
    pub(super) fn events(redaction: Redaction, encode: Option<&EncodeConfig>) -> Self {
        let mut projection = Projection::default();
        let encode = encode.map(|config| Encode::new(config, &mut projection));
        // An event that stages and hiding have made longer is one still.
        let decode = Decode::new(&projection, usize::MAX);
        Self { redaction, decode, batch: Batch::default(), encode, are_lines: false }
    }

    /// Returns what shows lines that are no events.
    pub(super) fn lines(redaction: Redaction) -> Self {
        Self { are_lines: true, ..Self::events(redaction, None) }
    }

    /// Returns the frames of a portion, and how many events are not in them because they may not be shown.
    pub(super) fn frames(&mut self, portion: &Portion) -> (Vec<u8>, u64) {
        let (mut frames, mut n_withheld, mut start) = (Vec::new(), 0, 0);
        for &end in &portion.ends {
            if !self.push_frame(&portion.bytes[start..end], &mut frames) {
                n_withheld += 1;
            }
            start = end;
        }
        (frames, n_withheld)
    }

    /// Appends the frame of an event, unless it may not be shown; returns whether it may.
    fn push_frame(&mut self, line: &[u8], frames: &mut Vec<u8>) -> bool {
        if self.are_lines {
            // Where nothing can be told apart, no field can be hidden.
            let shown = if self.redaction.fields.is_empty() { self.redaction.apply(line) } else { None };
            if let Some(line) = &shown {
                push_text(line, frames);
            }
            return shown.is_some();
        }
        let Some(shown) = self.redaction.apply(line.trim_ascii()) else { return false };
        if self.encode.is_none() {
            push_event(&shown, frames);
            return true;
        }
        match self.encoded(shown) {
            Some(text) if self.is_event(&text) => push_event(text.trim_ascii(), frames),
            Some(text) => push_text(&text, frames),
            None => return false,
        }
        true
    }

    /// Returns what is written of an event.
    fn encoded(&mut self, event: Vec<u8>) -> Option<Vec<u8>> {
        self.decode.decode(&chunk(event), 0, &mut self.batch);
        let encode = self.encode.as_ref()?;
        let payloads = encode.encode(&self.batch, Position::default());
        let mut text: Vec<u8> = payloads.flat_map(|payload| payload.parts().concat()).collect();
        if self.redaction.lookups {
            Redaction { lookups: true, ..Redaction::default() }.apply(&text).map(|hidden| text = hidden)?;
        }
        (!self.batch.is_empty()).then_some(text)
    }

    /// Returns whether a text is an event by itself.
    fn is_event(&mut self, text: &[u8]) -> bool {
        let bytes = text.trim_ascii();
        if bytes.contains(&b'\n') {
            return false;
        }
        self.decode.decode(&chunk(bytes.to_vec()), 0, &mut self.batch);
        self.batch.len() == 1
    }
}

fn chunk(line: Vec<u8>) -> Chunk {
    let n_bytes_read = line.len() as u64;
    Chunk {
        bytes: Bytes::from(line),
        n_bytes_read,
        n_oversized: 0,
        end: Position::default(),
        ack: Ack::ignored(),
    }
}

fn push_event(event: &[u8], frames: &mut Vec<u8>) {
    frames.extend_from_slice(b"{\"event\":");
    frames.extend_from_slice(event);
    frames.extend_from_slice(b"}\n");
}

fn push_text(text: &[u8], frames: &mut Vec<u8>) {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    frames.extend(json!({ "text": String::from_utf8_lossy(text) }).to_string().into_bytes());
    frames.push(b'\n');
}
