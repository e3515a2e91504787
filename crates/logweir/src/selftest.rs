//! `logweir selftest`
//!
//! A pipeline that follows logs is killed again and again while the logs are written and rotated. What is written is
//! known event by event, and so is what must come out: each event at least once, and where batches are uploaded exactly
//! once. The parts: the [`writer`] writes [`log`]s and keeps an
//! [`inventory`]; the [`victim`] is killed; the [`judge`] reads what was delivered; a [`trial`] brings them together.

mod duration;
mod event;
mod inventory;
mod judge;
mod log;
mod objects;
mod place;
mod report;
mod seen;
mod trial;
mod victim;
mod writer;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget};
use tempfile::TempDir;
use tokio::runtime::Builder;

pub(crate) use self::duration::parse_duration;
use self::place::{Delivery, Place};
use self::report::Report;
use self::trial::{Plan, Trial};
use crate::EXIT_FAILED;
use crate::args::SelftestArgs;
use crate::print::print;

/// How long there are kills, unless something else is asked for.
const KILL_FOR: Duration = Duration::from_secs(60);
/// How long nothing may be delivered at the end before what is missing counts as lost: longer than any part of logweir
/// waits for anything.
const DRAIN_PATIENCE: Duration = Duration::from_secs(30);

/// Runs the test and prints what it came to.
pub(crate) fn selftest(args: &SelftestArgs) -> ExitCode {
    debug_assert!(args.crash, "the command line asks for it");
    match run(args) {
        Ok(report) => {
            let printed = print(&if args.json { report.json() } else { report.table() });
            if report.has_passed() { printed } else { ExitCode::from(EXIT_FAILED) }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn run(args: &SelftestArgs) -> anyhow::Result<Report> {
    let kill_for = args.kill_for.or(args.kills.is_none().then_some(KILL_FOR));
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let program = std::env::current_exe().context("the program that runs is not found")?;
    let dir = fresh_dir(args)?;
    let plan = Plan { program, seed, kill_for, n_kills: args.kills, drain_patience: DRAIN_PATIENCE };
    let delivery = if args.upload { Delivery::Upload } else { Delivery::File };
    let tried = Place::furnish(dir.path(), delivery).and_then(|place| try_it(plan, place));
    match tried {
        Ok(report) if report.has_passed() => Ok(report),
        Ok(report) => Ok(Report { kept_in: Some(dir.keep()), ..report }),
        Err(error) => {
            let kept = dir.keep();
            Err(error.context(format!(
                "the selftest with seed {seed} failed; everything is kept in {}",
                kept.display()
            )))
        }
    }
}

fn try_it(plan: Plan, place: Place) -> anyhow::Result<Report> {
    let bar = ProgressBar::new_spinner();
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let runtime =
        Builder::new_current_thread().enable_all().build().context("the runtime cannot be started")?;
    let report = runtime.block_on(async { Trial::new(plan, place, bar.clone())?.run().await });
    bar.finish_and_clear();
    report
}

/// Makes a directory that goes when it is dropped.
fn fresh_dir(args: &SelftestArgs) -> anyhow::Result<TempDir> {
    let below = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let made = tempfile::Builder::new().prefix("logweir-selftest-").tempdir_in(&below);
    made.with_context(|| format!("cannot make a directory in {}", below.display()))
}
