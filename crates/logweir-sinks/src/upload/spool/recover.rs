//! Finds out what an earlier run has left in a spool.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::{DAMAGED, DONE, ENTRY, NEW, Spool, Spooled};
use crate::disk::DiskFile;
use crate::upload::error::SpoolError;
use crate::upload::manifest::{Entry, Owner, decode};

/// The size of an entry beyond which it is not read: it is mostly positions, of some hundred thousand files then.
const MAX_ENTRY_BYTES: u64 = 256 << 20;

/// What an earlier run has left.
#[derive(Debug)]
pub(in crate::upload) struct Recovered {
    /// The batches that have an entry, oldest first, those that are done among them.
    pub(in crate::upload) batches: Vec<Spooled>,
    /// The number of the next batch.
    pub(in crate::upload) next_seq: u64,
    /// How many entries lie aside.
    pub(in crate::upload) n_damaged: u64,
}

/// The batches of a spool.
#[derive(Default, Debug)]
pub(super) struct Chain {
    /// Those up to which nothing is missing.
    pub(super) whole: Vec<Spooled>,
    /// Those to be put aside.
    pub(super) broken: Vec<Spooled>,
}

/// The files of a spool, by what their names say.
#[derive(Default, Debug)]
struct Found {
    /// Of each entry, whether its batch is done.
    entries: BTreeMap<u64, bool>,
    data: BTreeMap<u64, PathBuf>,
    temporaries: Vec<PathBuf>,
    n_damaged: u64,
}

impl Spool {
    /// Puts the spool in order, which must have been [taken](Spool::take), and returns what is left in it.
    pub(in crate::upload) fn recover(&self, owner: &Owner, form: &str) -> Result<Recovered, SpoolError> {
        // Names that a crash has left may not be on the disk yet.
        self.sync_names()?;
        let chain = self.examine(Some(owner))?;
        self.check_form(&chain.whole, form)?;
        let is_read_again = chain.broken.iter().any(|batch| batch.entry.covering.is_some());
        self.put_aside(&chain.broken)?;
        if is_read_again {
            return Err(SpoolError::Broken { directory: self.dir.clone(), n_batches: chain.broken.len() });
        }
        let found = self.found()?;
        self.remove_orphans(&found, &chain.whole)?;
        // Numbers follow each other, so that a missing entry is noticed; those of files just removed are free again.
        let next_seq = chain.whole.last().map_or(1, |last| last.seq + 1);
        let batches = self.without_superseded(chain.whole)?;
        Ok(Recovered { batches, next_seq, n_damaged: found.n_damaged })
    }

    /// Reads all entries, which must be those of `owner` if one is given, and compares the files of batches that wait
    /// with them.
    pub(super) fn examine(&self, owner: Option<&Owner>) -> Result<Chain, SpoolError> {
        let found = self.found()?;
        let mut chain = Chain::default();
        let (mut is_broken, mut before) = (false, None);
        for (&seq, &is_done) in &found.entries {
            let entry = self.read_entry(seq, is_done, owner)?;
            let batch = Spooled { seq, entry, is_done };
            let problem = self.problem(&batch, &found, before)?;
            before = Some((seq, is_done));
            if let Some(problem) = &problem {
                tracing::error!(batch = %self.path(seq, ENTRY).display(), problem, "a batch in the spool is damaged");
                is_broken |= batch.entry.covering.is_some();
            }
            if is_broken || problem.is_some() {
                chain.broken.push(batch);
                continue;
            }
            // What one covers, the next whole one covers too; of thousands of files that is much.
            if let Some(covering) = chain.whole.last_mut().and_then(|last| last.entry.covering.as_mut()) {
                *covering = Vec::new();
            }
            chain.whole.push(batch);
        }
        Ok(chain)
    }

    /// Puts batches aside: the last one first, so that what is left is the same chain whenever that is interrupted.
    pub(super) fn put_aside(&self, broken: &[Spooled]) -> Result<(), SpoolError> {
        for Spooled { seq, entry, is_done } in broken.iter().rev() {
            let data = self.data_path(*seq, entry.compression);
            self.put_file_aside(&data)?;
            let path = self.path(*seq, if *is_done { DONE } else { ENTRY });
            self.put_file_aside(&path)?;
            tracing::error!(
                entry = %path.display(),
                n_events = entry.n_events,
                is_read_again = entry.covering.is_some(),
                "a batch that is damaged, or behind one that is, has been put aside"
            );
        }
        if broken.is_empty() { Ok(()) } else { self.sync_names() }
    }

