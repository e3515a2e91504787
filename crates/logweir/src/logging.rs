//! Logs on standard error, beside a progress bar.

use std::env;
use std::io::{self, IsTerminal as _, Write};

use indicatif::ProgressBar;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::FilterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::args::LogFormat;

/// Starts logging: `info` and above unless `RUST_LOG` says otherwise; with `quiet` nothing below `warn`.
pub(crate) fn start(format: LogFormat, quiet: bool, bar: &ProgressBar) {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let filter = filter.and(if quiet { LevelFilter::WARN } else { LevelFilter::TRACE });
    let bar = bar.clone();
    let writer = move || BesideBar(bar.clone());
    let layer = match format {
        LogFormat::Text => {
            let layer = fmt::layer().with_writer(writer).with_target(false).with_ansi(wants_colors());
            layer.with_filter(filter).boxed()
        }
        LogFormat::Json => {
            fmt::layer().with_writer(writer).json().flatten_event(true).with_filter(filter).boxed()
        }
    };
    tracing_subscriber::registry().with(layer).init();
}

/// Returns whether escape codes go to a person: not to a file, and not where `NO_COLOR` asks for none.
fn wants_colors() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes to standard error while the progress bar is out of the way.
struct BesideBar(ProgressBar);

impl Write for BesideBar {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
