//! Scrapes again and again, beside whoever shows what comes of it.

use std::sync::mpsc::Receiver;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exposition::Scrape;
use super::watch::Watch;
use crate::client::{self, Endpoint};

/// How many pieces of news wait at most for somebody who does not look.
const MAX_WAITING: usize = 4;

/// What has happened.
pub(super) enum News {
    /// A scrape, when it came, and that time in seconds of Unix.
    Scraped(Scrape, Instant, f64),
    /// A scrape that failed, and why.
    Failed(String, Instant),
    /// A signal asks to end.
    Stop,
}

/// A thread that scrapes; it ends when this is dropped.
pub(super) struct Scraper {
    stop: CancellationToken,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Scraper {
    /// Starts to scrape, at once and then every `interval`.
    ///
    /// # Errors
    ///
    /// If the thread cannot be started.
    pub(super) fn start(endpoint: Endpoint, interval: Duration) -> anyhow::Result<(Self, Receiver<News>)> {
        let (sender, receiver) = sync_channel(MAX_WAITING);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let work = move || {
            client::runtime()?.block_on(async {
                tokio::select! {
                    // Both are cancel safe: nothing is kept beyond them.
                    () = stopped.cancelled() => Ok(()),
                    scraped = scrape_and_watch(&endpoint, interval, &sender) => scraped,
                }
            })
        };
        let thread = thread::Builder::new().name("scraper".to_owned()).spawn(work);
        let thread = thread.context("the thread that scrapes cannot be started")?;
        Ok((Self { stop, thread: Some(thread) }, receiver))
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // What it says at its end is of no use any more.
            let _ = thread.join();
        }
    }
}

/// Scrapes, and passes on the signals that would end the process with the terminal as it is.
async fn scrape_and_watch(
    endpoint: &Endpoint,
    interval: Duration,
    sender: &SyncSender<News>,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be watched")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be watched")?;
    let mut hangup = signal(SignalKind::hangup()).context("signals cannot be watched")?;
    tokio::select! {
        // All are cancel safe: receiving a signal is, and a scrape that is broken off is of no use.
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
        () = scrape_forever(endpoint, interval, sender) => {}
    }
    let _gone = sender.send(News::Stop);
    Ok(())
}

/// Scrapes until nobody wants to know any more.
async fn scrape_forever(endpoint: &Endpoint, interval: Duration, sender: &SyncSender<News>) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // With nobody looking what waits is enough: the next one is better than this one would be.
        if let Err(std::sync::mpsc::TrySendError::Disconnected(_)) = sender.try_send(scrape(endpoint).await) {
            return;
        }
    }
}

/// Scrapes once.
pub(super) async fn scrape(endpoint: &Endpoint) -> News {
    let scraped = endpoint.metrics().await.and_then(|text| {
        Scrape::parse(&text).with_context(|| format!("what {endpoint} answers cannot be read"))
    });
    match scraped {
        Ok(scrape) => News::Scraped(scrape, Instant::now(), unix_now()),
        Err(error) => News::Failed(format!("{error:#}"), Instant::now()),
    }
}

/// Enters a piece of news.
pub(super) fn take(watch: &mut Watch, news: News) {
    match news {
        News::Scraped(scrape, at, unix_now) => watch.scraped(scrape, at, unix_now),
        News::Failed(why, at) => watch.failed(why, at),
        News::Stop => {}
    }
}

fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
