//! From YAML to running tasks.
//!
//! [`load`] reads and checks configuration files and says everything that is wrong with them; [`Pipeline::open_all`]
//! opens their sources and sinks; [`run`] starts the tasks and waits for their end; the [`Board`] has what there is to
//! know of them meanwhile and afterwards; a [`DryRun`] takes single events through the stages alone. This is the only
//! place that makes channels between components and starts their tasks:
//!
//! ```text
//! source ──chunks──▶ lanes ──payloads──▶ sink of each output
//!                      └────dead letters──▶ dead-letter file
//! ```
//!
//! All channels are bounded, so that a slow sink slows the source; acks go back, and nothing else does.

mod blocking;
mod board;
mod build;
mod channel;
mod config;
mod connect;
mod costs;
mod dry_run;
mod ended;
mod generation;
mod lane;
mod ledger;
mod live;
mod memory;
mod metrics;
mod outline;
mod parts;
mod patience;
mod picture;
mod reload;
mod run;
mod status;
mod supervise;
mod tap;
mod upload_test;

pub use board::{Board, Readiness, Reloads};
pub use build::{OpenError, Pipeline};
pub use config::{
    AdminConfig, ConfigFile, Expectation, Jobs, Limits, Loaded, OutputConfig, PipelineConfig, PipelineTest,
    Problem, Problems, ReferencePage, SinkConfig, SourceConfig, StageConfig, TapConfig, TestEvent, TestInput,
    TestedFile, check_job, load, load_admin, load_stages, load_test_texts, load_tests, load_texts, read_json,
    reference, schema,
};
pub use connect::{Finding, Grade, connect};
pub use costs::{Cost, Costs, OutputCosts, measure};
pub use dry_run::{DryRun, Edit, Explanation, Fate, OutputPassage, Passage, Read, Step, Verb};
pub use ledger::{Accounts, Ledger, OutputAccounts};
pub use logweir_event::{Malformed, with_causes};
pub use logweir_sinks::{Secret, UploadSnapshot};
pub use logweir_sources::{
    Checkpoint, CheckpointError, CheckpointStore, FileCheckpoint, Fingerprint, InputLine, InputLines, Listed,
    Reset, StateDir, list_checkpoints, reset_checkpoint,
};
pub use logweir_stages::{
    Comparison, Counted, Decode, Draw, Excerpt, Hashed, Illegal, Judged, Judgement, Row, Spending, Stratum,
    Tally, TextFate, TextRow, Unit, Weight, WrittenPredicate, check_json, indented,
};
pub use memory::MemoryBound;
pub use metrics::{Kind, METRICS, Metric, describe, publish};
pub use outline::{Outline, OutputOutline};
pub use picture::{Branch, Part, Picture};
pub use reload::{ReloadError, check_reload};
pub use run::{Outcome, run};
pub use status::{Failure, Phase, Status};
pub use tap::{Tap, TapError, TapRequest};
pub use upload_test::{UploadTest, test_uploads};
