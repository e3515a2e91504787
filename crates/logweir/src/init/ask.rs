//! The questions: what each means, and what is taken if nothing is said.

use std::io::{ErrorKind, Write as _};
use std::process;
use std::thread;

use anyhow::Context as _;
use dialoguer::{Confirm, Input, Select};

use tokio::runtime::Builder;
use tokio::signal;

use super::plan::{DEFAULT_INPUT, Plan, check_output, default_output};
use crate::args::{From, To};

/// What a shell gives of a program that SIGINT ended.
const EXIT_INTERRUPTED: i32 = 130;

/// Shows the cursor, which is hidden where one of several things is to be chosen.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h\n";

/// Asks what the pipeline is to do. SIGINT, as by Ctrl-C, ends the process from here on.
///
/// # Errors
///
/// If the terminal fails or the user ends it.
pub(super) fn ask() -> anyhow::Result<Plan> {
    give_the_terminal_back_on_interrupt()?;
    let sources = [
        (From::Follow, "files that grow and are rotated, for ever"),
        (From::Once, "files as they are, to their end"),
        (From::Stdin, "standard input, as in a pipe"),
    ];
    let from = choose("Where do events come from?", &sources)?;
    let inputs = match from {
        From::Stdin => Vec::new(),
        From::Follow | From::Once => vec![text("Which files? A path or a glob", DEFAULT_INPUT, |_| Ok(()))?],
    };
    let sinks = [
        (To::File, "files"),
        (To::Stdout, "standard output"),
        (To::S3, "a bucket of Amazon S3, or of what speaks like it"),
        (To::R2, "a bucket of Cloudflare R2"),
        (To::Http, "an HTTP endpoint"),
    ];
    let to = choose("Where do they go?", &sinks)?;
    let output = match to {
        To::Stdout => String::new(),
        To::File => text("Which file? {DATE} and {HOUR} stand for the time", default_output(to), of(to))?,
        To::S3 | To::R2 => {
            text("Which bucket, and what before the names in it?", default_output(to), of(to))?
        }
        To::Http => text("Which URL?", default_output(to), of(to))?,
    };
    let sample = ask_sample()?;
    let keep_errors = confirm(if sample.is_some() {
        "Keep all events whose Worker failed or answered 5xx, whatever the share?"
    } else {
        "Keep only events whose Worker failed or answered 5xx?"
    })?;
    let cut = "Cut logs and exceptions of an event to how many characters together? 0 cuts nothing";
    let truncate: u64 = text(cut, "16384", is_whole)?.parse().unwrap_or_default();
    let admin = confirm("Serve metrics and health on 127.0.0.1:9598, where `logweir top` looks?")?;
    let truncate = (truncate > 0).then_some(truncate);
    Ok(Plan { from, inputs, to, output, keep_errors, sample, truncate, admin })
}

/// Has the terminal as it was, should SIGINT end the process: by itself it would be left without a cursor.
fn give_the_terminal_back_on_interrupt() -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build().context("the terminal cannot be used")?;
    let mut interrupt = {
        let _entered = runtime.enter();
        signal::unix::signal(signal::unix::SignalKind::interrupt()).context("the terminal cannot be used")?
    };
    thread::spawn(move || {
        runtime.block_on(interrupt.recv());
        interrupted();
    });
    Ok(())
}

/// Ends the process with the cursor shown.
fn interrupted() -> ! {
    let _ = std::io::stderr().write_all(SHOW_CURSOR);
    process::exit(EXIT_INTERRUPTED);
}

/// Returns an answer. Whoever asks raises SIGINT for himself, and comes back maybe before it is heard.
fn answered<T>(answer: dialoguer::Result<T>) -> anyhow::Result<T> {
    match answer {
        Err(dialoguer::Error::IO(error)) if error.kind() == ErrorKind::Interrupted => interrupted(),
        answer => answer.context("the question was not answered, and nothing was written"),
    }
}

/// Asks for the share to keep; all is no sampling.
fn ask_sample() -> anyhow::Result<Option<f64>> {
    let is_share = |text: &str| match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1.0 => Ok(()),
        _ => Err("a share above 0 and at most 1, as 0.1 for a tenth".to_owned()),
    };
    let rate = text("Which share of the events is kept? 1 keeps all, 0.1 a tenth", "1", is_share)?;
    Ok(rate.parse().ok().filter(|rate| *rate < 1.0))
}

fn choose<T: Copy>(question: &str, choices: &[(T, &str)]) -> anyhow::Result<T> {
    let items: Vec<_> = choices.iter().map(|(_, text)| *text).collect();
    let chosen = Select::new().with_prompt(question).items(&items).default(0).interact();
    Ok(choices[answered(chosen)?].0)
}

fn text(question: &str, default: &str, check: impl Fn(&str) -> Result<(), String>) -> anyhow::Result<String> {
    let input = Input::new().with_prompt(question).default(default.to_owned());
    answered(input.validate_with(|text: &String| check(text)).interact_text())
}

fn confirm(question: &str) -> anyhow::Result<bool> {
    answered(Confirm::new().with_prompt(question).default(false).interact())
}

/// Returns what checks the output of a sink.
fn of(to: To) -> impl Fn(&str) -> Result<(), String> {
    move |output| check_output(to, output).map_err(|error| error.to_string())
}

fn is_whole(text: &str) -> Result<(), String> {
    text.parse::<u64>().map(|_| ()).map_err(|_| "a whole number".to_owned())
}
