//! The inputs: made once, and kept for the next time.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use logweir_testkit::generate::{Workload, write};

/// Any will do; it is fixed so that all runs on all machines read the same events.
const SEED: u64 = 1;

/// How much of a file that is there already is compared with what the generator makes now.
const COMPARED_BYTES: u64 = 4 << 20;

/// Events are whole, so an input is longer than asked for, by less than the longest line an event may be.
const MAX_EXCESS_BYTES: u64 = 4 << 20;

/// An input file.
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    /// Its name in its directory.
    pub(crate) name: String,
    /// Its size in bytes.
    pub(crate) n_bytes: u64,
}

/// Returns the input of a workload, at least `n_bytes` long, after making it if it is not in `dir`.
pub(crate) fn make(workload: Workload, n_bytes: u64, dir: &Path) -> anyhow::Result<Input> {
    let name = format!("{}-{n_bytes}.ndjson", format!("{workload:?}").to_lowercase());
    let path = dir.join(&name);
    let context = || path.display().to_string();
    if !is_the_same(workload, n_bytes, &path).with_context(context)? {
        // Under its name there is only ever a whole one.
        let unfinished = dir.join("input.unfinished");
        let mut file = File::create(&unfinished).with_context(context)?;
        write(workload, SEED, n_bytes, &mut file).with_context(context)?;
        fs::rename(&unfinished, &path).with_context(context)?;
    }
    let n_bytes = fs::metadata(&path).with_context(context)?.len();
    Ok(Input { path, name, n_bytes })
}

/// Returns whether the file is there, has the right size, and begins as the generator would begin it now.
fn is_the_same(workload: Workload, n_bytes: u64, path: &Path) -> anyhow::Result<bool> {
    let Ok(file) = File::open(path) else { return Ok(false) };
    let n_there = file.metadata()?.len();
    if !(n_bytes..n_bytes + MAX_EXCESS_BYTES).contains(&n_there) {
        return Ok(false);
    }
    let mut expected = Vec::new();
    write(workload, SEED, n_bytes.min(COMPARED_BYTES), &mut expected)?;
    let mut there = Vec::with_capacity(expected.len());
    file.take(expected.len() as u64).read_to_end(&mut there)?;
    Ok(there == expected)
}
