//! Whatever may happen to files, in whatever order, against the law.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;

use logweir_event::Chunk;
use logweir_testkit::compress::{gzip, zstandard};
use proptest::prelude::*;

use super::world::{Run, World, counts, id_of, line};

/// The files that are written to: two that are rotated, and a symbolic link.
const NAMES: [&str; 3] = ["a.log", "b.log", "link.log"];
const LINK: usize = 2;

/// What happens, to the file with an index below `NAMES.len()`.
#[derive(Clone, Debug)]
enum Op {
    Append {
        file: usize,
        lengths: Vec<usize>,
    },
    /// A part of a line, the rest of which may come.
    Partial {
        file: usize,
        length: usize,
    },
    Finish {
        file: usize,
    },
    /// By renaming; the writer goes on in the old file for some lines.
    Rotate {
        file: usize,
        late: Vec<usize>,
        is_created: bool,
    },
    /// By copying in pieces and emptying; between the pieces more is written.
    CopyTruncate {
        file: usize,
        between: Vec<usize>,
        is_restarted: bool,
    },
    Empty {
        file: usize,
    },
    /// In place, in one go.
    Rewrite {
        file: usize,
        lengths: Vec<usize>,
    },
    /// By renaming another over it; the link leads elsewhere then.
    Replace {
        file: usize,
        lengths: Vec<usize>,
    },
    Unlink {
        file: usize,
    },
    /// What was rotated last, in pieces.
    Compress {
        file: usize,
        is_gzip: bool,
        n_pieces: usize,
        is_settled: bool,
    },
    /// What was rotated last, out of sight or back.
    Move {
        file: usize,
    },
    Settle,
    /// Takes some chunks and holds them.
    Hold {
        n_chunks: usize,
    },
    /// Delivers some of those that are held.
    Deliver {
        order: usize,
    },
    /// Keeps a copy of the checkpoint.
    Keep,
    /// Lets all go; the checkpoint is the one there is, or the one that was kept.
    Crash {
        is_old: bool,
    },
    Stop,
    Start,
    Restart,
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![4 => 10..200_usize, 1 => 200..3000_usize];
    prop::collection::vec(length, 1..6)
}

fn op() -> impl Strategy<Value = Op> {
    let file = || 0..NAMES.len();
    prop_oneof![
        10 => (file(), lengths()).prop_map(|(file, lengths)| Op::Append { file, lengths }),
        2 => (file(), 20..3000_usize).prop_map(|(file, length)| Op::Partial { file, length }),
        2 => file().prop_map(|file| Op::Finish { file }),
        4 => (file(), lengths(), any::<bool>())
            .prop_map(|(file, late, is_created)| Op::Rotate { file, late, is_created }),
        4 => (file(), lengths(), prop::bool::weighted(0.3))
            .prop_map(|(file, between, is_restarted)| Op::CopyTruncate { file, between, is_restarted }),
        1 => file().prop_map(|file| Op::Empty { file }),
        2 => (file(), lengths()).prop_map(|(file, lengths)| Op::Rewrite { file, lengths }),
        2 => (file(), lengths()).prop_map(|(file, lengths)| Op::Replace { file, lengths }),
        1 => file().prop_map(|file| Op::Unlink { file }),
        3 => (file(), any::<bool>(), 1..4_usize, any::<bool>()).prop_map(
            |(file, is_gzip, n_pieces, is_settled)| Op::Compress { file, is_gzip, n_pieces, is_settled }
        ),
        2 => file().prop_map(|file| Op::Move { file }),
        2 => Just(Op::Settle),
        2 => (1..5_usize).prop_map(|n_chunks| Op::Hold { n_chunks }),
        2 => (0..5_usize).prop_map(|order| Op::Deliver { order }),
        1 => Just(Op::Keep),
        1 => any::<bool>().prop_map(|is_old| Op::Crash { is_old }),
        2 => Just(Op::Stop),
        2 => Just(Op::Start),
        1 => Just(Op::Restart),
    ]
}

