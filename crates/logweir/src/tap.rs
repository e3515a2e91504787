//! `logweir tap`
//!
//! Events go to standard output, a line each, so that they can be piped on; all that is said about them goes to standard
//! error.

use std::io::{self, ErrorKind, IsTerminal as _, StdoutLock, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use hyper::StatusCode;
use serde::Deserialize;
use url::form_urlencoded;

use crate::args::TapArgs;
use crate::client::{self, Answer, Endpoint};
use crate::shown::shown;
use crate::{EXIT_CONFIGURATION, EXIT_FAILED};

/// What asks for a tap, before how.
const PATH: &str = "/tap?";

/// The longest frame that is taken: the largest event there can be a tap of, with every byte escaped.
const MAX_FRAME_BYTES: usize = 16 << 20;

/// Shows the events of a running process as they pass, until they end or somebody has seen enough.
pub(crate) fn tap(args: &TapArgs) -> ExitCode {
    let asked = Endpoint::find(&args.endpoint).and_then(|endpoint| Ok((endpoint, path(args)?)));
    let (watched, code) = match asked {
        Ok((endpoint, path)) => (watch(args, &endpoint, &path), EXIT_FAILED),
        Err(error) => (Err(error), EXIT_CONFIGURATION),
    };
    match watched {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::from(code)
        }
    }
}

fn watch(args: &TapArgs, endpoint: &Endpoint, path: &str) -> anyhow::Result<()> {
    client::runtime()?.block_on(async {
        let answer = endpoint.get(path).await?;
        if answer.status != StatusCode::OK {
            return Err(answer.refusal().await);
        }
        tokio::select! {
            shown = show(answer, &args.after) => shown,
            // Cancel safe, as nothing is waited for after it.
            stopped = tokio::signal::ctrl_c() => stopped.context("signals cannot be watched"),
        }
    })
}

/// Returns what to ask for.
fn path(args: &TapArgs) -> anyhow::Result<String> {
    let after = match &args.output {
        Some(output) => format!("outputs.{output}.{}", args.after),
        None => args.after.clone(),
    };
    let mut query = form_urlencoded::Serializer::for_suffix(String::from(PATH), PATH.len());
    query.append_pair("after", &after).append_pair("rate", &args.rate.to_string());
    if args.dropped {
        query.append_pair("dropped", "true");
    }
    if let Some(limit) = args.limit {
        query.append_pair("limit", &limit.to_string());
    }
    if let Some(pipeline) = pipeline(args)? {
        query.append_pair("pipeline", &pipeline);
    }
    Ok(query.finish())
}

/// Returns the pipeline that is meant: the one named, or the only one of the file.
fn pipeline(args: &TapArgs) -> anyhow::Result<Option<String>> {
    let Some(file) = args.endpoint.file.as_ref().filter(|_| args.pipeline.is_none()) else {
        return Ok(args.pipeline.clone());
    };
    // What is wrong with the file, or not set here, need not be so where it runs: there it is told what can be asked for.
    let Ok(loaded) = logweir_pipeline::load(&[PathBuf::from(file)]) else { return Ok(None) };
    let names: Vec<_> = loaded.pipelines.into_iter().map(|pipeline| pipeline.name).collect();
    match names.as_slice() {
        [only] => Ok(Some(only.clone())),
        _ => {
            bail!("{} has several pipelines: name one by `--pipeline`: {}", file.display(), names.join(", "))
        }
    }
}

/// A frame, in all forms that it has.
#[derive(Deserialize)]
#[serde(untagged)]
enum Frame {
    /// What is no event by itself: csv, a malformed line.
    Text {
        text: String,
    },
    /// The totals so far; those of what passed and what was shown are for others than people.
    Totals {
        withheld: u64,
    },
    End {
        end: String,
    },
}

/// Writes what comes, until nothing more does or nobody reads it.
async fn show(mut answer: Answer, what: &str) -> anyhow::Result<()> {
    let out = io::stdout().lock();
    let mut shown = Shown { is_terminal: out.is_terminal(), out, n_withheld: 0, is_over: false };
    if shown.is_terminal {
        let _ = writeln!(io::stderr(), "watching {what}; Ctrl-C ends it");
    }
    let mut buffer = Vec::new();
    while let Some(bytes) = answer.next().await {
        buffer.extend_from_slice(&bytes?);
        let Some(end) = buffer.iter().rposition(|&byte| byte == b'\n') else {
            if buffer.len() > MAX_FRAME_BYTES {
                bail!("what comes is no tap: a line of it has more than {MAX_FRAME_BYTES} bytes");
            }
            continue;
        };
        let mut frames = buffer[..end].split(|&byte| byte == b'\n');
        let written = frames.try_for_each(|frame| shown.frame(frame));
        let written = written.and_then(|()| Ok(shown.out.flush()?));
        buffer.drain(..=end);
        match written {
            Err(error) if is_closed(&error) => return Ok(()),
            written => written?,
        }
    }
    if !shown.is_over {
        bail!("the process that was watched is gone, or has closed the connection");
    }
    Ok(())
}

fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// What has been shown so far.
struct Shown {
    out: StdoutLock<'static>,
    /// Whether somebody looks: then nothing in an event may command the terminal. Else each byte is as it came.
    is_terminal: bool,
    n_withheld: u64,
    /// Whether the end has been told.
    is_over: bool,
}

impl Shown {
    fn frame(&mut self, frame: &[u8]) -> anyhow::Result<()> {
        if let Some(event) = frame.strip_prefix(b"{\"event\":").and_then(|rest| rest.strip_suffix(b"}")) {
            return self.line(event);
        }
        match serde_json::from_slice(frame).context("what comes is no tap of logweir")? {
            Frame::Text { text } => self.line(text.as_bytes())?,
            Frame::Totals { withheld } if withheld > self.n_withheld => {
                let n_more = withheld - self.n_withheld;
                self.n_withheld = withheld;
                let s = if n_more == 1 { "event was" } else { "events were" };
                // Nobody may be there to read it.
                let _ = writeln!(
                    io::stderr(),
                    "{n_more} {s} not shown: more came than a tap may show (`admin.tap.max_events_per_second`; `--rate` \
                     shows a share of all), they are longer than 1 MiB, or something in them could not be hidden for sure, \
                     as in malformed lines where `redact` is set"
                );
            }
            Frame::Totals { .. } => {}
            Frame::End { end } => {
                self.is_over = true;
                let _ = writeln!(io::stderr(), "{end}");
            }
        }
        Ok(())
    }

    /// Writes an event, or what is none.
    fn line(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let written = if self.is_terminal {
            writeln!(self.out, "{}", shown(&String::from_utf8_lossy(line)))
        } else {
            self.out.write_all(line).and_then(|()| self.out.write_all(b"\n"))
        };
        written.context("cannot write to standard output")
    }
}
