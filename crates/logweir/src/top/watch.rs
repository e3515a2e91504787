//! What has been seen so far, apart from how it is drawn.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::exposition::Scrape;
use super::view::{Pair, View};

/// How many rates are kept for the curve: as many as a very wide terminal has columns.
const MAX_HISTORY: usize = 400;

/// What has been seen of a process, and what of it somebody looks at.
pub(crate) struct Watch {
    /// Whom it is about.
    pub(crate) endpoint: String,
    /// The last scrape and when it came.
    last: Option<(Scrape, Instant)>,
    /// What the last two scrapes said.
    pub(crate) view: View,
    /// Since when no scrape has succeeded, and why.
    pub(crate) lost: Option<(Instant, String)>,
    /// When the process was seen to have been started again.
    pub(crate) restarted: Option<Instant>,
    /// Of each pipeline the events read a second, the latest last.
    history: BTreeMap<String, VecDeque<u64>>,
    /// The pipeline that is looked at, as an index into those of the view.
    pub(crate) selected: usize,
    /// How many lines of its details are above the screen.
    pub(crate) scrolled: usize,
    /// Whether the keys are explained.
    pub(crate) shows_help: bool,
}

/// What somebody wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wish {
    Previous,
    Next,
    ScrollUp,
    ScrollDown,
    Help,
}

