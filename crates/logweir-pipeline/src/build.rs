//! From a checked configuration to a pipeline that is ready to run.

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logweir_event::{FileId, Positions};
use logweir_sinks::{
    DeadLetterSink, FileSink, NullSink, Sink, SinkNames, Spool, SpoolError, StdoutSink, UploadSink,
};
use logweir_sources::{
    AckTracker, Checkpoint, CheckpointError, CheckpointStore, Checkpointer, FileSource, FollowConfig,
    FollowSource, FollowStats, Source, StateClaim, StdinSource, list_checkpoints, read_covering, spool_dir,
};
use logweir_stages::{Encode, Projection};

use crate::board::Board;
use crate::config::{OutputConfig, PipelineConfig, SinkConfig, SourceConfig};
use crate::memory::MemoryBound;
use crate::status::Status;

/// A pipeline whose sinks are open and that has not begun to read.
pub struct Pipeline {
    /// Kept to open it again, should it fail in a way that this mends.
    pub(crate) config: PipelineConfig,
    /// `None` while another generation keeps the same positions: then it is opened once that one has ended.
    pub(crate) source: Option<OpenSource>,
    pub(crate) sinks: Vec<OpenSink>,
    pub(crate) dead_letters: Option<DeadLetterSink>,
    pub(crate) status: Arc<Status>,
}

/// A source that has not begun to read.
pub(crate) struct OpenSource {
    pub(crate) source: Box<dyn Source>,
    pub(crate) keeper: Keeper,
}

/// Who knows what the positions of a source mean.
pub(crate) enum Keeper {
    /// Of a source that follows: who keeps them, and what the source tells.
    Follow(Box<Checkpointer>, FollowStats),
    /// Of one that reads what it reads once.
    Once {
        positions: Arc<dyn Positions>,
        /// Held so that nobody else uses what the pipeline keeps in its state directory.
        _claim: Option<StateClaim>,
    },
}

impl Keeper {
    /// Returns who says what the positions of chunks mean whose acks are `tracker`'s.
    pub(crate) fn positions(&self, tracker: &AckTracker) -> Arc<dyn Positions> {
        match self {
            Self::Follow(checkpointer, _) => checkpointer.positions(tracker.clone()),
            Self::Once { positions, .. } => positions.clone(),
        }
    }
}

/// An opened sink.
pub(crate) struct OpenSink {
    /// How errors name it.
    pub(crate) component: String,
    pub(crate) sink: Box<dyn Sink>,
}

/// A source or sink that could not be opened, or not beside the others; nothing has been started.
#[derive(Debug, thiserror::Error)]
#[error("pipeline `{pipeline}`: {component} cannot be opened")]
pub struct OpenError {
    /// The pipeline.
    pub pipeline: String,
    /// The source or sink.
    pub component: String,
    source: Box<dyn Error + Send + Sync>,
}

impl Pipeline {
    /// Opens the sources and sinks of all pipelines that a process is to run; reads nothing. It blocks while files are
    /// opened.
    ///
    /// # Errors
    ///
    /// If a source, a sink or a dead-letter file cannot be opened, or two of them write to the same file, whatever
    /// its names are.
    pub fn open_all(configs: &[PipelineConfig], board: &Board) -> Result<Vec<Self>, OpenError> {
        let open = |config: &PipelineConfig| Self::open(config.clone(), board);
        let pipelines = configs.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let mut writers = HashMap::new();
        for pipeline in &pipelines {
            for (component, file) in pipeline.outputs() {
                let writer = format!("{component} of pipeline `{}`", pipeline.status.name);
                if let Some(other) = writers.insert(file, writer) {
                    let source = format!("{other} writes to the same file").into();
                    let (pipeline, component) = (pipeline.status.name.clone(), component.to_owned());
                    return Err(OpenError { pipeline, component, source });
                }
            }
        }
        Ok(pipelines)
    }

    /// Opens one pipeline. It blocks while files are opened.
    pub(crate) fn open(config: PipelineConfig, board: &Board) -> Result<Self, OpenError> {
        log_memory(&config);
        let in_pipeline = |error: ComponentError| OpenError {
            pipeline: config.name.clone(),
            component: error.component,
            source: error.source,
        };
        let source = open_source(&config, board).map_err(in_pipeline)?;
        let status = board.status(&config.name, config.source.is_replayable());
        let open = |output| open_sink(&config, output, &status).map_err(in_pipeline);
        let sinks = config.outputs.iter().map(open).collect::<Result<_, _>>()?;
        let dead_letters = match &config.dead_letter {
            None => None,
            Some(dead_letter) => Some(
                DeadLetterSink::open(dead_letter.clone())
                    .map_err(|source| in_pipeline(component_error("dead_letter", source)))?,
            ),
        };
        Ok(Self { config, source, sinks, dead_letters, status })
    }

