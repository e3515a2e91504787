//! From YAML to running tasks.
//!
//! [`load`] reads and checks configuration files and says everything that is wrong with them; [`Pipeline::open_all`]
//! builds the pipelines and opens their sinks; [`run`] starts the tasks, waits for their end and returns what the run
//! came to. This is the only place that makes channels between components and starts their tasks:
//!
//! ```text
//! source ──chunks──▶ lanes ──payloads──▶ sink of each output
//!                      └────dead letters──▶ dead-letter file
//! ```
//!
//! All channels are bounded, so that a slow sink slows the source; acks go back, and nothing else does.

mod build;
mod channel;
mod config;
mod lane;
mod ledger;
mod metrics;
mod run;
mod status;

pub use build::{OpenError, Pipeline};
pub use channel::ChannelStats;
pub use config::{
    AdminConfig, ConfigFile, Limits, OutputConfig, PipelineConfig, Problem, Problems, SinkConfig,
    SourceConfig, StageConfig, load, load_texts, schema,
};
pub use ledger::{Accounts, Ledger, OutputAccounts};
pub use logweir_sources::{
    Checkpoint, CheckpointError, CheckpointStore, FileCheckpoint, Fingerprint, Listed, StateDir,
    list_checkpoints, reset_checkpoint,
};
pub use logweir_stages::Tally;
pub use metrics::{Kind, METRICS, Metric, describe, publish};
pub use run::{Outcome, run};
pub use status::{Failure, Status};
