//! What is run beside logweir: one description each.

use logweir_testkit::oracle::Stage;
use logweir_testkit::oracle::truncate::Unit;

use super::compare::Order;

/// The budget of a Logpush job.
const LIMIT: usize = 16_384;

/// How much of the job a program does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Job {
    /// Nothing: a copy.
    Copy,
    /// Leaves out events whose `Outcome` is `exception`.
    Filter,
    /// The same, and truncates the others.
    FilterAndTruncate,
}

impl Job {
    /// Returns what it is called in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Filter => "filter",
            Self::FilterAndTruncate => "filter + truncate",
        }
    }

    /// Returns the same for the oracle.
    pub(super) fn stages(self) -> Vec<Stage> {
        let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#.to_owned();
        match self {
            Self::Copy => Vec::new(),
            Self::Filter => vec![Stage::Filter(filter)],
            Self::FilterAndTruncate => {
                vec![Stage::Filter(filter), Stage::Truncate { limit: LIMIT, unit: Unit::Chars }]
            }
        }
    }
}

/// A program, and how it is told to do the job.
pub(super) struct Peer {
    /// What it is called in the table.
    pub(super) name: &'static str,
    /// What it is called on PATH.
    pub(super) program: &'static str,
    pub(super) job: Job,
    /// What follows the program's name on a line of the shell: it reads `in.ndjson` and writes `out.ndjson`, both in
    /// the directory it runs in, and so are its files.
    pub(super) arguments: &'static str,
    /// Name and content of its files.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// What it promises of the order of events.
    pub(super) order: Order,
}

/// What logweir is called among the peers; its binary is named on the command line, not looked for.
pub(super) const LOGWEIR: &str = "logweir";

/// All of them, in the order in which they run.
pub(super) const PEERS: &[Peer] = &[
    Peer {
        name: "cat",
        program: "cat",
        job: Job::Copy,
        arguments: "in.ndjson > out.ndjson",
        files: &[],
        order: Order::Kept,
    },
    Peer {
        name: "logweir",
        program: LOGWEIR,
        job: Job::Filter,
        arguments: "run --quiet logweir-filter.yaml",
        files: &[("logweir-filter.yaml", include_str!("../../peers/logweir-filter.yaml"))],
        order: Order::Kept,
    },
    Peer {
        // On text: it takes an event for an exception that says so anywhere, and none that says so with a space.
        name: "grep",
        program: "grep",
        job: Job::Filter,
        arguments: r#"-avF '"Outcome":"exception"' in.ndjson > out.ndjson"#,
        files: &[],
        order: Order::Kept,
    },
    Peer {
        name: "jq",
        program: "jq",
        job: Job::Filter,
        arguments: r#"-c 'select(.Outcome != "exception")' in.ndjson > out.ndjson"#,
        files: &[],
        order: Order::Kept,
    },
    Peer {
        name: "Vector",
        program: "vector",
        job: Job::Filter,
        arguments: "--quiet --config vector-filter.yaml < in.ndjson > out.ndjson",
        files: &[("vector-filter.yaml", include_str!("../../peers/vector-filter.yaml"))],
        order: Order::Kept,
    },
    Peer {
        // Chunks that fail are tried again behind later ones.
        name: "Fluent Bit",
        program: "fluent-bit",
        job: Job::Filter,
        arguments: "--quiet --config fluent-bit-filter.yaml",
        files: &[("fluent-bit-filter.yaml", include_str!("../../peers/fluent-bit-filter.yaml"))],
        order: Order::Any,
    },
    Peer {
        name: "logweir",
        program: LOGWEIR,
        job: Job::FilterAndTruncate,
        arguments: "run --quiet logweir-truncate.yaml",
        files: &[("logweir-truncate.yaml", include_str!("../../peers/logweir-truncate.yaml"))],
        order: Order::Kept,
    },
    Peer {
        name: "jq",
        program: "jq",
        job: Job::FilterAndTruncate,
        arguments: "-c -f truncate.jq in.ndjson > out.ndjson",
        files: &[("truncate.jq", include_str!("../../peers/truncate.jq"))],
        order: Order::Kept,
    },
    Peer {
        name: "Vector",
        program: "vector",
        job: Job::FilterAndTruncate,
        arguments: "--quiet --config vector-truncate.yaml < in.ndjson > out.ndjson",
        files: &[
            ("vector-truncate.yaml", include_str!("../../peers/vector-truncate.yaml")),
            ("truncate.vrl", include_str!("../../peers/truncate.vrl")),
        ],
        order: Order::Kept,
    },
];