/// The directory, who writes to it, who reads it, and what must have come.
struct Model {
    world: World,
    run: Option<Run>,
    held: Vec<Chunk>,
    next_id: u32,
    /// The rest of an unfinished line of a file.
    rests: BTreeMap<usize, String>,
    /// All lines that were begun in one place and not finished there.
    torn: Vec<String>,
    /// How many files links have led to.
    n_targets: usize,
    /// What was moved out of sight, from where.
    moved: BTreeSet<String>,
    kept: Option<Vec<u8>>,
    has_crashed: bool,
    /// How many runs were stopped, and what they read again as nothing told what was read.
    n_runs: u64,
    n_reread: u64,
    /// What must have come.
    owed: BTreeSet<u32>,
    /// What came in runs that are over.
    got: String,
}

impl Model {
    fn new() -> Self {
        let world = World::new();
        for directory in ["targets", "away"] {
            fs::create_dir(world.scratch.path(directory)).unwrap();
        }
        let mut model = Self {
            run: None,
            world,
            held: Vec::new(),
            next_id: 0,
            rests: BTreeMap::new(),
            torn: Vec::new(),
            n_targets: 0,
            moved: BTreeSet::new(),
            kept: None,
            has_crashed: false,
            n_runs: 0,
            n_reread: 0,
            owed: BTreeSet::new(),
            got: String::new(),
        };
        model.start();
        model
    }

    fn lines(&mut self, lengths: &[usize]) -> String {
        let ids = self.next_id..;
        self.next_id += lengths.len() as u32;
        ids.zip(lengths).map(|(id, length)| line(id, *length)).collect()
    }

    fn start(&mut self) {
        if self.run.is_none() {
            self.run = Some(self.world.start());
        }
    }

    fn stop(&mut self) {
        self.deliver_held();
        if let Some(run) = self.run.take() {
            self.n_runs += 1;
            self.n_reread += run.stats.n_reread();
            self.got += &run.stop();
        }
    }

    fn deliver_held(&mut self) {
        for chunk in self.held.drain(..).rev() {
            self.run.as_mut().unwrap().deliver(chunk);
        }
    }

    /// Lets the source read all there is, and looks whether what must have come has.
    fn settle(&mut self) {
        self.deliver_held();
        let Some(run) = &mut self.run else { return };
        run.settle();
        let mut got = self.got.clone();
        got.push_str(std::str::from_utf8(&run.got).unwrap());
        for name in fs::read_dir(self.world.scratch.path("logs")).unwrap() {
            self.owed.extend(whole_lines(&name.unwrap().path()));
        }
        let (came, _) = counts(&got);
        let missing: Vec<_> = self.owed.iter().filter(|id| !came.contains_key(id)).collect();
        assert!(missing.is_empty(), "missing {missing:?}");
        // Of what the last run left, less is known.
        let n_reread = self.n_reread + run.stats.n_reread();
        assert!(self.n_runs > 0 || n_reread == 0, "something was in doubt");
        if !self.has_crashed && n_reread == 0 {
            let twice: Vec<_> = came.iter().filter(|(_, n)| **n > 1).collect();
            assert!(twice.is_empty(), "twice {twice:?}");
        }
    }

    /// Takes note that the unfinished line of a file is torn off: what there is of it is lost or in a copy.
    fn tear(&mut self, file: usize) {
        if let Some(rest) = self.rests.remove(&file) {
            self.torn.push(rest);
        }
    }

    fn append(&mut self, file: usize, text: &str) {
        if file == LINK && fs::symlink_metadata(self.world.path(NAMES[LINK])).is_err() {
            self.lead_elsewhere("");
        }
        let rest = self.rests.remove(&file).map(|line| line[line.find('\0').unwrap() + 1..].to_owned());
        self.world.append(NAMES[file], rest.unwrap_or_default() + text);
    }

    fn partial(&mut self, file: usize, length: usize) {
        if self.rests.contains_key(&file) {
            return;
        }
        let line = self.lines(&[length]);
        let half = line.len() / 2;
        self.append(file, &line[..half]);
        // Where it is cut is marked by what is in no line.
        self.rests.insert(file, format!("{}\0{}", &line[..half], &line[half..]));
    }

