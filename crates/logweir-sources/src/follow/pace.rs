//! How long a source that follows files waits for what.

use std::time::Duration;

/// How long a source that follows files waits for what. The default is right for logs that are rotated every few minutes or
/// less often.
///
/// All of these are times that pass; the clock of the day has no say, as somebody may set it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// How long it waits for one thing, a taker or memory, before it looks after the others. 100 ms: files are rotated
    /// while it waits.
    pub patience: Duration,
    /// Whether the system is asked to tell of changes; without, all files are looked at every `search_every_untold`.
    pub is_told: bool,
    /// How often all files are searched for and looked at where changes are told. 10 s: what is told can be missed.
    pub search_every: Duration,
    /// How often they are where changes may not be told. 1 s: what is late by more is missed by those who wait for it.
    pub search_every_untold: Duration,
    /// How long a search is put off so that one does for several changes. 20 ms: a rotation takes a few.
    pub search_after: Duration,
    /// How often files are looked at that need it: those that are gone, may be copies, or could not be read. 250 ms.
    pub tend_every: Duration,
    /// How long a compressed file must have been left alone before it is looked into. 500 ms: whoever makes it writes
    /// every few.
    pub settled_after: Duration,
    /// How long a compressed file must have been left alone that ends too early, before it is taken for what it is and not
    /// for one that is still being made. 10 s: a busy machine stops a program for so long.
    pub compressed_after: Duration,
    /// How long a deleted file must have been left alone before it is closed. Whoever has it open may still write to it, but
    /// the room it takes on the disk is given back only when everybody has closed it: 5 s.
    pub deleted_after: Duration,
    /// How long a file must have been left alone that was moved to where nobody looks for files. Whoever writes to it goes
    /// on until told to open a new one: 5 min.
    pub moved_after: Duration,
    /// How long the bytes that a file held when it was emptied may turn up in a copy, before they are counted as lost. 60 s.
    pub lost_after: Duration,
    /// How long after a failure something is tried again for the first time: 250 ms. Each time after that it takes twice as
    /// long.
    pub retry_after: Duration,
    /// How long it takes at the most: 5 s, so that what a person has mended goes on before they wonder.
    pub retry_at_most: Duration,
    /// How often a checkpoint is written at most: what was delivered since the last one comes twice after a crash. 1 s.
    pub commit_every: Duration,
    /// How often is looked whether there is something to write in a checkpoint, where nothing was written in the last
    /// `commit_every`. 100 ms: a process that is killed soon after each start still gets on.
    pub look_every: Duration,
    /// How often is looked whether the last checkpoint is still there, where nothing has changed. 5 s: somebody may have
    /// removed it.
    pub check_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            patience: Duration::from_millis(100),
            is_told: true,
            search_every: Duration::from_secs(10),
            search_every_untold: Duration::from_secs(1),
            search_after: Duration::from_millis(20),
            tend_every: Duration::from_millis(250),
            settled_after: Duration::from_millis(500),
            compressed_after: Duration::from_secs(10),
            deleted_after: Duration::from_secs(5),
            moved_after: Duration::from_secs(300),
            lost_after: Duration::from_secs(60),
            retry_after: Duration::from_millis(250),
            retry_at_most: Duration::from_secs(5),
            commit_every: Duration::from_secs(1),
            look_every: Duration::from_millis(100),
            check_every: Duration::from_secs(5),
        }
    }
}

impl Pace {
    /// Returns the next pause between two attempts, after `pause`.
    pub(super) fn longer(&self, pause: Duration) -> Duration {
        (pause * 2).min(self.retry_at_most)
    }
}
