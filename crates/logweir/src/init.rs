//! `logweir init`

mod ask;
mod plan;
mod yaml;

use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use logweir_pipeline::{ConfigFile, load_texts};

use self::plan::Plan;
use crate::EXIT_FAILED;
use crate::args::InitArgs;
use crate::print::print;
use crate::shown::quoted;

/// Writes a commented pipeline file, as the flags or the answers to a few questions want it.
pub(crate) fn init(args: &InitArgs) -> ExitCode {
    make(args).unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "{error:#}");
        ExitCode::from(EXIT_FAILED)
    })
}

fn make(args: &InitArgs) -> anyhow::Result<ExitCode> {
    let is_printed = args.file == Path::new("-");
    // Before anything is asked: it would be asked in vain.
    if !is_printed && !args.force && args.file.symlink_metadata().is_ok() {
        return Err(is_there(&args.file));
    }
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    let plan = if can_ask && !args.yes && Plan::is_unsaid(args) { ask::ask()? } else { Plan::of(args)? };
    let text = yaml::yaml(&plan);
    check(&args.file, &text)?;
    if is_printed {
        return Ok(print(text.trim_end()));
    }
    write(&args.file, &text, args.force)?;
    Ok(print(&next_steps(&args.file, &plan)))
}

/// Checks what is to be written: an answer may be a pattern that cannot be one, or have the file read what it writes.
fn check(path: &Path, text: &str) -> anyhow::Result<()> {
    // The variables that it names are to be set later; any text that can be an account, a key or a token will do.
    let any = |_: &str| Some(String::from("0123456789abcdef0123456789abcdef"));
    let checked = ConfigFile::read(path, text.as_bytes()).and_then(|file| load_texts(vec![file], &any));
    checked.map(drop).map_err(|problems| {
        anyhow::anyhow!("nothing was written, since what was asked for cannot be run:\n\n{problems}")
    })
}

/// Writes the file whole or not at all.
fn write(path: &Path, text: &str, may_replace: bool) -> anyhow::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let there = path.symlink_metadata().ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        bail!("{} is no regular file, and nothing was written: name another one", path.display());
    }
    // Those of the file that is written over, else what any new file has, less what the user's mask takes.
    let new = || std::fs::Permissions::from_mode(0o666);
    let permissions = there.map_or_else(new, |there| there.permissions());
    let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(dir).with_context(|| {
        format!("{} cannot be written: no file can be made in {}", path.display(), dir.display())
    })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all());
    written.with_context(|| format!("{} cannot be written", path.display()))?;
    if may_replace {
        file.persist(path).with_context(|| format!("{} cannot be written over", path.display()))?;
        return Ok(());
    }
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(path)),
        Err(error) => bail!("{} cannot be written: {}", path.display(), error.error),
    }
}

fn is_there(path: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "{} is there already, and nothing was written: name another file, or write over it with `--force`",
        path.display()
    )
}

/// Returns what to do with the file.
fn next_steps(path: &Path, plan: &Plan) -> String {
    let shown = quoted(&path.display().to_string());
    let mut lines = vec![format!("{} is written; look through it, and then:", path.display())];
    lines.extend(plan.variables().iter().map(|variable| format!("  export {variable}=…")));
    lines.push(format!("  logweir check {shown}"));
    lines.push(format!("  logweir test {shown}"));
    lines.push(format!("  logweir run {shown}"));
    if plan.admin {
        lines.push(format!("  logweir top {shown}"));
    }
    lines.join("\n")
}
