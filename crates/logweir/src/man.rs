//! `logweir man`

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::EXIT_FAILED;
use crate::args::{Args, ManArgs};
use crate::print::print;

/// Prints the page of logweir itself, or writes one for each command.
pub(crate) fn man(args: &ManArgs) -> ExitCode {
    let done = match &args.dir {
        None => page(&root()).map(|page| print(page.trim_end())).context("the page cannot be made"),
        Some(dir) => write_all(dir),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "{error:#}");
        ExitCode::from(EXIT_FAILED)
    })
}

/// Returns our command, with what it hands down to its commands. The command `help` is left out: it is what the pages are.
fn root() -> Command {
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    command
}

fn write_all(dir: &Path) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let (mut todo, mut n_pages) = (vec![root()], 0);
    while let Some(command) = todo.pop() {
        let path = dir.join(format!("{}.1", file_name(&command)));
        let page = page(&command).context("the page cannot be made")?;
        fs::write(&path, page).with_context(|| format!("{} cannot be written", path.display()))?;
        n_pages += 1;
        todo.extend(command.get_subcommands().cloned());
    }
    Ok(print(&format!("{n_pages} pages are in {}", dir.display())))
}

/// Returns a command's name as manual pages have it, like `logweir-job-check`.
fn file_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// Returns the page of a command.
fn page(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone()).manual("logweir");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if let Some(examples) = command.get_after_long_help() {
        page.push_str(&examples_section(&examples.to_string()));
    }
    Ok(in_ascii(&page))
}

/// Returns a page with escapes for what is not ASCII: not every formatter reads UTF-8 without being told.
fn in_ascii(page: &str) -> String {
    let mut ascii = String::with_capacity(page.len());
    for character in page.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            let _ = write!(ascii, "\\[u{:04X}]", u32::from(character));
        }
    }
    ascii
}

/// Returns examples as a section that keeps their lines as they are, which the library would fill like a paragraph.
fn examples_section(text: &str) -> String {
    let mut section = String::from(".SH EXAMPLES\n.nf\n");
    for line in text.lines().skip_while(|line| *line == "Examples:") {
        // Not to be taken for a request, an escape, or a hyphen that cannot be copied.
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        let _ = writeln!(section, "{guard}{line}");
    }
    section.push_str(".fi\n");
    section
}
