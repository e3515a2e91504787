//! One generation of a pipeline, from its start to its end, as the metrics see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use logweir_event::Condition;
use logweir_sinks::DeadLetterStats;
use logweir_sources::{AckTracker, BufferPool, FollowStats, Progress, Rotation};

use crate::channel::ChannelStats;
use crate::tap::Points;

/// What can be seen of one generation of a pipeline.
pub(crate) struct Live {
    /// How far its source has come.
    pub(crate) progress: Arc<Progress>,
    /// The bytes of its chunks.
    pub(crate) pool: BufferPool,
    /// Its acks.
    pub(crate) tracker: AckTracker,
    /// Its channels.
    pub(crate) channels: Vec<Arc<ChannelStats>>,
    /// Its dead-letter file, where it has one.
    pub(crate) dead_letters: Option<DeadLetterStats>,
    /// What holds its components up, each with the component's name.
    pub(crate) conditions: Vec<(String, Condition)>,
    /// The files that its source follows; set once the source is open.
    pub(crate) follow: OnceLock<FollowStats>,
    /// Where its events can be watched.
    pub(crate) points: Points,
}

/// What the generations of a pipeline have counted, together.
#[derive(Clone, Default)]
pub(crate) struct Counters {
    /// Chunks of which some event was not delivered.
    pub(crate) undelivered: u64,
    /// Microseconds that senders waited, by channel and output.
    pub(crate) waited_micros: BTreeMap<(&'static str, Option<String>), u64>,
    /// Lines and bytes in the dead-letter file; `None` if there never was one.
    pub(crate) dead_letters: Option<[u64; 2]>,
    /// How often each component met each kind of trouble.
    pub(crate) errors: BTreeMap<(String, &'static str), u64>,
    /// Every component that could be held up.
    pub(crate) components: BTreeSet<String>,
    /// What happened to followed files; `None` if none ever were.
    pub(crate) follow: Option<FollowCounters>,
}

/// What happened to followed files.
#[derive(Clone, Copy, Default)]
pub(crate) struct FollowCounters {
    /// In the order of [`Rotation::ALL`].
    pub(crate) rotations: [u64; Rotation::ALL.len()],
    pub(crate) n_reread: u64,
    pub(crate) n_lost: u64,
    pub(crate) n_lost_bytes: u64,
    pub(crate) n_unfinished: u64,
    pub(crate) n_skipped_nuls: u64,
}

impl Live {
    /// Returns what it has counted so far.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = Counters {
            undelivered: self.tracker.undelivered(),
            dead_letters: self.dead_letters.as_ref().map(|stats| [stats.n_lines(), stats.n_bytes()]),
            follow: self.follow.get().map(follow_counters),
            ..Counters::default()
        };
        for channel in &self.channels {
            counters.waited_micros.insert((channel.name, channel.output.clone()), channel.waited_micros());
        }
        for (component, condition) in &self.conditions {
            counters.components.insert(component.clone());
            for (kind, n) in condition.counts() {
                *counters.errors.entry((component.clone(), kind)).or_default() += n;
            }
        }
        counters
    }

    /// Returns how long the oldest bytes have been there that are not read, or the oldest chunk that is not delivered.
    pub(crate) fn lag(&self) -> Duration {
        let unread = self.follow.get().map(FollowStats::oldest_unread).unwrap_or_default();
        unread.max(self.tracker.oldest())
    }

    /// Returns the condition of a component.
    pub(crate) fn condition(&self, component: &str) -> Condition {
        let own = self.conditions.iter().find(|(name, _)| name == component);
        own.map(|(_, condition)| condition.clone()).unwrap_or_default()
    }

    /// Returns how many batches wait in the channels of a kind; none if it has no such channels.
    pub(crate) fn depth(&self, name: &str, output: Option<&str>) -> usize {
        let channels = self.channels.iter();
        let own = channels.filter(|channel| channel.name == name && channel.output.as_deref() == output);
        own.map(|channel| channel.depth()).sum()
    }

    /// Returns whether something holds a component up.
    pub(crate) fn is_waiting(&self, component: &str) -> bool {
        let mut own = self.conditions.iter().filter(|(name, _)| name == component);
        own.any(|(_, condition)| !condition.troubles().is_empty())
    }
}

fn follow_counters(stats: &FollowStats) -> FollowCounters {
    FollowCounters {
        rotations: Rotation::ALL.map(|rotation| stats.rotations(rotation)),
        n_reread: stats.n_reread(),
        n_lost: stats.n_lost(),
        n_lost_bytes: stats.n_lost_bytes(),
        n_unfinished: stats.n_unfinished(),
        n_skipped_nuls: stats.n_skipped_nuls(),
    }
}

impl Counters {
    /// Adds what another generation has counted.
    pub(crate) fn add(&mut self, other: Counters) {
        self.undelivered += other.undelivered;
        for (channel, n) in other.waited_micros {
            *self.waited_micros.entry(channel).or_default() += n;
        }
        if let Some(other) = other.dead_letters {
            let counts = self.dead_letters.get_or_insert_default();
            for (count, n) in counts.iter_mut().zip(other) {
                *count += n;
            }
        }
        for (error, n) in other.errors {
            *self.errors.entry(error).or_default() += n;
        }
        self.components.extend(other.components);
        if let Some(other) = other.follow {
            self.follow.get_or_insert_default().add(other);
        }
    }
}

impl FollowCounters {
    fn add(&mut self, other: Self) {
        for (count, n) in self.rotations.iter_mut().zip(other.rotations) {
            *count += n;
        }
        self.n_reread += other.n_reread;
        self.n_lost += other.n_lost;
        self.n_lost_bytes += other.n_lost_bytes;
        self.n_unfinished += other.n_unfinished;
        self.n_skipped_nuls += other.n_skipped_nuls;
    }
}
