//! Uploads batches, each as one piece.
//!
//! What a destination takes at once is much more than a payload, and it may be down for hours, so events are collected
//! on the disk, and nothing of them is held in memory but who is to be told:
//!
//! - The **writer**, a thread, takes payloads, cuts them where a batch is complete, and compresses them into the file of
//!   the batch that grows. A batch that is complete gets an entry in the **spool**; from then on it exists, whatever
//!   happens to the process.
//! - **Delivery** uploads the batches of the spool, oldest first, a few at a time, each again and again until it is taken,
//!   and then says so, in order. While the destination is down, a **circuit** lets only one batch try.
//! - What a run that was stopped has left in the spool, the next **recovers** and uploads first, under the same keys. The
//!   source goes on behind it ([`Spool::covered`]).

mod batch;
mod body;
mod circuit;
mod commits;
mod compress;
mod config;
mod delivery;
mod error;
mod key;
mod layout;
mod manifest;
mod queue;
mod room;
mod shape;
mod spool;
mod stats;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, join};
use logweir_event::{BatchFrame, Condition, FileId, Positions};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Sink;
use crate::context::SinkContext;
use crate::destination::{Destination, DestinationConfig};
use crate::disk::{Disk, FollowingDisk};
use crate::error::SinkError;
use crate::template::SinkNames;
use crate::thread::on_thread;
use circuit::Circuit;
use commits::{Commits, Progress};
use delivery::Delivery;
use manifest::Owner;
use queue::Queue;
use room::Room;
use shape::Shape;
use writer::{Closed, Writer};

pub use config::{BatchConfig, DeliveryConfig, OnReject, SpoolConfig, UploadSinkConfig};
pub use error::SpoolError;
pub use spool::Spool;
pub use stats::{Durations, UploadOutcome, UploadSnapshot, UploadStats};

/// The batches that are complete and that delivery has not yet looked at; it looks all the time.
const MAX_CLOSED: usize = 16;

/// Collects events in batches on the disk and uploads those, each as one piece, for as long as it takes.
///
/// The payloads must say where their events lie. An event counts as written once its batch is uploaded, and all batches
/// before it are. When there is no time left, those that are whole in the spool are kept for the next run.
pub struct UploadSink {
    disk: Arc<dyn Disk>,
    destination: Arc<dyn Destination>,
    config: UploadSinkConfig,
    frame: BatchFrame,
    owner: Owner,
    spool_dir: PathBuf,
    stats: UploadStats,
}

impl UploadSink {
    /// Returns a sink that uploads to the destination that `config` names, batches with `frame` around them. They wait
    /// in `spool_dir`, which no other output may have; it is not touched before the sink runs. `stats` are told what it
    /// does.
    ///
    /// # Errors
    ///
    /// [`SinkError::Destination`] if the destination cannot be used as it is configured; [`SinkError::Refused`] if the
    /// configuration asks for what cannot be done.
    pub fn open(
        config: UploadSinkConfig,
        frame: BatchFrame,
        names: &SinkNames<'_>,
        spool_dir: PathBuf,
        stats: UploadStats,
    ) -> Result<Self, SinkError> {
        let connected = config.destination.connect(config.delivery.timeouts);
        let destination = connected.map_err(|error| SinkError::Destination {
            destination: config.destination.to_string(),
            source: error.into(),
        })?;
        let (disk, destination) = (Arc::new(FollowingDisk), Arc::from(destination));
        Self::open_on(disk, destination, config, frame, names, spool_dir, stats)
    }

    /// Returns a sink as [`open`](UploadSink::open) does, for a destination that is connected, whatever `config` names,
    /// and a spool on another disk than the system's.
    ///
    /// # Errors
    ///
    /// [`SinkError::Refused`] if the configuration asks for what cannot be done.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        destination: Arc<dyn Destination>,
        config: UploadSinkConfig,
        frame: BatchFrame,
        names: &SinkNames<'_>,
        spool_dir: PathBuf,
        stats: UploadStats,
    ) -> Result<Self, SinkError> {
        let refused =
            |reason: &str| SinkError::Refused { path: destination.name(), reason: reason.to_owned() };
        if let Some(reason) = config.compression.problem() {
            return Err(refused(reason));
        }
        let has_frame = !frame.prefix.is_empty() || !frame.suffix.is_empty();
        if has_frame && !destination.envelope().is_plain() {
            return Err(refused("it takes each event by itself: nothing may stand around a batch"));
        }
        let owner = Owner { pipeline: names.pipeline.to_owned(), output: names.output.map(str::to_owned) };
        Ok(Self { disk, destination, config, frame, owner, spool_dir, stats })
    }
}

impl Sink for UploadSink {
    fn writes_to(&self) -> Option<FileId> {
        None
    }

    fn run(self: Box<Self>, context: SinkContext) -> BoxFuture<'static, Result<(), SinkError>> {
        let (sender, closed) = mpsc::channel(MAX_CLOSED);
        let SinkContext { mut payloads, abort, condition, positions } = context;
        let give_up = abort.child_token();
        let (writer, delivery) = self.parts(&condition, positions, sender);
        async move {
            let aborted = give_up.clone();
            let writing = async {
                let written = on_thread(move || writer.run(&mut payloads, aborted)).await;
                if written.is_err() {
                    // Somebody waits to learn of it.
                    give_up.cancel();
                }
                written
            };
            let (written, ()) = join(writing, delivery.run(closed, give_up.clone())).await;
            written
        }
        .boxed()
    }
}

impl UploadSink {
    /// Returns who collects events in batches, and who uploads these.
    fn parts(
        self: Box<Self>,
        condition: &Condition,
        positions: Arc<dyn Positions>,
        closed: mpsc::Sender<Closed>,
    ) -> (Writer, Delivery) {
        let Self { disk, destination, config, frame, owner, spool_dir, stats } = *self;
        let shape = Shape::new(&*destination, &config, frame, &owner);
        let spool = Arc::new(Spool::new(disk, spool_dir));
        // A former run may have ended while it was open.
        stats.change(|stats| stats.is_circuit_open = false);
        let room = Arc::new(Room::new(config.spool.max_bytes, stats.clone()));
        let progress = Arc::new(Progress::default());
        let form = form(&config.destination);
        let writer = Writer {
            spool: spool.clone(),
            room: room.clone(),
            destination: destination.clone(),
            shape,
            owner,
            form,
            max_interval: config.batch.max_interval,
            positions: positions.clone(),
            condition: condition.clone(),
            stats: stats.clone(),
            closed,
            progress: progress.clone(),
        };
        let delivery = Delivery {
            destination,
            config: config.delivery,
            spool,
            room,
            stats,
            condition: condition.clone(),
            commits: Commits::new(positions, progress),
            queue: Queue::default(),
            circuit: Circuit::default(),
            tasks: JoinSet::new(),
            n_uploading: 0,
            quiet_until: None,
            last_done: None,
        };
        (writer, delivery)
    }
}

/// Returns the form in which a destination wants events, in one word.
fn form(destination: &DestinationConfig) -> String {
    if destination.has_envelope() { destination.kind().to_owned() } else { "plain".to_owned() }
}
