//! One made-up event.

use fastrand::Rng;

use super::words;

/// Decimal digits of a timestamp in milliseconds, from the year 2001 to 2286.
const TIMESTAMP_DIGITS: usize = 13;
/// Hex digits of a ray ID.
const RAY_ID_DIGITS: usize = 16;
/// Bytes of a log with a message of one string, beside that string and the level.
const LOG_OVERHEAD_BYTES: usize = r#"{"Level":"","Message":[""],"TimestampMs":0123456789012},"#.len();
/// What heavy events exceed, the default limit.
const HEAVY_CHARACTERS: usize = 16_384;

/// An event whose ray ID and timestamps are still to be filled in.
#[derive(Debug, Default)]
pub(super) struct Template {
    /// The line with its line feed.
    text: String,
    /// Where the ray ID goes.
    ray_id: Option<usize>,
    /// Where timestamps go.
    timestamps: Vec<usize>,
}

/// Makes up an event of the usual sizes: many small, a few of several kilobytes.
pub(super) fn mixed(rng: &mut Rng, outcome: &'static str) -> Template {
    // An exponential distribution: median and tail as seen. No event comes near the limit.
    let n_bytes = 300.0 - 830.0 * (1.0 - rng.f64()).ln();
    let n_bytes = n_bytes.min(12_000.0).round();
    #[expect(clippy::cast_sign_loss, reason = "the logarithm of a share is not positive")]
    let n_bytes = n_bytes as usize;
    made_up(rng, outcome, |template, rng, n_behind| template.push_logs(rng, n_bytes.saturating_sub(n_behind)))
}

/// Makes up an event of 300 to 600 bytes.
pub(super) fn small(rng: &mut Rng, outcome: &'static str) -> Template {
    loop {
        let n_bytes = rng.usize(330..=595);
        let event = made_up(rng, outcome, |template, rng, n_behind| {
            template.push_filling_log(rng, n_bytes - n_behind);
        });
        // A few are too long by what their exception says.
        if (300..=600).contains(&event.text.len()) {
            return event;
        }
    }
}

/// Makes up an event with too many characters in its logs: in many short ones, in one long one, or in both.
pub(super) fn heavy(rng: &mut Rng, outcome: &'static str) -> Template {
    let n_bytes = rng.usize(HEAVY_CHARACTERS + 4_000..45_000);
    let n_filled = HEAVY_CHARACTERS + rng.usize(1..3_000);
    made_up(rng, outcome, |template, rng, _| {
        template.push_logs(rng, n_bytes.saturating_sub(n_filled));
        // The last log alone is over the limit, so that all the event is.
        template.push_log(rng, |text, rng| push_words(text, rng, n_filled));
    })
}

