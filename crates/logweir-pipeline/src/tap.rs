//! Watching the events of a running pipeline, without holding it up.
//!
//! A lane has a [`Point`] behind decode, behind each stage and before each encoder. Who watches one gets copies of events
//! through a bounded channel, and what does not fit there is only counted. All else that showing takes, hiding fields
//! above all, is done by who watches.

mod point;
mod show;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use logweir_stages::{EncodeConfig, Redaction};
use serde_json::json;
use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

pub(crate) use self::point::Point;
use self::point::{Portion, Wanted, Watching, Which};
use self::show::Show;
use crate::board::Board;
use crate::config::{OutputConfig, PipelineConfig, StageConfig, TapConfig};

/// The most that watch at once in a process: each costs lanes some copying.
const MAX_TAPS: usize = 8;

/// How often a watcher is told what it is not shown, if that has changed.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How often he is told something although nothing changes: so that one who is gone without a word is found out.
const TELL_ANYWAY: Duration = Duration::from_secs(15);

/// What somebody wants to watch.
#[derive(Clone, PartialEq, Debug)]
pub struct TapRequest {
    /// The pipeline; may be left out where there is only one.
    pub pipeline: Option<String>,
    /// The place behind which events are watched: `decode`, `stages[0]`, `encode`, `outputs.NAME.stages[0]`,
    /// `outputs.NAME.encode`; or `filter`, `sample`, `truncate`, `outputs.NAME.filter`, where there is one such stage.
    pub after: String,
    /// Whether the events are watched that went there instead of those that went on.
    pub dropped: bool,
    /// The share of events to be shown, in (0, 1].
    pub rate: f64,
    /// How many events are shown before it ends; by default it goes on.
    pub limit: Option<u64>,
}

/// Why nothing can be watched.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TapError {
    /// There is no such pipeline, or several and none is named.
    #[error("{}", no_pipeline(asked.as_deref(), known))]
    NoPipeline {
        /// The name that was asked for.
        asked: Option<String>,
        /// The pipelines there are.
        known: Vec<String>,
    },
    /// The pipeline has no such place.
    #[error("pipeline `{pipeline}` has no one place `{asked}`: it has {}", known.join(", "))]
    NoPlace {
        /// The pipeline.
        pipeline: String,
        /// The place that was asked for.
        asked: String,
        /// The places there are.
        known: Vec<String>,
    },
    /// Nothing goes at this place.
    #[error(
        "nothing is dropped at `{0}`: ask for a `filter`, a `sample`, or `decode`, which drops malformed lines"
    )]
    NothingDropped(String),
    /// As many watch already as may.
    #[error("{MAX_TAPS} others watch already, and that is the most: end one of them")]
    TooMany,
}

fn no_pipeline(asked: Option<&str>, known: &[String]) -> String {
    let known = known.join(", ");
    match asked {
        _ if known.is_empty() => String::from("no pipeline runs at the moment: try again once one does"),
        Some(asked) => format!("no pipeline `{asked}` runs here; there are {known}"),
        None => format!("several pipelines run here: name one of {known}"),
    }
}

/// The places of one generation of a pipeline, as the metrics endpoint finds them: they are gone with its lanes.
pub(crate) struct Points {
    points: Vec<Weak<Point>>,
    /// What each output writes of an event, with the name of its place.
    encodes: Vec<(String, EncodeConfig)>,
}

/// The places of a pipeline, as its lanes share them.
pub(crate) struct LanePoints {
    pub(crate) decode: Arc<Point>,
    pub(crate) stages: Vec<Arc<Point>>,
    /// Of each output those behind its stages, and that of its encoder.
    pub(crate) outputs: Vec<(Vec<Arc<Point>>, Arc<Point>)>,
}

impl LanePoints {
    pub(crate) fn new(config: &PipelineConfig) -> Self {
        let point = |place: String, verb| Arc::new(Point::new(place, verb));
        let stages = |prefix: &str, stages: &[StageConfig]| {
            let places = stages.iter().enumerate();
            places.map(|(i, stage)| point(format!("{prefix}stages[{i}]"), verb(stage))).collect::<Vec<_>>()
        };
        let output = |output: &OutputConfig| {
            let prefix = prefix(output);
            (stages(&prefix, &output.stages), point(format!("{prefix}encode"), "encode"))
        };
        Self {
            decode: point(String::from("decode"), "decode"),
            stages: stages("", &config.stages),
            outputs: config.outputs.iter().map(output).collect(),
        }
    }

