//! Runs the programs in turn, so that what changes on the machine meanwhile changes all of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use anyhow::Context as _;

use crate::case::Case;
use crate::check::check;
use crate::input::Input;
use crate::stopwatch::{Program, Taken};
use crate::summary::Summary;
use crate::tape;

/// What the files of a race are called, in the directory of the input.
const PIPELINE: &str = "pipeline.yaml";
const COPY: &str = "copy.ndjson";
const OUTPUT: &str = "output.ndjson";
const STDERR: &str = "stderr.txt";
const NOWHERE: &str = "/dev/null";

/// What is run and where.
pub(crate) struct Track<'a> {
    pub(crate) case: &'static Case,
    pub(crate) input: &'a Input,
    /// The binary, as an absolute path.
    pub(crate) logweir: &'a Path,
    /// Where the input is and the outputs go.
    pub(crate) dir: &'a Path,
    /// Measured runs of each.
    pub(crate) runs: usize,
}

/// What the programs took, run by run.
pub(crate) struct Race {
    pub(crate) case: &'static Case,
    /// Size of the input.
    pub(crate) n_bytes: u64,
    /// Of the last run of logweir.
    pub(crate) summary: Summary,
    pub(crate) cat: Vec<Taken>,
    pub(crate) logweir: Vec<Taken>,
    /// Bytes a second of simd-json's tape.
    pub(crate) tape_rates: Vec<f64>,
    /// Lines that simd-json refused, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Race {
    /// Runs all of them in turn, after one round that is not measured, and checks the output of the last run.
    ///
    /// # Errors
    ///
    /// If something cannot be run. That the output is wrong is the second part of what is returned.
    pub(crate) fn run(track: &Track<'_>) -> anyhow::Result<(Self, anyhow::Result<()>)> {
        let pipeline = track.case.job.pipeline(&track.input.name, OUTPUT);
        fs::write(track.dir.join(PIPELINE), pipeline)?;
        track.cat()?;
        track.logweir()?;
        let (mut cat, mut logweir, mut tape_rates) = (Vec::new(), Vec::new(), Vec::new());
        let mut refused = BTreeMap::new();
        for _ in 0..track.runs {
            cat.push(track.cat()?);
            logweir.push(track.logweir()?);
            let taped = tape::measure(&track.input.path)?;
            tape_rates.push(taped.rate());
            refused = taped.refused;
        }
        let summary = Summary::read(&fs::read_to_string(track.dir.join(STDERR))?)?;
        let checked = track.check(&summary);
        track.clear()?;
        let (case, n_bytes) = (track.case, track.input.n_bytes);
        Ok((Self { case, n_bytes, summary, cat, logweir, tape_rates, refused }, checked))
    }
}

impl Track<'_> {
    fn cat(&self) -> anyhow::Result<Taken> {
        self.make_ready()?;
        let program = Program {
            dir: self.dir,
            path: Path::new("cat"),
            args: vec![self.input.name.as_str().into()],
            stdout: Path::new(COPY),
            stderr: Path::new(NOWHERE),
        };
        program.measure()
    }

    fn logweir(&self) -> anyhow::Result<Taken> {
        self.make_ready()?;
        let program = Program {
            dir: self.dir,
            path: self.logweir,
            args: ["run", "--quiet", "--summary", "json", PIPELINE].map(Into::into).to_vec(),
            stdout: Path::new(NOWHERE),
            stderr: Path::new(STDERR),
        };
        program.measure()
    }

    /// Brings the machine to the state that each run starts from: the input is in the page cache, and as much memory
    /// as a copy of it takes has just been in use and is free.
    ///
    /// A virtual machine gives back to its host what has been free for a while, and to get it again takes longer than
    /// a copy does; without this, the program whose predecessor wrote less than itself would pay for that.
    fn make_ready(&self) -> anyhow::Result<()> {
        self.clear()?;
        fs::copy(&self.input.path, self.dir.join(COPY))?;
        self.clear()
    }

    /// Removes what the last run wrote, so that no run pays for it.
    fn clear(&self) -> anyhow::Result<()> {
        for name in [COPY, OUTPUT] {
            match fs::remove_file(self.dir.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context(name),
                _ => {}
            }
        }
        Ok(())
    }

    fn check(&self, summary: &Summary) -> anyhow::Result<()> {
        let open = |path: &Path| -> anyhow::Result<_> {
            let file = File::open(path).with_context(|| path.display().to_string())?;
            Ok(BufReader::with_capacity(1 << 20, file))
        };
        let (input, output) = (open(&self.input.path)?, open(&self.dir.join(OUTPUT))?);
        check(&self.case.job.stages(), input, output, summary)
    }
}