    /// Returns what it writes to, each with the component that does.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = (&str, FileId)> {
        let sinks = self.sinks.iter().map(|open| (open.component.as_str(), open.sink.writes_to()));
        let dead_letters = self.dead_letters.iter().map(|sink| ("dead_letter", sink.writes_to()));
        sinks.chain(dead_letters).filter_map(|(component, file)| Some((component, file?)))
    }
}

/// Logs what memory a pipeline may come to take, as its configuration bounds it.
fn log_memory(config: &PipelineConfig) {
    let memory = MemoryBound::of(config);
    let held_bytes = config.limits.held_bytes;
    tracing::info!(pipeline = config.name, max_bytes = memory.max_bytes(), held_bytes, "memory is bounded");
}

/// What could not be opened, and why.
pub(crate) struct ComponentError {
    pub(crate) component: String,
    pub(crate) source: Box<dyn Error + Send + Sync>,
}

fn component_error(component: &str, source: impl Error + Send + Sync + 'static) -> ComponentError {
    ComponentError { component: component.to_owned(), source: Box::new(source) }
}

/// Returns how errors name the source.
pub(crate) fn source_component(config: &SourceConfig) -> &'static str {
    match config {
        SourceConfig::Stdin => "source.stdin",
        SourceConfig::File(_) | SourceConfig::Follow(_) => "source.file",
    }
}

/// Opens the source, from the positions that were committed last; `None` if another generation still keeps them.
pub(crate) fn open_source(
    config: &PipelineConfig,
    board: &Board,
) -> Result<Option<OpenSource>, ComponentError> {
    let component = source_component(&config.source);
    let failed = |error| component_error(component, error);
    let (source, positions): (Box<dyn Source>, _) = match &config.source {
        SourceConfig::Stdin => {
            let source = StdinSource::new().map_err(failed)?;
            let positions = source.positions();
            (Box::new(source), positions)
        }
        SourceConfig::File(file) => {
            let source = FileSource::new(file).map_err(failed)?;
            let positions = source.positions();
            (Box::new(source), positions)
        }
        SourceConfig::Follow(follow) => return open_follow(config, follow, board),
    };
    let claim = config
        .state_dir
        .as_deref()
        .map(|state_dir| board.state_dir(state_dir).and_then(|dir| StateClaim::new(dir, &config.name)));
    let claim = claim.transpose().map_err(|error| component_error("state_dir", error))?;
    refuse_left_over(config)?;
    Ok(Some(OpenSource { source, keeper: Keeper::Once { positions, _claim: claim } }))
}

fn open_follow(
    config: &PipelineConfig,
    follow: &FollowConfig,
    board: &Board,
) -> Result<Option<OpenSource>, ComponentError> {
    let state_dir = config.state_dir.as_deref().expect("following without `state_dir` is refused");
    let stored = board.state_dir(state_dir).and_then(|dir| CheckpointStore::open(dir, &config.name));
    let (store, checkpoint) = match stored {
        Err(CheckpointError::AlreadyOpen { .. }) => return Ok(None),
        stored => stored.map_err(|error| component_error("state_dir", error))?,
    };
    // What is whole in the spool is delivered from there.
    let covered = match covered(config) {
        // A sink of a former generation that has not ended holds it.
        Err(error) if error.source.downcast_ref::<SpoolError>().is_some_and(SpoolError::is_in_use) => {
            return Ok(None);
        }
        covered => covered?,
    };
    let is_behind_spool = covered.is_some();
    let checkpoint = covered.or(checkpoint);
    refuse_left_over(config)?;
    if checkpoint.is_none() {
        tell_of_others(&config.name, state_dir);
    }
    let (source, checkpointer) = FollowSource::new(follow, store, checkpoint)
        .map_err(|error| component_error(source_component(&config.source), error))?;
    if is_behind_spool {
        checkpointer.hold();
    }
    let stats = source.stats();
    Ok(Some(OpenSource { source: Box::new(source), keeper: Keeper::Follow(Box::new(checkpointer), stats) }))
}

