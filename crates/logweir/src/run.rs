//! `logweir run`

use std::convert::Infallible;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::Context as _;
use indicatif::ProgressBar;
use logweir_pipeline::{Board, Decode, Loaded, Outcome, Pipeline, PipelineConfig, Problem, Status};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::CancellationToken;

use crate::admin::Admin;
use crate::args::{LogFormat, RunArgs, SummaryFormat};
use crate::daemon::Daemon;
use crate::notify::{Notice, Notifier};
use crate::signals::{Hangups, Signals};
use crate::summary;
use crate::{EXIT_CONFIGURATION, EXIT_FAILED, logging, open_files, progress};

/// Runs the pipelines of the files to their end.
pub(crate) fn run(args: &RunArgs, log_format: LogFormat) -> ExitCode {
    let bar = ProgressBar::hidden();
    logging::start(log_format, args.quiet, &bar);
    open_files::raise_limit();
    let configs = match logweir_pipeline::load(&args.files) {
        Ok(loaded) => {
            log_notes(&loaded);
            loaded.pipelines
        }
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

/// Logs what is surely unwanted in the configuration, and what is worth knowing of it, like a job that is not enabled.
pub(crate) fn log_notes(loaded: &Loaded) {
    for Problem { file, line, message, help, .. } in &loaded.warnings {
        tracing::warn!(
            file,
            line,
            warning = message,
            help,
            "the configuration can be used, and is surely not as wanted"
        );
    }
    for Problem { file, line, message, .. } in &loaded.notes {
        tracing::warn!(file, line, note = message, "the configuration can be used, but");
    }
}

fn run_pipelines(
    args: &RunArgs,
    configs: &[PipelineConfig],
    bar: &ProgressBar,
) -> anyhow::Result<Vec<Outcome>> {
    let workers = workers(configs).context("the worker threads cannot be started")?;
    let io = Builder::new_current_thread()
        .enable_all()
        .thread_name("logweir-io")
        .build()
        .context("the IO runtime cannot be started")?;
    let board = Arc::new(Board::new());
    let driven = io.block_on(drive(args, configs, workers.handle(), bar, &board));
    // A thread that is stuck in a call to the system must not keep the process from ending.
    io.shutdown_background();
    workers.shutdown_background();
    driven?;
    bar.finish_and_clear();
    let outcomes: Vec<_> = board.statuses().iter().map(|status| status.last_outcome()).collect();
    write_summary(args, &outcomes);
    Ok(outcomes)
}

/// Starts the threads that lanes run on: no more than there are lanes, unless a reload may bring more.
fn workers(configs: &[PipelineConfig]) -> std::io::Result<Runtime> {
    let n_cores = available_parallelism().map_or(1, usize::from);
    let n_lanes: usize = configs.iter().map(|config| config.limits.decoders).sum();
    let is_reloadable = configs.iter().all(|config| config.source.is_replayable());
    let n_threads = if is_reloadable { n_cores } else { n_cores.min(n_lanes) };
    Builder::new_multi_thread().worker_threads(n_threads).thread_name("logweir-worker").build()
}

/// Runs the pipelines beside everything that looks at them.
async fn drive(
    args: &RunArgs,
    configs: &[PipelineConfig],
    workers: &Handle,
    bar: &ProgressBar,
    board: &Arc<Board>,
) -> anyhow::Result<()> {
    let signals = Signals::new().context("signals cannot be watched")?;
    let hangups = Hangups::new().context("signals cannot be watched")?;
    tracing::info!(instructions = %Decode::instructions(), "events are read");
    let pipelines = Pipeline::open_all(configs, board)?;
    let admin = match configs.iter().find_map(|config| config.admin.clone()) {
        Some(admin) => Some(Admin::start(admin, board.clone()).await?),
        None => None,
    };
    let notifier = Notifier::start(board.clone(), workers.clone());
    let draw =
        async { if args.quiet { std::future::pending().await } else { progress::draw(bar, board).await } };
    let stop = CancellationToken::new();
    let daemon = Daemon {
        files: args.files.clone(),
        board: board.clone(),
        workers,
        stop: &stop,
        hangups,
        admin,
        notifier: &notifier,
    };
    // The branches other than the first never end, and may be dropped at any time.
    tokio::select! {
        () = daemon.run(pipelines) => Ok(()),
        never = watch(signals, &stop, args, bar, board, &notifier) => match never {},
        never = draw => match never {},
    }
}

/// Stops the sources at the first signal and ends the process at the second.
async fn watch(
    mut signals: Signals,
    stop: &CancellationToken,
    args: &RunArgs,
    bar: &ProgressBar,
    board: &Board,
    notifier: &Notifier,
) -> Infallible {
    let signal = signals.next().await;
    tracing::info!(signal, "stops reading and delivers what has been read; a second signal ends at once");
    notifier.tell(Notice::Stopping);
    stop.cancel();
    let signal = signals.next().await;
    tracing::error!(signal, "ends at once; what was in flight is not delivered");
    bar.finish_and_clear();
    let given_up = |status: &Arc<Status>| Outcome { accounts: status.ledger.give_up(), ..status.outcome() };
    let outcomes: Vec<_> = board.statuses().iter().map(given_up).collect();
    write_summary(args, &outcomes);
    std::process::exit(EXIT_FAILED.into());
}

fn write_summary(args: &RunArgs, outcomes: &[Outcome]) {
    let text = match args.summary {
        SummaryFormat::Json => format!("{}\n", summary::json(outcomes)),
        SummaryFormat::Table if args.quiet => return,
        SummaryFormat::Table => summary::table(outcomes),
    };
    // With standard error gone there is nobody left to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
