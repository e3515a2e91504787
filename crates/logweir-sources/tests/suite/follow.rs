//! Following files: what the named cases are called for, one test each.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use logweir_event::Condition;
use logweir_sources::{
    AckTracker, CheckpointStore, Checkpointer, FollowConfig, FollowSource, FollowStats, StartAt, StateDir,
};
use logweir_testkit::scratch::Scratch;
use tokio_util::sync::CancellationToken;

use crate::rig::{self, Rig};

/// A directory that is followed, run after run.
struct World {
    scratch: Scratch,
    config: FollowConfig,
}

/// One run of the source.
struct Run {
    rig: Rig,
    checkpointer: Checkpointer,
    tracker: AckTracker,
    stats: FollowStats,
    got: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path("logs")).unwrap();
        let include = vec![scratch.path("logs/*").display().to_string()];
        let config =
            FollowConfig { include, exclude: Vec::new(), start_at: StartAt::Beginning, open_files: 16 };
        Self { scratch, config }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path("logs").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn start(&self) -> Run {
        let dir = StateDir::open(&self.scratch.path("state")).unwrap();
        let (store, checkpoint) = CheckpointStore::open(dir, "test").unwrap();
        let (source, checkpointer) = FollowSource::new(&self.config, store, checkpoint).unwrap();
        let stats = source.stats();
        let rig = rig::start(source, 1 << 16, 1 << 20);
        Run { tracker: rig.tracker.clone(), rig, checkpointer, stats, got: Vec::new() }
    }
}

impl Run {
    /// Takes and delivers chunks until `n_lines` lines have come in all.
    fn take(&mut self, n_lines: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.got.iter().filter(|byte| **byte == b'\n').count() < n_lines {
            match self.rig.try_chunk() {
                Some(chunk) => {
                    self.got.extend_from_slice(&chunk.bytes);
                    chunk.ack.deliver();
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
            assert!(Instant::now() < until, "only {:?} came", String::from_utf8_lossy(&self.got));
        }
    }

    /// Takes what comes until nothing has for a while.
    fn settle(&mut self, quiet: Duration) {
        let mut since = Instant::now();
        while since.elapsed() < quiet {
            if let Some(chunk) = self.rig.try_chunk() {
                self.got.extend_from_slice(&chunk.bytes);
                chunk.ack.deliver();
                since = Instant::now();
            } else {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Stops, writing a checkpoint; returns all that came.
    fn stop(self) -> String {
        let ran = self.rig.stop();
        let mut got = self.got;
        got.extend(ran.bytes);
        let done = CancellationToken::new();
        done.cancel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        assert!(runtime.block_on(self.checkpointer.run(self.tracker, Condition::new(), done)));
        String::from_utf8(got).unwrap()
    }
}

fn lines(range: std::ops::Range<u32>) -> String {
    range.map(|i| format!("{{\"id\":{i},\"padding\":\"{}\"}}\n", "x".repeat(i as usize % 97))).collect()
}

#[test]
fn what_is_appended_comes_and_a_restart_goes_on() {
    let world = World::new();
    world.append("a.log", &lines(0..100));
    let mut run = world.start();
    run.take(100);
    world.append("a.log", &lines(100..200));
    run.take(200);
    world.append("b.log", &lines(200..300));
    run.take(300);
    assert_eq!(run.stop(), lines(0..300));
    world.append("a.log", &lines(300..310));
    let mut run = world.start();
    run.take(10);
    run.settle(Duration::from_millis(300));
    assert_eq!(run.stop(), lines(300..310));
}

#[test]
fn renamed_emptied_and_deleted_files_are_read_on() {
    let world = World::new();
    world.append("a.log", &lines(0..100));
    let mut run = world.start();
    run.take(100);
    // Renamed, a line written under the new name, another in a new file.
    fs::rename(world.path("a.log"), world.path("a.log.1")).unwrap();
    world.append("a.log.1", &lines(100..101));
    world.append("a.log", &lines(101..102));
    run.take(102);
    // Copied and emptied.
    fs::copy(world.path("a.log"), world.path("a.log.2")).unwrap();
    File::options().write(true).open(world.path("a.log")).unwrap().set_len(0).unwrap();
    world.append("a.log", &lines(102..104));
    run.take(104);
    // Deleted with an unfinished last line.
    world.append("a.log", "{\"id\":104}");
    fs::remove_file(world.path("a.log")).unwrap();
    run.settle(Duration::from_secs(7));
    let got = run.stop();
    let mut got: Vec<_> = got.lines().collect();
    got.sort_unstable();
    let mut expected: String = lines(0..104);
    expected.push_str("{\"id\":104}");
    let mut expected: Vec<_> = expected.lines().collect();
    expected.sort_unstable();
    assert_eq!(got, expected);
}