/// Returns from where to read on behind what the only output has spooled; `None` if there is nothing. Where somebody else
/// gets something of the same input, other outputs or a dead-letter file, that may lack some of it, and the positions
/// that all have reached are the source's own.
fn covered(config: &PipelineConfig) -> Result<Option<Checkpoint>, ComponentError> {
    let [output @ OutputConfig { sink: SinkConfig::Upload(_), .. }] = &config.outputs[..] else {
        return Ok(None);
    };
    if config.dead_letter.is_some() {
        return Ok(None);
    }
    let directory = upload_dir(config, output);
    let covering = Spool::covered(&directory).map_err(|error| component_error("state_dir", error))?;
    let read = |bytes: Vec<u8>| read_covering(&config.name, &bytes, &directory);
    covering.map(read).transpose().map_err(|error| component_error("state_dir", error))
}

/// Refuses to leave batches behind: those of an output that has gone, or that uploads no more.
fn refuse_left_over(config: &PipelineConfig) -> Result<(), ComponentError> {
    let Some(state_dir) = config.state_dir.as_deref() else { return Ok(()) };
    let uploads = |output: &&OutputConfig| matches!(output.sink, SinkConfig::Upload(_));
    let used: Vec<_> =
        config.outputs.iter().filter(uploads).map(|output| upload_dir(config, output)).collect();
    let of_pipeline = spool_dir(state_dir, &config.name);
    let below = std::fs::read_dir(&of_pipeline).into_iter().flatten().flatten().map(|found| found.path());
    let mut spools: Vec<_> = below.filter(|path| path.is_dir()).collect();
    // Behind those that are in it.
    spools.push(of_pipeline);
    for spool in spools.iter().filter(|spool| !used.contains(spool)) {
        Spool::abandon(spool).map_err(|error| component_error("state_dir", error))?;
    }
    Ok(())
}

/// Says, of a pipeline that starts for the very first time, which others have started here: under one of these names it may
/// have run before, and would read everything again.
fn tell_of_others(pipeline: &str, state_dir: &Path) {
    let listed = list_checkpoints(state_dir).unwrap_or_default();
    let others: Vec<_> =
        listed.into_iter().map(|listed| listed.name).filter(|name| name != pipeline).collect();
    if !others.is_empty() {
        tracing::warn!(
            pipeline,
            state_dir = %state_dir.display(),
            ?others,
            "this pipeline has no checkpoint and begins anew; if it was renamed, stop it, give it its old name back, and start it again"
        );
    }
}

/// Opens the sink of an output.
fn open_sink(
    pipeline: &PipelineConfig,
    output: &OutputConfig,
    status: &Status,
) -> Result<OpenSink, ComponentError> {
    let names = SinkNames { pipeline: &pipeline.name, output: output.name.as_deref() };
    let sink: Result<Box<dyn Sink>, _> = match &output.sink {
        SinkConfig::Stdout => StdoutSink::new().map(|sink| Box::new(sink) as _),
        SinkConfig::File(config) => FileSink::open(config.clone(), &names).map(|sink| Box::new(sink) as _),
        SinkConfig::Null => Ok(Box::new(NullSink)),
        SinkConfig::Upload(config) => {
            let directory = upload_dir(pipeline, output);
            let told = status.uploads(names.output);
            // What stands around a batch hangs on no field.
            let frame = Encode::new(&output.encode, &mut Projection::default()).frame();
            UploadSink::open((**config).clone(), frame, &names, directory, told)
                .map(|sink| Box::new(sink) as _)
        }
    };
    let component = sink_component(output);
    let sink = sink.map_err(|error| component_error(&component, error))?;
    Ok(OpenSink { component, sink })
}

/// Returns how errors name the sink of an output.
pub(crate) fn sink_component(output: &OutputConfig) -> String {
    let kind = output.sink.kind();
    match &output.name {
        None => format!("sink.{kind}"),
        Some(name) => format!("outputs.{name}.sink.{kind}"),
    }
}

/// Returns the directory in which what an output uploads waits.
pub(crate) fn upload_dir(pipeline: &PipelineConfig, output: &OutputConfig) -> PathBuf {
    let state_dir =
        pipeline.state_dir.as_deref().expect("a sink that uploads without `state_dir` is refused");
    let of_pipeline = spool_dir(state_dir, &pipeline.name);
    match &output.name {
        None => of_pipeline,
        Some(name) => of_pipeline.join(name),
    }
}