    fn put_file_aside(&self, path: &Path) -> Result<(), SpoolError> {
        let mut n_before = 0;
        loop {
            let mut aside = path.as_os_str().to_owned();
            aside.push(DAMAGED);
            if n_before > 0 {
                aside.push(format!(".{n_before}"));
            }
            match self.disk.rename(path, Path::new(&aside)) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => n_before += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                result => return result.map_err(SpoolError::access("put aside", path)),
            }
        }
    }

    /// Returns what is wrong with a batch, given the number of the one before it and whether that is done.
    fn problem(
        &self,
        batch: &Spooled,
        found: &Found,
        before: Option<(u64, bool)>,
    ) -> Result<Option<&'static str>, SpoolError> {
        // Of batches that are done with all before them entries are removed, and so of none behind one that waits.
        let is_after_gap = before.is_some_and(|(seq, is_done)| !is_done && seq + 1 != batch.seq);
        if is_after_gap && batch.entry.covering.is_some() {
            return Ok(Some("the entry before it is missing"));
        }
        let Some(path) = found.data.get(&batch.seq).filter(|_| !batch.is_done) else {
            return Ok((!batch.is_done).then_some("its file is missing"));
        };
        let read = self.disk.open_beside(path).and_then(|file| hash(&*file));
        let (n_bytes, hash) = read.map_err(SpoolError::access("read", path))?;
        let is_whole = (n_bytes, hash) == (batch.entry.n_bytes, batch.entry.hash);
        Ok((!is_whole).then_some("its file is not what was written"))
    }

    fn read_entry(&self, seq: u64, is_done: bool, expected: Option<&Owner>) -> Result<Entry, SpoolError> {
        let path = self.path(seq, if is_done { DONE } else { ENTRY });
        let bytes = self.disk.open_beside(&path).and_then(|file| read(&*file));
        let bytes = bytes.map_err(SpoolError::access("read", &path))?;
        let (owner, entry) = decode(&bytes).map_err(|unreadable| unreadable.at(&path))?;
        if expected.is_none_or(|expected| *expected == owner) {
            return Ok(entry);
        }
        let output = owner.output.map(|output| format!(" of output {output:?}")).unwrap_or_default();
        Err(SpoolError::Foreign {
            path,
            what: format!("it is that{output} of pipeline {:?}", owner.pipeline),
        })
    }

    /// Refuses batches that wait whose events have another form.
    fn check_form(&self, batches: &[Spooled], expected: &str) -> Result<(), SpoolError> {
        match batches.iter().find(|batch| !batch.is_done && batch.entry.form != expected) {
            None => Ok(()),
            Some(Spooled { seq, entry, .. }) => Err(SpoolError::OtherForm {
                path: self.path(*seq, ENTRY),
                form: entry.form.clone(),
                expected: expected.to_owned(),
            }),
        }
    }

    /// Removes files of batches that never came to exist, or that are done.
    fn remove_orphans(&self, found: &Found, whole: &[Spooled]) -> Result<(), SpoolError> {
        let waiting: BTreeSet<_> =
            whole.iter().filter(|batch| !batch.is_done).map(|batch| batch.seq).collect();
        let data = found.data.iter().filter(|(seq, _)| !waiting.contains(seq)).map(|(_, path)| path);
        for path in data.chain(&found.temporaries) {
            tracing::info!(path = %path.display(), "what a run that was stopped has left is removed");
            self.remove(path)?;
        }
        Ok(())
    }

    /// Removes the entries of batches that are done with all before them, save the last.
    fn without_superseded(&self, mut batches: Vec<Spooled>) -> Result<Vec<Spooled>, SpoolError> {
        let n_done = batches.iter().take_while(|batch| batch.is_done).count();
        for batch in batches.drain(..n_done.saturating_sub(1)) {
            self.forget(batch.seq)?;
        }
        Ok(batches)
    }

    fn found(&self) -> Result<Found, SpoolError> {
        let mut found = Found::default();
        for path in self.files()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some((seq, ending)) = name.split_at_checked(20) else { continue };
            let Ok(seq) = seq.parse::<u64>() else { continue };
            match ending {
                // Both there are only if a rename was cut in two; then it is done.
                ENTRY => drop(found.entries.entry(seq).or_insert(false)),
                DONE => drop(found.entries.insert(seq, true)),
                NEW => found.temporaries.push(path),
                ".log" | ".log.gz" | ".log.zst" => drop(found.data.insert(seq, path)),
                _ => found.n_damaged += u64::from(is_entry_aside(ending)),
            }
        }
        Ok(found)
    }
}

/// Returns whether this is the end of the name of an entry that was put aside.
fn is_entry_aside(ending: &str) -> bool {
    let aside = [ENTRY, DONE].iter().find_map(|kind| ending.strip_prefix(kind));
    aside.is_some_and(|aside| aside.starts_with(DAMAGED))
}

/// Returns the size of a file and the XXH3-128 of what is in it.
fn hash(file: &dyn DiskFile) -> io::Result<(u64, u128)> {
    let mut room = vec![0; 256 << 10];
    let (mut hash, mut at) = (Xxh3::new(), 0);
    loop {
        let n_read = file.read_at(&mut room, at)?;
        if n_read == 0 {
            return Ok((at, hash.digest128()));
        }
        hash.update(&room[..n_read]);
        at += n_read as u64;
    }
}

fn read(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let n_bytes = file.n_bytes()?;
    if n_bytes > MAX_ENTRY_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than any that is read"));
    }
    let mut bytes = vec![0; n_bytes as usize];
    let mut at = 0;
    while at < bytes.len() {
        match file.read_at(&mut bytes[at..], at as u64)? {
            0 => break,
            n_read => at += n_read,
        }
    }
    bytes.truncate(at);
    Ok(bytes)
}
