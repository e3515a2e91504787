//! `logweir checkpoint`

mod lookup;
mod show;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Error;
use logweir_pipeline::{Reset, list_checkpoints, reset_checkpoint};

use self::lookup::Lookup;
use crate::EXIT_FAILED;
use crate::args::{CheckpointCommand, CheckpointListArgs, CheckpointResetArgs};
use crate::print::print;

/// Shows checkpoints or moves one aside.
pub(crate) fn checkpoint(command: &CheckpointCommand) -> ExitCode {
    let done = match command {
        CheckpointCommand::List(args) => list(args),
        CheckpointCommand::Reset(args) => reset(args),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "{error:#}");
        ExitCode::from(EXIT_FAILED)
    })
}

fn list(args: &CheckpointListArgs) -> Result<ExitCode, Error> {
    let listed = list_checkpoints(args.dir.path())?;
    let mut lookup = Lookup::default();
    let text = if args.json {
        show::json(&listed, &mut lookup)
    } else if listed.is_empty() {
        format!("there are no checkpoints in {}", args.dir.path().display())
    } else {
        show::tables(&listed, &mut lookup)
    };
    let printed = print(&text);
    let all_good = listed.iter().all(|listed| listed.checkpoint.is_ok());
    Ok(if all_good { printed } else { ExitCode::from(EXIT_FAILED) })
}

fn reset(args: &CheckpointResetArgs) -> Result<ExitCode, Error> {
    let Reset { checkpoint, spool } = reset_checkpoint(&args.dir, &args.name)?;
    let CheckpointResetArgs { name, .. } = args;
    let checkpoint = checkpoint.display();
    let spool = spool.map(|spool| {
        format!(
            "\nwhat it had spooled and not yet uploaded is read again too; it is kept as {}",
            spool.display()
        )
    });
    Ok(print(&format!(
        "{name}: its next start reads everything again from the beginning\nthe checkpoint it had is kept as {checkpoint}{}",
        spool.unwrap_or_default()
    )))
}