impl Watch {
    /// Begins, with nothing seen.
    pub(crate) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            last: None,
            view: View::default(),
            lost: None,
            restarted: None,
            history: BTreeMap::new(),
            selected: 0,
            scrolled: 0,
            shows_help: false,
        }
    }

    /// Tells whether anything was ever seen.
    pub(crate) fn has_seen(&self) -> bool {
        self.last.is_some()
    }

    /// Takes a scrape that came at `at`; `unix_now` is that time in seconds.
    pub(crate) fn scraped(&mut self, scrape: Scrape, at: Instant, unix_now: f64) {
        self.lost = None;
        let before = self.last.as_ref().map(|(before, then)| (before, at.saturating_duration_since(*then)));
        let pair = Pair::new(&scrape, before);
        if before.is_some() && !pair.has_rates() {
            self.restarted = Some(at);
        }
        let looked_at = self.view.pipelines.get(self.selected).map(|pipeline| pipeline.name.clone());
        self.view = View::new(&pair, unix_now);
        self.select(looked_at.as_deref());
        for pipeline in &self.view.pipelines {
            let Some(rate) = pipeline.events_read.per_second else { continue };
            let rates = self.history.entry(pipeline.name.clone()).or_default();
            rates.push_back(super::amount::whole(rate));
            if rates.len() > MAX_HISTORY {
                rates.pop_front();
            }
        }
        self.last = Some((scrape, at));
    }

    /// Takes the news that a scrape failed at `at`. What was seen stays.
    pub(crate) fn failed(&mut self, why: String, at: Instant) {
        let since = self.lost.as_ref().map_or(at, |(since, _)| *since);
        self.lost = Some((since, why));
    }

    /// Does what somebody wants.
    pub(crate) fn wish(&mut self, wish: Wish) {
        let last = self.view.pipelines.len().saturating_sub(1);
        match wish {
            Wish::Previous => self.look_at(self.selected.saturating_sub(1)),
            Wish::Next => self.look_at((self.selected + 1).min(last)),
            Wish::ScrollUp => self.scrolled = self.scrolled.saturating_sub(1),
            // Drawing takes back what is too much.
            Wish::ScrollDown => self.scrolled += 1,
            Wish::Help => self.shows_help = !self.shows_help,
        }
    }

    /// Returns the last `n` rates of the pipeline that is looked at, the latest last.
    pub(crate) fn rates(&self, n: usize) -> Vec<u64> {
        let pipeline = self.view.pipelines.get(self.selected);
        let rates = pipeline.and_then(|pipeline| self.history.get(&pipeline.name));
        rates
            .map(|rates| rates.iter().skip(rates.len().saturating_sub(n)).copied().collect())
            .unwrap_or_default()
    }

    /// Returns what is to be said about the connection, if anything is.
    pub(crate) fn notice(&self, now: Instant) -> Option<String> {
        let ago = |then: Instant| {
            super::amount::time(Duration::from_secs(now.saturating_duration_since(then).as_secs()))
        };
        if let Some((since, why)) = &self.lost {
            return Some(if self.has_seen() {
                format!(
                    "lost connection {} ago, trying again; the numbers are the last ones: {why}",
                    ago(*since)
                )
            } else {
                format!("no connection for {}, trying again: {why}", ago(*since))
            });
        }
        self.restarted
            .map(|then| format!("the process was started again {} ago: totals begin there", ago(then)))
    }

    fn look_at(&mut self, index: usize) {
        if index != self.selected {
            (self.selected, self.scrolled) = (index, 0);
        }
    }

    /// Goes on looking at the pipeline of that name, wherever it is now.
    fn select(&mut self, name: Option<&str>) {
        let found = self.view.pipelines.iter().position(|pipeline| Some(pipeline.name.as_str()) == name);
        self.selected = found.unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scrape of one pipeline that has read so many events.
    fn scrape(name: &str, n_read: u64) -> Scrape {
        let text = format!(
            "logweir_build_info{{version=\"1\"}} 1\n\
             logweir_events_read_total{{pipeline=\"{name}\"}} {n_read}\n\
             logweir_events_written_total{{pipeline=\"{name}\"}} {n_read}\n"
        );
        Scrape::parse(&text).expect("it is in the format")
    }

    /// A watch that is told of a scrape each second.
    fn watched(scrapes: impl IntoIterator<Item = Scrape>) -> (Watch, Instant) {
        let (mut watch, mut now) = (Watch::new("here".to_owned()), Instant::now());
        for scrape in scrapes {
            now += Duration::from_secs(1);
            watch.scraped(scrape, now, 0.0);
        }
        (watch, now)
    }

    #[test]
    fn rates_are_those_between_the_last_two_scrapes() {
        let (watch, now) = watched([scrape("a", 100)]);
        assert_eq!(watch.view.pipelines[0].events_read.per_second, None);
        assert_eq!(watch.notice(now), None);
        let (watch, _) = watched([100, 150, 175].map(|n| scrape("a", n)));
        assert_eq!(watch.view.pipelines[0].events_read.per_second, Some(25.0));
        assert_eq!(watch.view.pipelines[0].events_written().per_second, Some(25.0));
        assert_eq!((watch.rates(10), watch.rates(1)), (vec![50, 25], vec![25]));
    }

    #[test]
    fn a_counter_that_goes_back_is_a_new_process_and_no_negative_rate() {
        let (mut watch, now) = watched([100, 150, 20].map(|n| scrape("a", n)));
        assert_eq!(watch.view.pipelines[0].events_read.per_second, None);
        let notice = watch.notice(now).expect("something is to be said");
        assert!(notice.starts_with("the process was started again 0.0 s ago"), "{notice}");
        watch.scraped(scrape("a", 30), now + Duration::from_secs(2), 0.0);
        assert_eq!(watch.view.pipelines[0].events_read.per_second, Some(5.0));
        assert_eq!(watch.rates(10), [50, 5]);
    }

    #[test]
    fn what_was_seen_stays_while_nobody_answers_and_is_said_to_be_old() {
        let (mut watch, now) = watched([100, 150].map(|n| scrape("a", n)));
        watch.failed("nobody".to_owned(), now);
        watch.failed("still nobody".to_owned(), now + Duration::from_secs(1));
        let notice = watch.notice(now + Duration::from_secs(12)).expect("something is to be said");
        assert_eq!(
            notice,
            "lost connection 12 s ago, trying again; the numbers are the last ones: still nobody"
        );
        assert_eq!(watch.view.pipelines[0].events_read.per_second, Some(50.0));
        // The rate is that of all the time that has passed since.
        watch.scraped(scrape("a", 350), now + Duration::from_secs(20), 0.0);
        assert_eq!(watch.notice(now), None);
        assert_eq!(watch.view.pipelines[0].events_read.per_second, Some(10.0));
    }

    #[test]
    fn the_pipeline_that_is_looked_at_stays_so_when_others_come_before_it() {
        let (mut watch, now) = watched([scrape("m", 1)]);
        let both = Scrape::parse(
            "logweir_events_read_total{pipeline=\"m\"} 1\nlogweir_events_read_total{pipeline=\"a\"} 1\n",
        );
        watch.scraped(both.expect("it is in the format"), now + Duration::from_secs(1), 0.0);
        assert_eq!(watch.view.pipelines[watch.selected].name, "m");
        for wish in [Wish::Previous, Wish::Previous] {
            watch.wish(wish);
        }
        assert_eq!(watch.view.pipelines[watch.selected].name, "a");
        for wish in [Wish::Next, Wish::Next, Wish::ScrollDown] {
            watch.wish(wish);
        }
        assert_eq!((watch.selected, watch.scrolled), (1, 1));
    }
}
