//! `logweir top`
//!
//! Everything shown is from `/metrics` alone: a thread scrapes, the model makes totals and rates of what comes, and the
//! screen draws them; the two know nothing of each other.

mod amount;
mod draw;
mod exposition;
mod news;
mod screen;
mod text;
mod view;
mod watch;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;

use self::news::{News, Scraper, scrape, take};
use self::watch::Watch;
use crate::args::TopArgs;
use crate::client::{self, Endpoint};
use crate::print::print;
use crate::{EXIT_CONFIGURATION, EXIT_FAILED};

/// Shows what a running process does, until somebody ends it; where there is no terminal, or asked for, once.
pub(crate) fn top(args: &TopArgs) -> ExitCode {
    let endpoint = match Endpoint::find(&args.endpoint) {
        Ok(endpoint) => endpoint,
        Err(error) => return complain(&error, EXIT_CONFIGURATION),
    };
    let shown = if args.once || !screen::is_there() {
        once(&endpoint, args.interval)
    } else {
        show(endpoint, args.interval)
    };
    shown.unwrap_or_else(|error| complain(&error, EXIT_FAILED))
}

fn complain(error: &anyhow::Error, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{error:#}");
    ExitCode::from(code)
}

fn show(endpoint: Endpoint, interval: Duration) -> anyhow::Result<ExitCode> {
    let watch = Watch::new(endpoint.to_string());
    let (_scraper, news) = Scraper::start(endpoint, interval)?;
    screen::show(watch, &news)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what two scrapes say, one interval apart.
fn once(endpoint: &Endpoint, interval: Duration) -> anyhow::Result<ExitCode> {
    let mut watch = Watch::new(endpoint.to_string());
    client::runtime()?.block_on(async {
        enter(&mut watch, scrape(endpoint).await)?;
        tokio::time::sleep(interval).await;
        enter(&mut watch, scrape(endpoint).await)
    })?;
    Ok(print(&printed(&watch, interval)))
}

fn enter(watch: &mut Watch, news: News) -> anyhow::Result<()> {
    if let News::Failed(why, _) = news {
        bail!("{why}");
    }
    take(watch, news);
    Ok(())
}

/// Returns everything as text.
fn printed(watch: &Watch, interval: Duration) -> String {
    let view = &watch.view;
    let mut lines = vec![text::process(view, &watch.endpoint).text];
    if watch.restarted.is_some() {
        lines.push("the process was started again just now: there are no rates yet".to_owned());
    } else {
        lines.push(format!("rates over {}, totals since the start", amount::time(interval)));
    }
    lines.push(String::new());
    lines.extend(text::table(&view.pipelines, None).into_iter().map(|line| line.text));
    for pipeline in &view.pipelines {
        lines.push(String::new());
        lines.extend(text::details(pipeline).into_iter().map(|line| line.text));
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}