    /// Makes the link lead to a new file with this content.
    fn lead_elsewhere(&mut self, text: &str) {
        self.n_targets += 1;
        let target = self.world.scratch.path(format!("targets/{}", self.n_targets));
        fs::write(&target, text).unwrap();
        let new = self.world.scratch.path("targets/new");
        symlink(&target, &new).unwrap();
        fs::rename(new, self.world.path(NAMES[LINK])).unwrap();
    }

    /// Moves all that was rotated one further, as the last word of a rotation does first.
    fn shift(&mut self, file: usize) {
        for number in (1..30).rev() {
            for ending in ["", ".gz", ".zst"] {
                let from = format!("{}.{number}{ending}", NAMES[file]);
                let to = format!("{}.{}{ending}", NAMES[file], number + 1);
                if self.world.path(&from).exists() {
                    self.world.rename(&from, &to);
                } else if self.moved.remove(&from) {
                    fs::rename(self.away(&from), self.away(&to)).unwrap();
                    self.moved.insert(to);
                }
            }
        }
    }

    fn away(&self, name: &str) -> std::path::PathBuf {
        self.world.scratch.path("away").join(name)
    }

    fn exists(&self, file: usize) -> bool {
        file != LINK && self.world.path(NAMES[file]).exists()
    }

    fn rotate(&mut self, file: usize, late: &[usize], is_created: bool) {
        if !self.exists(file) {
            return;
        }
        self.shift(file);
        let mut writer = File::options().append(true).open(self.world.path(NAMES[file])).unwrap();
        self.world.rename(NAMES[file], &format!("{}.1", NAMES[file]));
        let rest = self.rests.remove(&file).map(|line| line[line.find('\0').unwrap() + 1..].to_owned());
        let late = rest.unwrap_or_default() + &self.lines(late);
        writer.write_all(late.as_bytes()).unwrap();
        if is_created {
            self.world.append(NAMES[file], "");
        }
    }

    fn copy_truncate(&mut self, file: usize, between: &[usize], is_restarted: bool) {
        if !self.exists(file) {
            return;
        }
        // A file and its copy that both were never seen are two.
        self.settle();
        self.shift(file);
        let mut from = File::open(self.world.path(NAMES[file])).unwrap();
        let n_bytes = from.metadata().unwrap().len() as usize;
        let copy = format!("{}.1", NAMES[file]);
        for length in between {
            let mut piece = vec![0; n_bytes / between.len() + 1];
            let n_read = from.read(&mut piece).unwrap();
            self.world.append(&copy, &piece[..n_read]);
            let line = self.lines(&[*length]);
            self.append(file, &line);
        }
        let mut piece = Vec::new();
        from.read_to_end(&mut piece).unwrap();
        self.world.append(&copy, piece);
        if is_restarted && self.run.is_some() {
            self.settle();
            self.stop();
            self.start();
        }
        self.settle();
        self.world.empty(NAMES[file]);
        self.tear(file);
    }

    fn compress(&mut self, file: usize, is_gzip: bool, n_pieces: usize, is_settled: bool) {
        let name = format!("{}.1", NAMES[file]);
        let Ok(bytes) = fs::read(self.world.path(&name)) else { return };
        let (compressed, ending) = if is_gzip { (gzip(&bytes), "gz") } else { (zstandard(&bytes), "zst") };
        for piece in compressed.chunks(compressed.len() / n_pieces + 1) {
            self.world.append(&format!("{name}.{ending}"), piece);
            if is_settled {
                self.settle();
            }
        }
        self.world.remove(&name);
    }

    fn move_away_or_back(&mut self, file: usize) {
        let name = format!("{}.1", NAMES[file]);
        if self.moved.remove(&name) {
            if self.world.path(&name).exists() {
                self.moved.insert(name);
            } else {
                fs::rename(self.away(&name), self.world.path(&name)).unwrap();
            }
        } else if self.world.path(&name).exists() {
            self.settle();
            fs::rename(self.world.path(&name), self.away(&name)).unwrap();
            self.moved.insert(name);
        }
    }

    fn crash(&mut self, is_old: bool) {
        self.held.clear();
        let Some(run) = self.run.take() else { return };
        (self.has_crashed, self.n_runs) = (true, self.n_runs + 1);
        self.got += &run.crash();
        if let (true, Some(kept)) = (is_old, &self.kept) {
            fs::write(self.checkpoint(), kept).unwrap();
        }
        self.start();
    }

