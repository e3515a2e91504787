//! `logweir run`

use std::convert::Infallible;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::Context as _;
use indicatif::ProgressBar;
use logweir_pipeline::{Outcome, Pipeline, PipelineConfig, Status};
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::admin::Admin;
use crate::args::{LogFormat, RunArgs, SummaryFormat};
use crate::summary::{self, Summary};
use crate::{EXIT_CONFIGURATION, EXIT_FAILED, logging, progress};

/// Runs the pipelines of the files to their end.
pub(crate) fn run(args: &RunArgs, log_format: LogFormat) -> ExitCode {
    let bar = ProgressBar::hidden();
    logging::start(log_format, args.quiet, &bar);
    let configs = match logweir_pipeline::load(&args.files) {
        Ok(configs) => configs,
        Err(problems) => {
            let _ = writeln!(std::io::stderr(), "{problems}");
            write_summary(args, &[]);
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    match run_pipelines(args, &configs, &bar) {
        Ok(outcomes) if outcomes.iter().all(Outcome::is_success) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(EXIT_FAILED),
        Err(error) => {
            tracing::error!("{error:#}");
            // Nothing has run; whoever reads the last line learns just that.
            write_summary(args, &[]);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn run_pipelines(
    args: &RunArgs,
    configs: &[PipelineConfig],
    bar: &ProgressBar,
) -> anyhow::Result<Vec<Outcome>> {
    let n_decoders = configs.iter().map(|config| config.limits.decoders).sum();
    let n_cores = available_parallelism().map_or(1, usize::from);
    let workers = Builder::new_multi_thread()
        .worker_threads(n_cores.min(n_decoders))
        .thread_name("logweir-worker")
        .build()
        .context("the worker threads cannot be started")?;
    let io = Builder::new_current_thread()
        .enable_all()
        .thread_name("logweir-io")
        .build()
        .context("the IO runtime cannot be started")?;
    let outcomes = io.block_on(drive(args, configs, workers.handle(), bar))?;
    bar.finish_and_clear();
    let summaries = outcomes.iter().map(|outcome| Summary {
        name: outcome.name.clone(),
        accounts: outcome.accounts.clone(),
        elapsed: outcome.elapsed,
    });
    write_summary(args, &summaries.collect::<Vec<_>>());
    Ok(outcomes)
}

/// Runs the pipelines beside everything that looks at them.
async fn drive(
    args: &RunArgs,
    configs: &[PipelineConfig],
    workers: &Handle,
    bar: &ProgressBar,
) -> anyhow::Result<Vec<Outcome>> {
    let listen = configs.iter().find_map(|config| config.admin.as_ref()).map(|admin| admin.listen);
    let signals = Signals::new().context("signals cannot be watched")?;
    let pipelines = Pipeline::open_all(configs)?;
    let statuses: Vec<_> = pipelines.iter().map(Pipeline::status).collect();
    let admin = match listen {
        Some(listen) => Some(Admin::bind(listen, statuses.clone()).await?),
        None => None,
    };
    let serve = async {
        match admin {
            Some(admin) => admin.serve().await,
            None => std::future::pending().await,
        }
    };
    let draw = async {
        if args.quiet { std::future::pending().await } else { progress::draw(bar, &statuses).await }
    };
    let stop = CancellationToken::new();
    // The branches other than the first never end, and may be dropped at any time.
    tokio::select! {
        outcomes = logweir_pipeline::run(pipelines, workers, &stop) => Ok(outcomes),
        never = watch(signals, &stop, args, bar, &statuses) => match never {},
        never = serve => match never {},
        never = draw => match never {},
    }
}

/// The signal that a file has grown beyond what the process may write, 25 on Linux and macOS. Unwatched it ends the
/// process without a word; watched, the write fails like on a full disk.
const SIGXFSZ: i32 = 25;

/// The signals that end a run.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Kept only to be watched.
    _too_large: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _too_large: signal(SignalKind::from_raw(SIGXFSZ))?,
        })
    }

    /// Waits for the next one. Cancel safe: so is receiving a signal.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Stops the sources at the first signal and ends the process at the second.
async fn watch(
    mut signals: Signals,
    stop: &CancellationToken,
    args: &RunArgs,
    bar: &ProgressBar,
    pipelines: &[Arc<Status>],
) -> Infallible {
    let started = Instant::now();
    let signal = signals.next().await;
    tracing::info!(signal, "stops reading and delivers what has been read; a second signal ends at once");
    stop.cancel();
    let signal = signals.next().await;
    tracing::error!(signal, "ends at once; what was in flight counts as failed");
    bar.finish_and_clear();
    let summaries = pipelines.iter().map(|status| Summary {
        name: status.name.clone(),
        accounts: status.ledger.give_up(),
        elapsed: started.elapsed(),
    });
    write_summary(args, &summaries.collect::<Vec<_>>());
    std::process::exit(EXIT_FAILED.into());
}

fn write_summary(args: &RunArgs, summaries: &[Summary]) {
    let text = match args.summary {
        SummaryFormat::Json => format!("{}\n", summary::json(summaries)),
        SummaryFormat::Table if args.quiet => return,
        SummaryFormat::Table => summary::table(summaries),
    };
    // With standard error gone there is nobody left to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