/// Makes up an event whose logs are for `push_logs` to write, which gets the bytes that will follow them.
fn made_up(
    rng: &mut Rng,
    outcome: &'static str,
    push_logs: impl FnOnce(&mut Template, &mut Rng, usize),
) -> Template {
    let mut template = Template::default();
    let (script, entrypoint) = words::SCRIPTS[rng.usize(..words::SCRIPTS.len())];
    let tail = format!(
        concat!(
            r#"],"Outcome":"{}","ScriptName":"{}","ScriptTags":[],"ScriptVersion":"#,
            r#"{{"ID":"00000000-0000-4000-8000-0000000000{:02}","Message":"","Tag":""}},"WallTimeMs":{}}}"#,
            "\n",
        ),
        outcome,
        script,
        script.len(),
        rng.u32(..900)
    );
    template.push(&format!(
        r#"{{"CPUTimeMs":{},"DispatchNamespace":"","Entrypoint":"{entrypoint}","Event":"#,
        rng.u32(..40)
    ));
    let event_type = template.push_source(rng, script, outcome);
    template.push(r#","EventTimestampMs":"#);
    template.push_timestamp();
    template.push(&format!(r#","EventType":"{event_type}","Exceptions":["#));
    if outcome == "exception" {
        template.push_exceptions(rng);
    }
    template.push(r#"],"Logs":["#);
    push_logs(&mut template, rng, tail.len());
    template.drop_comma();
    template.push(&tail);
    template
}

impl Template {
    /// Appends the event with this ray ID and timestamps from `now` on.
    pub(super) fn write(&self, ray_id: u64, now: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.text.as_bytes());
        if let Some(at) = self.ray_id {
            write_digits(ray_id, 16, &mut out[start + at..][..RAY_ID_DIGITS]);
        }
        for (i, at) in self.timestamps.iter().enumerate() {
            write_digits(now + i as u64, 10, &mut out[start + at..][..TIMESTAMP_DIGITS]);
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn push_timestamp(&mut self) {
        self.timestamps.push(self.text.len());
        self.text.extend(std::iter::repeat_n('0', TIMESTAMP_DIGITS));
    }

    fn drop_comma(&mut self) {
        if self.text.ends_with(',') {
            self.text.pop();
        }
    }

    /// Writes what set the invocation off, and returns what kind of event that is.
    fn push_source(&mut self, rng: &mut Rng, script: &str, outcome: &str) -> &'static str {
        match rng.u8(..100) {
            0..82 => {
                self.push_fetch(rng, script, outcome);
                "fetch"
            }
            82..92 => {
                self.push(r#"{"RpcMethod":"reserve"}"#);
                "worker_rpc"
            }
            92..95 => {
                self.push(r#"{"WebSocketEventType":"message"}"#);
                "hibernatable_web_socket"
            }
            95..97 => {
                self.push(r#"{"Queue":"orders","BatchSize":10}"#);
                "queue"
            }
            97..99 => {
                self.push(r#"{"Cron":"*/5 * * * *","ScheduledTimeMs":"#);
                self.push_timestamp();
                self.push("}");
                "scheduled"
            }
            _ => {
                self.push(r#"{"ScheduledTimeMs":"#);
                self.push_timestamp();
                self.push("}");
                "alarm"
            }
        }
    }

    fn push_fetch(&mut self, rng: &mut Rng, script: &str, outcome: &str) {
        self.push(r#"{"RayID":""#);
        self.ray_id = Some(self.text.len());
        self.text.extend(std::iter::repeat_n('0', RAY_ID_DIGITS));
        let path = words::PATHS[rng.usize(..words::PATHS.len())];
        let method = words::METHODS[rng.usize(..words::METHODS.len())];
        self.push(&format!(
            r#"","Request":{{"URL":"https://{script}.example.com{path}","Method":"{method}"}}"#
        ));
        if outcome == "ok" {
            let status = words::STATUSES[rng.usize(..words::STATUSES.len())];
            self.push(&format!(r#","Response":{{"Status":{status}}}"#));
        }
        self.push("}");
    }

    fn push_exceptions(&mut self, rng: &mut Rng) {
        let (name, message) = words::EXCEPTIONS[rng.usize(..words::EXCEPTIONS.len())];
        self.push("{");
        if rng.bool() {
            self.push(&format!(r#""Stack":"{}","#, words::STACK));
        }
        self.push(&format!(r#""Name":"{name}","Message":"{message}","TimestampMs":"#));
        self.push_timestamp();
        self.push("}");
    }

    /// Writes logs until there are at least `n_bytes` bytes.
    fn push_logs(&mut self, rng: &mut Rng, n_bytes: usize) {
        while self.text.len() < n_bytes {
            self.push_log(rng, |text, rng| {
                if rng.u8(..3) == 0 {
                    let n = rng.usize(20..180);
                    return push_words(text, rng, n);
                }
                for i in 0..rng.usize(1..4) {
                    text.push_str(if i == 0 { "" } else { "," });
                    text.push_str(words::ARGUMENTS[rng.usize(..words::ARGUMENTS.len())]);
                }
            });
        }
    }

    /// Writes one log that brings it to about `n_bytes` bytes, if there is room for one.
    fn push_filling_log(&mut self, rng: &mut Rng, n_bytes: usize) {
        let n_free = n_bytes.saturating_sub(self.text.len() + LOG_OVERHEAD_BYTES);
        if n_free > 4 {
            self.push_log(rng, |text, rng| push_words(text, rng, n_free));
        }
    }

    fn push_log(&mut self, rng: &mut Rng, push_message: impl FnOnce(&mut String, &mut Rng)) {
        let level = words::LEVELS[rng.usize(..words::LEVELS.len())];
        self.push(&format!(r#"{{"Level":"{level}","Message":["#));
        push_message(&mut self.text, rng);
        self.push(r#"],"TimestampMs":"#);
        self.push_timestamp();
        self.push("},");
    }
}

/// Appends a JSON string of exactly `n` characters.
fn push_words(text: &mut String, rng: &mut Rng, n: usize) {
    text.push('"');
    let end = text.len() + n;
    while text.len() < end {
        text.push_str(words::WORDS[rng.usize(..words::WORDS.len())]);
        text.push(' ');
    }
    text.truncate(end);
    text.push('"');
}

/// Writes a number right-aligned with all digits there is room for.
fn write_digits(mut number: u64, base: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number % base) as usize];
        number /= base;
    }
}
