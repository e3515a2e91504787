//! Reads what was delivered, and finds out what of it is new, doubled or no event that was written.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::event::{number_of, write_event};
use super::objects::Objects;
use super::seen::Seen;

/// Bytes read at once.
const READ_BYTES: usize = 1 << 20;
/// No event has as many; more without a line feed is no event.
const MAX_EVENT_BYTES: usize = 4 << 20;
/// How many of the odd things that are found are kept to be shown.
const MAX_SHOWN: usize = 5;

/// Where events are delivered to.
#[derive(Debug)]
pub(super) enum Delivered {
    /// A file, which grows.
    File(PathBuf),
    /// A directory, which gets batches.
    Objects(Objects),
}

/// Reads what is delivered, as it comes.
#[derive(Debug)]
pub(super) struct Judge {
    delivered: Delivered,
    seed: u64,
    /// How far the file has been read: the end of a line.
    offset: u64,
    /// The events that were delivered.
    pub(super) seen: Seen,
    /// Events that were delivered again.
    pub(super) n_duplicated: u64,
    /// Lines that are no event that was written: cut, changed, or of somebody else.
    pub(super) n_altered: u64,
    /// Bytes that had been delivered and then were gone.
    pub(super) n_taken_back: u64,
    /// The first lines that are no event, to be shown.
    pub(super) altered: Vec<String>,
}

impl Judge {
    /// Returns one that reads the events of `seed`; nothing need be there yet.
    pub(super) fn new(delivered: Delivered, seed: u64) -> Self {
        Self {
            delivered,
            seed,
            offset: 0,
            seen: Seen::default(),
            n_duplicated: 0,
            n_altered: 0,
            n_taken_back: 0,
            altered: Vec::new(),
        }
    }

    /// Reads what has come since the last time, when events up to number `n_written` had been written.
    pub(super) fn read(&mut self, n_written: u64) -> io::Result<()> {
        match &mut self.delivered {
            Delivered::File(path) => {
                let path = path.clone();
                self.read_file(&path, n_written)
            }
            Delivered::Objects(objects) => {
                for content in objects.news()? {
                    self.take_object(&content, n_written);
                }
                Ok(())
            }
        }
    }

    /// Takes all lines of an object, which is whole when it comes.
    fn take_object(&mut self, content: &[u8], n_written: u64) {
        for line in content.split_inclusive(|&byte| byte == b'\n') {
            self.take(line, n_written);
        }
    }

    /// Returns how many objects have come again and were another.
    pub(super) fn n_changed(&self) -> u64 {
        match &self.delivered {
            Delivered::File(_) => 0,
            Delivered::Objects(objects) => objects.n_changed,
        }
    }

