//! What is measured: which events, through which stages.

use logweir_testkit::generate::Workload;
use logweir_testkit::oracle::Stage;
use logweir_testkit::oracle::truncate::Unit;

/// The budget of a Logpush job.
const LIMIT: usize = 16_384;

/// One row of the table.
pub(crate) struct Case {
    /// What the row is called.
    pub(crate) name: &'static str,
    pub(crate) workload: Workload,
    pub(crate) job: &'static Job,
}

/// What becomes of the events, once for the binary and once for the oracle.
pub(crate) struct Job {
    /// `stages` of the pipeline file, with whatever else does not depend on names of files.
    yaml: &'static str,
    stages: fn() -> Vec<Stage>,
}

/// All rows, in order.
pub(crate) const CASES: &[Case] = &[
    Case { name: "mix", workload: Workload::Mix, job: &FILTER_AND_TRUNCATE },
    Case { name: "small", workload: Workload::Small, job: &FILTER_AND_TRUNCATE },
    Case { name: "heavy", workload: Workload::Heavy, job: &FILTER_AND_TRUNCATE },
    Case { name: "real", workload: Workload::Real, job: &FILTER_AND_TRUNCATE },
];

/// Drops the events that failed, which are few, so nearly all bytes have to come out again.
const FILTER_AND_TRUNCATE: Job = Job {
    yaml: "\
stages:
  - filter: { where: { key: Outcome, operator: \"!eq\", value: exception } }
  - truncate: { limit: 16384 }
",
    stages: || {
        let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#;
        vec![Stage::Filter(filter.to_owned()), Stage::Truncate { limit: LIMIT, unit: Unit::Chars }]
    },
};

impl Job {
    /// Returns the pipeline file that reads `input` and writes `output`: names of files beside it, made up here, so
    /// that nothing in them needs quoting.
    pub(crate) fn pipeline(&self, input: &str, output: &str) -> String {
        let stages = self.yaml;
        format!(
            "source: {{ file: {{ include: [{input}], read: once }} }}\n\
             {stages}\
             sink: {{ file: {{ path: {output}, mode: overwrite }} }}\n"
        )
    }

    /// Returns the same stages for the oracle.
    pub(crate) fn stages(&self) -> Vec<Stage> {
        (self.stages)()
    }
}
