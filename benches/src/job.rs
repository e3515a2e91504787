//! What becomes of the events: once for the binary, once for the oracle.

use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{self, Outcome, Stage};

use crate::lab::STATE;

/// The budget of a Logpush job.
const LIMIT: usize = 16_384;
/// The default of `limits.max_event_bytes`.
const MAX_EVENT_BYTES: usize = 4 << 20;

/// When an event counts as delivered.
#[derive(Clone, Copy)]
pub(crate) enum Ack {
    /// When logweir says so unasked.
    AsUnasked,
    /// Once the system has taken it.
    Written,
    /// Once it is on the disk.
    Synced,
}

impl Ack {
    /// Returns what is to be added to the keys of a file sink.
    fn yaml(self) -> &'static str {
        match self {
            Self::AsUnasked => "",
            Self::Written => ", ack: written",
            Self::Synced => ", ack: synced",
        }
    }
}

/// What becomes of the events.
pub(crate) struct Job {
    /// `stages` of the pipeline file.
    yaml: &'static str,
    /// The same for the oracle.
    stages: fn() -> Vec<Stage>,
    /// The fields that are written; events as they are if there are none.
    field_names: &'static [&'static str],
    /// Whether most events come out as they went in.
    pub(crate) is_mostly_a_copy: bool,
}

/// The main one. It drops the events that failed, which are few, so nearly all bytes have to come out again.
pub(crate) const FILTER_AND_TRUNCATE: Job = Job {
    yaml: "\
stages:
  - filter: { where: { key: Outcome, operator: \"!eq\", value: exception } }
  - truncate: { limit: 16384 }
",
    stages: filter_and_truncate,
    field_names: &[],
    is_mostly_a_copy: true,
};

/// The same, and of what is left the fields that a Logpush job writes.
pub(crate) const SIX_FIELDS: Job = Job {
    field_names: &["Event", "EventTimestampMs", "Outcome", "Exceptions", "Logs", "ScriptName"],
    is_mostly_a_copy: false,
    ..FILTER_AND_TRUNCATE
};

/// None: what comes out is what went in.
pub(crate) const COPY: Job = Job { yaml: "", stages: Vec::new, field_names: &[], is_mostly_a_copy: true };

/// Keeps one event in ten.
pub(crate) const SAMPLE: Job = Job {
    yaml: "\
stages:
  - sample: { rate: 0.1 }
",
    stages: || vec![Stage::Sample { rate: 0.1, key: None, seed: 0, always_keep: None }],
    field_names: &[],
    is_mostly_a_copy: false,
};

impl Job {
    /// Returns the pipeline file that reads `input` and writes `output`: names of files beside it, made up here, so
    /// that nothing in them needs quoting.
    pub(crate) fn file_to_file(&self, input: &str, output: &str, ack: Ack) -> String {
        self.pipeline(
            &format!("{{ file: {{ include: [{input}], read: once }} }}"),
            &format!("{{ file: {{ path: {output}, mode: overwrite{} }} }}", ack.yaml()),
        )
    }

    /// Returns the pipeline file that follows `include` and adds to `output`, likewise.
    pub(crate) fn follow_to_file(&self, include: &str, output: &str, ack: Ack) -> String {
        let pipeline = self.pipeline(
            &format!("{{ file: {{ include: [{include}], read: follow }} }}"),
            &format!("{{ file: {{ path: {output}{} }} }}", ack.yaml()),
        );
        format!("{pipeline}state_dir: {STATE}\n")
    }

    /// Returns the pipeline file that reads `input` and puts batches into `directory`, likewise, as they are where
    /// nothing is said.
    pub(crate) fn file_to_directory(&self, input: &str, directory: &str) -> String {
        let pipeline = self.pipeline(
            &format!("{{ file: {{ include: [{input}], read: once }} }}"),
            &format!("{{ directory: {{ path: {directory} }} }}"),
        );
        format!("{pipeline}state_dir: {STATE}\n")
    }

    /// Returns the pipeline file that reads standard input and writes standard output.
    pub(crate) fn stdin_to_stdout(&self) -> String {
        self.pipeline("{ stdin: {} }", "{ stdout: {} }")
    }

    fn pipeline(&self, source: &str, sink: &str) -> String {
        let stages = self.yaml;
        let encode = match self.field_names {
            [] => String::new(),
            names => format!("encode: {{ field_names: [{}] }}\n", names.join(", ")),
        };
        format!("source: {source}\n{stages}{encode}sink: {sink}\n")
    }

    /// Returns the oracle for it.
    pub(crate) fn oracle(&self) -> Oracle {
        let names: Vec<String> = self.field_names.iter().map(ToString::to_string).collect();
        Oracle { stages: (self.stages)(), field_names: (!names.is_empty()).then_some(names) }
    }
}

fn filter_and_truncate() -> Vec<Stage> {
    let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#;
    vec![Stage::Filter(filter.to_owned()), Stage::Truncate { limit: LIMIT, unit: Unit::Chars }]
}

/// Says what must come out.
pub(crate) struct Oracle {
    stages: Vec<Stage>,
    field_names: Option<Vec<String>>,
}

impl Oracle {
    /// Returns what must become of some lines.
    pub(crate) fn run(&self, lines: &[u8]) -> Outcome {
        oracle::run(&self.stages, self.field_names.as_deref(), lines, MAX_EVENT_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use logweir_testkit::generate::{self, Workload};

    use super::*;

    #[test]
    fn field_names_stand_beside_the_sink_and_the_oracle_writes_these() {
        let yaml = SIX_FIELDS.stdin_to_stdout();
        assert!(yaml.contains("\nencode: { field_names: [Event, EventTimestampMs, "), "{yaml}");
        assert!(!FILTER_AND_TRUNCATE.stdin_to_stdout().contains("encode"));

        let event = r#"{"Outcome":"ok","ScriptName":"s","Other":1}"#;
        let fields = r#"{"Event":null,"EventTimestampMs":null,"Outcome":"ok","Exceptions":null,"Logs":null,"ScriptName":"s"}"#;
        assert_eq!(SIX_FIELDS.oracle().run(event.as_bytes()).output, format!("{fields}\n").into_bytes());
    }

    #[test]
    fn what_is_not_asked_for_is_left_to_logweir() {
        let yaml = COPY.follow_to_file("live.ndjson", "out.ndjson", Ack::AsUnasked);
        assert!(yaml.contains("sink: { file: { path: out.ndjson } }\nstate_dir: "), "{yaml}");
        let yaml = COPY.file_to_file("in.ndjson", "out.ndjson", Ack::Synced);
        assert!(yaml.contains("{ path: out.ndjson, mode: overwrite, ack: synced }"), "{yaml}");
        assert!(!yaml.contains("state_dir"), "what is read once has no state: {yaml}");
    }

    #[test]
    fn whether_a_job_mostly_copies_is_so() {
        let mut events = Vec::new();
        generate::write(Workload::Mix, 3, 1_000_000, &mut events).unwrap();
        for job in [FILTER_AND_TRUNCATE, SIX_FIELDS, COPY, SAMPLE] {
            let oracle = job.oracle();
            let lines: Vec<_> = events.split_inclusive(|&byte| byte == b'\n').collect();
            let n_copies = lines.iter().filter(|line| oracle.run(line).output == **line).count();
            assert_eq!(2 * n_copies > lines.len(), job.is_mostly_a_copy, "{}", job.yaml);
        }
    }
}
