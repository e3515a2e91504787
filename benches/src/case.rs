//! The cases: which events, through which job, how fast.

use logweir_testkit::generate::Workload;

use crate::job::{FILTER_AND_TRUNCATE, Job, SAMPLE, SIX_FIELDS};

/// One row of the main table.
pub(crate) struct Case {
    /// What the row is called.
    pub(crate) name: &'static str,
    /// What is read; cases may share it.
    pub(crate) workload: Workload,
    pub(crate) job: &'static Job,
    pub(crate) bars: Bars,
}

/// How fast a case has to be, on two cores.
#[derive(Clone, Copy)]
pub(crate) struct Bars {
    /// The most time on the clock, in times of what a copy of the input takes.
    pub(crate) wall_over_cat: Option<f64>,
    /// The most time on the cores, in seconds a gigabyte of input.
    pub(crate) cpu: Option<f64>,
    /// The least gigabytes of input a second.
    pub(crate) rate: Option<f64>,
}

const NONE: Bars = Bars { wall_over_cat: None, cpu: None, rate: None };

/// All rows, in order.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "mix",
        workload: Workload::Mix,
        job: &FILTER_AND_TRUNCATE,
        bars: Bars { wall_over_cat: Some(1.8), cpu: Some(1.0), ..NONE },
    },
    Case {
        name: "small",
        workload: Workload::Small,
        job: &FILTER_AND_TRUNCATE,
        bars: Bars { wall_over_cat: Some(2.5), cpu: Some(1.4), ..NONE },
    },
    Case {
        name: "heavy",
        workload: Workload::Heavy,
        job: &FILTER_AND_TRUNCATE,
        bars: Bars { rate: Some(0.8), ..NONE },
    },
    Case {
        name: "real",
        workload: Workload::Real,
        job: &FILTER_AND_TRUNCATE,
        bars: Bars { wall_over_cat: Some(2.2), cpu: Some(1.2), ..NONE },
    },
    Case {
        name: "fields",
        workload: Workload::Mix,
        job: &SIX_FIELDS,
        bars: Bars { wall_over_cat: Some(2.0), ..NONE },
    },
    Case {
        name: "sample",
        workload: Workload::Mix,
        job: &SAMPLE,
        bars: Bars { wall_over_cat: Some(1.2), ..NONE },
    },
];