    /// Returns the places as others find them.
    pub(crate) fn points(&self, config: &PipelineConfig) -> Points {
        let outputs = self.outputs.iter().flat_map(|(stages, encode)| stages.iter().chain([encode]));
        let points = [&self.decode].into_iter().chain(&self.stages).chain(outputs);
        let encodes = config.outputs.iter();
        Points {
            points: points.map(Arc::downgrade).collect(),
            encodes: encodes
                .map(|output| (format!("{}encode", prefix(output)), output.encode.clone()))
                .collect(),
        }
    }
}

/// Returns what the names of an output's places begin with.
fn prefix(output: &OutputConfig) -> String {
    output.name.as_ref().map(|name| format!("outputs.{name}.")).unwrap_or_default()
}

fn verb(stage: &StageConfig) -> &'static str {
    match stage {
        StageConfig::Filter(_) => "filter",
        StageConfig::Sample(_) => "sample",
        StageConfig::Truncate(_) => "truncate",
    }
}

impl Points {
    /// Returns the place of a name, or the only one where this is done.
    fn find(&self, name: &str) -> Option<Arc<Point>> {
        let points = || self.points.iter().filter_map(Weak::upgrade);
        if let Some(point) = points().find(|point| point.place == name) {
            return Some(point);
        }
        let mut alike = points().filter(|point| point.is_called(name));
        let first = alike.next();
        if alike.next().is_some() { None } else { first }
    }

    /// Returns the names of all places, of stages with what they do.
    fn names(&self) -> Vec<String> {
        let shown = |point: Arc<Point>| {
            let is_stage = point.place.ends_with(']');
            if is_stage { format!("{} ({})", point.place, point.verb) } else { point.place.clone() }
        };
        self.points.iter().filter_map(Weak::upgrade).map(shown).collect()
    }

    /// Returns whether any lane still uses them.
    fn are_there(&self) -> bool {
        self.points.iter().any(|point| point.strong_count() > 0)
    }

    /// Returns what shows the events of a place.
    fn show(&self, point: &Point, which: Which, tap: &TapConfig) -> Show {
        let lookups = self.encodes.iter().any(|(_, encode)| encode.redact_cve_2021_44228);
        let redaction = Redaction { fields: tap.redact.clone(), lookups };
        if point.verb == "decode" && which == Which::Dropped {
            return Show::lines(redaction);
        }
        let encode = self.encodes.iter().find(|(place, _)| *place == point.place);
        Show::events(redaction, encode.map(|(_, encode)| encode))
    }
}

/// What has been watched in this process.
#[derive(Default)]
pub(crate) struct TapStats {
    /// How many watch now.
    pub(crate) open: AtomicUsize,
    /// Events shown to anybody.
    pub(crate) shown: AtomicU64,
    /// Events that were to be shown and were not.
    pub(crate) withheld: AtomicU64,
}

/// One of those who watch; it is no longer one once dropped.
struct Seat(Arc<TapStats>);