    fn checkpoint(&self) -> std::path::PathBuf {
        self.world.scratch.path("state/test.checkpoint")
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Append { file, lengths } => {
                let text = self.lines(lengths);
                self.append(*file, &text);
            }
            Op::Partial { file, length } => self.partial(*file, *length),
            Op::Finish { file } if self.rests.contains_key(file) => self.append(*file, ""),
            Op::Rotate { file, late, is_created } => self.rotate(*file, late, *is_created),
            Op::CopyTruncate { file, between, is_restarted } => {
                self.copy_truncate(*file, between, *is_restarted);
            }
            Op::Empty { file } if self.exists(*file) => {
                self.settle();
                self.world.empty(NAMES[*file]);
                self.tear(*file);
            }
            Op::Rewrite { file, lengths } if self.exists(*file) => {
                self.settle();
                let text = self.lines(lengths);
                self.world.write(NAMES[*file], text);
                self.tear(*file);
            }
            Op::Replace { file, lengths } => {
                self.settle();
                let text = self.lines(lengths);
                if *file == LINK {
                    self.lead_elsewhere(&text);
                } else {
                    let new = self.world.scratch.write("new", text);
                    fs::rename(new, self.world.path(NAMES[*file])).unwrap();
                }
                self.tear(*file);
            }
            Op::Unlink { file } => {
                self.settle();
                fs::remove_file(self.world.path(NAMES[*file])).ok();
                self.tear(*file);
            }
            Op::Compress { file, is_gzip, n_pieces, is_settled } => {
                self.compress(*file, *is_gzip, *n_pieces, *is_settled);
            }
            Op::Move { file } => self.move_away_or_back(*file),
            Op::Finish { .. } | Op::Empty { .. } | Op::Rewrite { .. } => {}
            Op::Settle => self.settle(),
            Op::Hold { n_chunks } => {
                let Some(run) = &mut self.run else { return };
                self.held.extend((0..*n_chunks).filter_map(|_| run.next()));
            }
            Op::Deliver { order } => {
                if let (false, Some(run)) = (self.held.is_empty(), &mut self.run) {
                    let chunk = self.held.swap_remove(order % self.held.len());
                    run.deliver(chunk);
                }
            }
            Op::Keep => self.kept = fs::read(self.checkpoint()).ok(),
            Op::Crash { is_old } => self.crash(*is_old),
            Op::Stop => self.stop(),
            Op::Start => self.start(),
            Op::Restart => {
                self.stop();
                self.start();
            }
        }
    }

    fn finish(mut self) {
        self.start();
        self.settle();
        self.stop();
        let (_, others) = counts(&self.got);
        let torn = std::mem::take(&mut self.torn);
        let rests = self.rests.values().chain(&torn);
        let lines: Vec<_> = rests.map(|line| line.replace('\0', "")).collect();
        for other in others {
            assert!(lines.iter().any(|line| line.contains(other)), "{other} was never written");
        }
    }
}

/// Returns the whole lines of a file, which is left out if it is compressed and not whole.
fn whole_lines(path: &Path) -> Vec<u32> {
    let Ok(mut bytes) = fs::read(path) else { return Vec::new() };
    let mut text = Vec::new();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => {
            if flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).is_err() {
                return Vec::new();
            }
            bytes = text;
        }
        Some("zst") => match zstd::decode_all(&bytes[..]) {
            Ok(text) => bytes = text,
            Err(_) => return Vec::new(),
        },
        _ => {}
    }
    let text = String::from_utf8(bytes).unwrap();
    text.split_inclusive('\n').filter_map(|line| id_of(line.strip_suffix('\n')?)).collect()
}

fn n_cases() -> u32 {
    std::env::var("LOGWEIR_FOLLOW_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(250)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: n_cases(), max_shrink_iters: 300, max_shrink_time: 60_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_files_each_line_comes(ops in prop::collection::vec(op(), 1..30)) {
        let mut model = Model::new();
        for op in &ops {
            model.apply(op);
        }
        model.finish();
    }
}