    /// Reads the whole lines of a file. What follows the last line feed is not delivered yet.
    fn read_file(&mut self, path: &Path, n_written: u64) -> io::Result<()> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.offset == 0 => return Ok(()),
            opened => opened?,
        };
        let size = file.metadata()?.len();
        if size < self.offset {
            self.n_taken_back += self.offset - size;
            self.offset = size;
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut unread = Vec::new();
        loop {
            let n_read = (&file).take(READ_BYTES as u64).read_to_end(&mut unread)?;
            let n_taken = self.take_lines(&unread, n_written);
            unread.drain(..n_taken);
            if n_read < READ_BYTES {
                return Ok(());
            }
        }
    }

    /// Removes what has grown beyond `max_bytes` and been read; to be called while nobody writes. What follows the last
    /// line feed of a file goes with it: nobody was told that it is delivered.
    pub(super) fn remove_beyond(&mut self, max_bytes: u64) -> io::Result<()> {
        match &mut self.delivered {
            Delivered::File(path) if self.offset > max_bytes => {
                std::fs::remove_file(path)?;
                self.offset = 0;
                Ok(())
            }
            Delivered::File(_) => Ok(()),
            Delivered::Objects(objects) => objects.forget_beyond(max_bytes),
        }
    }

    /// Takes the whole lines of `bytes`; returns how many bytes they have.
    fn take_lines(&mut self, bytes: &[u8], n_written: u64) -> usize {
        let mut n_taken = 0;
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if !line.ends_with(b"\n") && line.len() < MAX_EVENT_BYTES {
                break;
            }
            self.take(line, n_written);
            n_taken += line.len();
        }
        self.offset += n_taken as u64;
        n_taken
    }

    fn take(&mut self, line: &[u8], n_written: u64) {
        let mut expected = Vec::new();
        let number = number_of(line).filter(|&number| number < n_written);
        if let Some(number) = number {
            write_event(self.seed, number, &mut expected);
        }
        match number {
            Some(number) if expected == line => self.n_duplicated += u64::from(!self.seen.insert(number)),
            _ => {
                self.n_altered += 1;
                if self.altered.len() < MAX_SHOWN {
                    let shown = &line[..line.len().min(200)];
                    self.altered.push(shown.escape_ascii().to_string());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use logweir_testkit::scratch::Scratch;

    use super::*;

    const SEED: u64 = 3;

    fn events(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        numbers.into_iter().for_each(|number| write_event(SEED, number, &mut bytes));
        bytes
    }

    /// Returns a judge that has read `bytes`, when 10,000 events had been written.
    fn judged(bytes: impl AsRef<[u8]>) -> Judge {
        let scratch = Scratch::new();
        let mut judge = Judge::new(Delivered::File(scratch.write("out", bytes)), SEED);
        judge.read(10_000).unwrap();
        judge
    }

    #[test]
    fn each_planted_loss_is_found() {
        for lost in [&[0][..], &[9_999], &[63, 64, 65], &[1, 5_000, 9_998]] {
            let judge = judged(events((0..10_000).filter(|number| !lost.contains(number))));
            assert_eq!(judge.seen.missing(10_000).collect::<Vec<_>>(), lost);
            assert_eq!((judge.n_duplicated, judge.n_altered), (0, 0));
        }
    }

    #[test]
    fn each_planted_duplicate_is_counted() {
        let judge = judged(events((0..5_000).chain(4_000..10_000).chain([7, 7])));
        assert_eq!((judge.seen.n_seen(), judge.n_duplicated, judge.n_altered), (10_000, 1_002, 0));
        assert_eq!(judge.seen.missing(10_000).next(), None);
    }

    #[test]
    fn an_event_that_was_changed_is_not_delivered() {
        let good = events(0..3);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let judge = judged(&bad);
            // A line feed that is changed joins two lines, or leaves the last one without an end.
            assert!(judge.seen.missing(3).count() > 0, "byte {at}");
            assert!(judge.n_altered > 0 || at == good.len() - 1, "byte {at}");
        }
    }

    #[test]
    fn cut_foreign_and_future_events_are_counted_as_altered() {
        let cut = [&events([1])[..100], b"\n"].concat();
        let judge = judged([&events([0])[..], &cut, b"{}\n", b"\n", &events([10_000])].concat());
        assert_eq!((judge.seen.n_seen(), judge.n_altered), (1, 4));
        assert_eq!(judge.altered[1..3], ["{}\\n", "\\n"]);
    }

    #[test]
    fn it_goes_on_where_a_line_ended() {
        let scratch = Scratch::new();
        let all = events(0..2_000);
        let path = scratch.write("out", "");
        let mut judge = Judge::new(Delivered::File(path), SEED);
        for end in (0..all.len()).step_by(all.len() / 50).chain([all.len()]) {
            scratch.write("out", &all[..end]);
            judge.read(2_000).unwrap();
            let n_whole = all[..end].split(|&byte| byte == b'\n').count() as u64 - 1;
            assert_eq!((judge.seen.n_seen(), judge.n_duplicated), (n_whole, 0));
        }
        // Half an event that was never delivered may be taken back; a whole one may not.
        scratch.write("out", [&all[..], b"{\"half"].concat());
        judge.read(2_000).unwrap();
        scratch.write("out", &all);
        judge.read(2_000).unwrap();
        assert_eq!(judge.n_taken_back, 0);
        scratch.write("out", &all[..all.len() - 10]);
        judge.read(2_000).unwrap();
        assert_eq!(judge.n_taken_back, 10);
    }

    #[test]
    fn the_file_may_be_missing_at_first_and_is_removed_when_it_is_large() {
        let scratch = Scratch::new();
        let path = scratch.path("out");
        let mut judge = Judge::new(Delivered::File(path.clone()), SEED);
        judge.read(10).unwrap();
        scratch.write("out", events(0..5));
        judge.read(10).unwrap();
        judge.remove_beyond(1 << 20).unwrap();
        assert!(path.exists());
        judge.remove_beyond(100).unwrap();
        assert!(!path.exists());
        scratch.write("out", events(4..10));
        judge.read(10).unwrap();
        assert_eq!((judge.seen.n_seen(), judge.n_duplicated, judge.n_taken_back), (10, 1, 0));
        std::fs::remove_file(path).unwrap();
        judge.read(10).expect_err("what was read is gone");
    }

    #[test]
    fn what_has_no_line_feed_is_not_kept() {
        let judge = judged(vec![b'x'; 3 * MAX_EVENT_BYTES]);
        assert!(judge.n_altered >= 2, "{}", judge.n_altered);
    }
}