impl Seat {
    fn take(stats: &Arc<TapStats>) -> Result<Self, TapError> {
        let more = |n: usize| (n < MAX_TAPS).then_some(n + 1);
        stats
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .map(|_| Self(stats.clone()))
            .map_err(|_| TapError::TooMany)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Events as they pass, for one who watches.
///
/// Frames are lines of JSON: `{"event":…}` with an event byte for byte save what is hidden; `{"text":"…"}` for what is no
/// event by itself, like csv or a malformed line; `{"passed":N,"shown":N,"withheld":N}`, the totals so far, at most every
/// second and at the end; last `{"end":"…"}` with the reason.
pub struct Tap {
    watching: Watching,
    /// `None` while it is at work.
    show: Option<Show>,
    limit: Option<u64>,
    seat: Seat,
    /// Events shown, and events withheld because they may not be seen.
    n_shown: u64,
    n_hidden: u64,
    /// What was told last, and when; and when it may be told again.
    told: [u64; 3],
    told_at: Instant,
    tell_at: Instant,
    /// What is still to be handed out when nothing more comes.
    last_frames: Option<VecDeque<String>>,
}

impl Board {
    /// Begins to watch a pipeline.
    ///
    /// # Errors
    ///
    /// If there is no such pipeline or place, or too many watch already.
    pub fn tap(&self, request: &TapRequest, config: &TapConfig) -> Result<Tap, TapError> {
        let running: Vec<_> = self
            .statuses()
            .into_iter()
            .filter_map(|status| Some((status.name.clone(), status.live()?)))
            .filter(|(_, live)| live.points.are_there())
            .collect();
        let known = || running.iter().map(|(name, _)| name.clone()).collect();
        let asked = request.pipeline.as_ref();
        let found = running.iter().find(|(name, _)| asked.is_none_or(|asked| name == asked));
        let found = found.filter(|_| asked.is_some() || running.len() == 1);
        let (pipeline, live) =
            found.ok_or_else(|| TapError::NoPipeline { asked: asked.cloned(), known: known() })?;
        let point = live.points.find(&request.after).ok_or_else(|| TapError::NoPlace {
            pipeline: pipeline.clone(),
            asked: request.after.clone(),
            known: live.points.names(),
        })?;
        if request.dropped && matches!(point.verb, "truncate" | "encode") {
            return Err(TapError::NothingDropped(point.place.clone()));
        }
        let seat = Seat::take(&self.taps)?;
        let which = if request.dropped { Which::Dropped } else { Which::Kept };
        let wanted =
            Wanted { which, rate: request.rate, max_events_per_second: config.max_events_per_second };
        Ok(Tap {
            watching: point.watch(wanted),
            show: Some(live.points.show(&point, which, config)),
            limit: request.limit,
            seat,
            n_shown: 0,
            n_hidden: 0,
            told: [0; 3],
            told_at: Instant::now(),
            tell_at: Instant::now() + TELL_EVERY,
            last_frames: None,
        })
    }
}

impl Tap {
    /// Returns the next frames, whole lines; `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what is being made ready is lost, and nothing more may be asked for.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(frames) = &mut self.last_frames {
                return frames.pop_front().map(String::into_bytes);
            }
            tokio::select! {
                // Cancel safe: a portion is taken or stays.
                portion = self.watching.next() => match portion {
                    Some(portion) => {
                        let frames = self.frames(portion).await?;
                        if !frames.is_empty() {
                            return Some(frames);
                        }
                    }
                    None => self.end("the pipeline has ended, or was loaded anew"),
                },
                // Cancel safe: it only waits.
                () = sleep_until(self.tell_at) => {
                    self.tell_at = Instant::now() + TELL_EVERY;
                    if self.totals() != self.told || self.told_at.elapsed() >= TELL_ANYWAY {
                        return Some(self.tell().into_bytes());
                    }
                }
            }
        }
    }

    /// Returns the frames of a portion, made where they keep nobody from his work; `None` if that failed.
    async fn frames(&mut self, mut portion: Portion) -> Option<Vec<u8>> {
        let left = self.limit.map(|limit| limit - self.n_shown);
        portion.ends.truncate(left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX));
        let n_events = portion.ends.len() as u64;
        let mut show = self.show.take()?;
        let made = spawn_blocking(move || {
            let (frames, n_hidden) = show.frames(&portion);
            (show, frames, n_hidden)
        });
        let (show, frames, n_hidden) = made.await.ok()?;
        self.show = Some(show);
        self.n_shown += n_events - n_hidden;
        self.n_hidden += n_hidden;
        self.seat.0.shown.fetch_add(n_events - n_hidden, Ordering::Relaxed);
        if self.limit.is_some_and(|limit| self.n_shown >= limit) {
            self.end("all that was asked for");
        }
        Some(frames)
    }

    /// Returns how many events came by, how many were shown, and how many withheld that were to be shown.
    fn totals(&self) -> [u64; 3] {
        let [passed, withheld] = self.watching.counts();
        [passed, self.n_shown, withheld + self.n_hidden]
    }

    /// Returns the frame with the totals.
    fn tell(&mut self) -> String {
        let [passed, shown, withheld] = self.totals();
        self.seat.0.withheld.fetch_add(withheld.saturating_sub(self.told[2]), Ordering::Relaxed);
        (self.told, self.told_at) = ([passed, shown, withheld], Instant::now());
        format!("{}\n", json!({ "passed": passed, "shown": shown, "withheld": withheld }))
    }

    /// Has the totals and the reason be the last frames.
    fn end(&mut self, why: &str) {
        let totals = self.tell();
        self.last_frames = Some(VecDeque::from([totals, format!("{}\n", json!({ "end": why }))]));
    }
}
