//! Where everything is run: the binary, a directory for the files, and how large and how often.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use logweir_testkit::generate::Workload;
use logweir_testkit::process::Run;

use crate::check::check;
use crate::input::{self, Input};
use crate::job::Job;
use crate::stopwatch::Program;
use crate::summary::Summary;

/// What a file-to-file run writes, in the directory of the input.
pub(crate) const OUTPUT: &str = "output.ndjson";
/// A file that is added to while logweir follows it.
pub(crate) const LIVE: &str = "live.ndjson";
/// Where logweir keeps how far it has read what it follows, and batches until they are delivered.
pub(crate) const STATE: &str = "state";
const PIPELINE: &str = "pipeline.yaml";
/// A copy of an input.
pub(crate) const COPY: &str = "copy.ndjson";
/// What an input was compressed to, alone.
pub(crate) const COMPRESSED: &str = "compressed.gz";
/// The directory that batches are put into.
pub(crate) const OBJECTS: &str = "objects";
/// What a run says.
pub(crate) const STDERR: &str = "stderr.txt";
/// Where goes what nobody reads.
pub(crate) const NOWHERE: &str = "/dev/null";
/// How logweir is started; a summary is its last word.
const RUN: [&str; 5] = ["run", "--quiet", "--summary", "json", PIPELINE];

/// What is run, where, and how much of it.
pub(crate) struct Lab {
    /// The binary, as an absolute path.
    pub(crate) logweir: PathBuf,
    /// Where inputs are and outputs go.
    pub(crate) dir: PathBuf,
    /// Size of an input.
    pub(crate) n_bytes: u64,
    /// Measured runs of each program.
    pub(crate) runs: usize,
    /// Whether what takes its time by the clock should take less of it.
    pub(crate) is_short: bool,
}

impl Lab {
    /// Returns the input of a workload in the size that all have.
    pub(crate) fn input(&self, workload: Workload) -> anyhow::Result<Input> {
        input::make(workload, self.n_bytes, &self.dir)
    }

    /// Writes the pipeline file that logweir runs from now on.
    pub(crate) fn write_pipeline(&self, yaml: &str) -> anyhow::Result<()> {
        fs::write(self.dir.join(PIPELINE), yaml).context(PIPELINE)
    }

    /// Returns the copy of an input file that all is measured against.
    pub(crate) fn cat(&self, input: &Input) -> Program<'_> {
        Program {
            dir: &self.dir,
            path: Path::new("cat"),
            args: vec![input.name.as_str().into()],
            stdout: Path::new(COPY),
            stderr: Path::new(NOWHERE),
        }
    }

    /// Returns a run of the pipeline.
    pub(crate) fn logweir(&self) -> Program<'_> {
        Program {
            dir: &self.dir,
            path: &self.logweir,
            args: RUN.map(Into::into).to_vec(),
            stdout: Path::new(NOWHERE),
            stderr: Path::new(STDERR),
        }
    }

    /// Returns a run of the pipeline by hand, without a stopwatch: the caller writes what it reads and reads what it
    /// writes.
    pub(crate) fn logweir_by_hand(&self) -> Run {
        Run::new(&self.logweir).args(RUN).dir(&self.dir).hold_stdin().hold_stdout()
    }

    /// Brings the machine to the state that each run starts from: the input is in the page cache, and as much memory
    /// as a copy of it takes has just been in use and is free.
    ///
    /// A virtual machine gives back to its host what has been free for a while, and to get it again takes longer than
    /// a copy does; without this, the program whose predecessor wrote less than itself would pay for that.
    pub(crate) fn make_ready(&self, input: &Input) -> anyhow::Result<()> {
        self.clear()?;
        fs::copy(&input.path, self.dir.join(COPY))?;
        self.clear()
    }

    /// Does the same where the input is written twice, to [`LIVE`] as well, and where something has to reach the disk:
    /// nothing is left for the disk to do from before.
    pub(crate) fn make_ready_for_disk(&self, input: &Input) -> anyhow::Result<()> {
        self.clear()?;
        for name in [COPY, LIVE] {
            fs::copy(&input.path, self.dir.join(name))?;
        }
        self.clear()?;
        let synced = Command::new("sync").status().context("sync")?;
        anyhow::ensure!(synced.success(), "`sync` failed");
        Ok(())
    }

    /// Removes what the last run wrote, so that no run pays for it, and none goes on where the last one has ended.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        let path = |name| self.dir.join(name);
        for (name, removed) in [
            (COPY, fs::remove_file(path(COPY))),
            (OUTPUT, fs::remove_file(path(OUTPUT))),
            (LIVE, fs::remove_file(path(LIVE))),
            (COMPRESSED, fs::remove_file(path(COMPRESSED))),
            (STATE, fs::remove_dir_all(path(STATE))),
            (OBJECTS, fs::remove_dir_all(path(OBJECTS))),
        ] {
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context(name),
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns what the last run of the pipeline said at its end.
    pub(crate) fn summary(&self) -> anyhow::Result<Summary> {
        Summary::read(&fs::read_to_string(self.dir.join(STDERR)).context(STDERR)?)
    }

    /// Checks what the last run of the pipeline wrote to [`OUTPUT`], and what it said at its end; returns what is
    /// wrong.
    pub(crate) fn wrong(&self, job: &Job, input: &Input) -> Option<String> {
        self.wrong_after(job, b"", input)
    }

    /// Does the same for a run that has read these events before those of the input.
    pub(crate) fn wrong_after(&self, job: &Job, ahead: &[u8], input: &Input) -> Option<String> {
        self.wrong_of(job, ahead, input, || open(&self.dir.join(OUTPUT)))
    }

    /// Does the same for a run that has put what it wrote elsewhere, where it is read.
    pub(crate) fn wrong_in(&self, job: &Job, input: &Input, output: impl BufRead) -> Option<String> {
        self.wrong_of(job, b"", input, || Ok(output))
    }

    fn wrong_of<R: BufRead>(
        &self,
        job: &Job,
        ahead: &[u8],
        input: &Input,
        output: impl FnOnce() -> anyhow::Result<R>,
    ) -> Option<String> {
        let checked = || check(job, ahead.chain(open(&input.path)?), output()?, &self.summary()?);
        checked().err().map(|error| format!("{error:#}"))
    }
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(BufReader::with_capacity(1 << 20, file))
}
