//! What was delivered in batches: a directory of compressed objects.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;

/// The directory that batches are delivered to, each as an object that comes whole. One that comes again under the same
/// name must be the same.
#[derive(Debug)]
pub(super) struct Objects {
    dir: PathBuf,
    /// The objects that have been read.
    known: HashMap<PathBuf, Known>,
    /// Those that came again and were another.
    pub(super) n_changed: u64,
}

/// An object that has been read.
#[derive(Debug)]
struct Known {
    inode: u64,
    /// What it held; `None` once it was removed to make room.
    bytes: Option<Vec<u8>>,
}

impl Objects {
    /// Returns those of the directory at `dir`, which need not be there yet.
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, known: HashMap::new(), n_changed: 0 }
    }

    /// Returns what the objects hold, decompressed, that have come since the last time.
    pub(super) fn news(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut news = Vec::new();
        for path in objects(&self.dir)? {
            let inode = match fs::metadata(&path) {
                // Replaced by the same at this very moment.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                metadata => metadata?.ino(),
            };
            if self.known.get(&path).is_some_and(|known| known.inode == inode) {
                continue;
            }
            let bytes = fs::read(&path)?;
            match self.known.get_mut(&path) {
                None => {
                    news.push(decompressed(&bytes)?);
                    self.known.insert(path, Known { inode, bytes: Some(bytes) });
                }
                Some(known) => {
                    self.n_changed += u64::from(known.bytes.as_ref().is_some_and(|before| *before != bytes));
                    known.inode = inode;
                }
            }
        }
        Ok(news)
    }

    /// Forgets what objects hold, of which there are more than `max_bytes`; to be called while nobody writes any. They are
    /// still known, so that none of them counts twice.
    pub(super) fn forget_beyond(&mut self, max_bytes: u64) -> io::Result<()> {
        let held = |known: &Known| known.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if self.known.values().map(held).sum::<u64>() <= max_bytes {
            return Ok(());
        }
        for (path, known) in &mut self.known {
            known.bytes = None;
            fs::write(path, "")?;
            known.inode = fs::metadata(path)?.ino();
        }
        Ok(())
    }
}

/// Returns the objects in a directory and below, without those that are being written.
fn objects(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                dirs.push(entry.path());
            } else if Path::new(&entry.file_name()).extension() == Some(OsStr::new("gz")) {
                found.push(entry.path());
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Returns what an object holds: a single member of gzip, and nothing behind it.
fn decompressed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let (mut content, mut decoder) = (Vec::new(), GzDecoder::new(bytes));
    decoder.read_to_end(&mut content)?;
    let rest = decoder.into_inner();
    if rest.is_empty() {
        Ok(content)
    } else {
        Err(io::Error::other("an object has something behind its end"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use logweir_testkit::scratch::Scratch;

    use super::*;

    fn gzip(content: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// Puts an object where it belongs as a whole.
    fn put(scratch: &Scratch, name: &str, bytes: &[u8]) {
        let part = scratch.write("part", bytes);
        fs::create_dir_all(scratch.path("objects/20261122")).unwrap();
        fs::rename(part, scratch.path("objects/20261122").join(name)).unwrap();
    }

    #[test]
    fn each_object_comes_once_and_one_that_changes_is_noticed() {
        let scratch = Scratch::new();
        let mut objects = Objects::new(scratch.path("objects"));
        assert!(objects.news().unwrap().is_empty());
        put(&scratch, "a.log.gz", &gzip("1\n"));
        put(&scratch, ".b.log.gz.part", b"half");
        assert_eq!(objects.news().unwrap(), [b"1\n"]);
        put(&scratch, "a.log.gz", &gzip("1\n"));
        assert!(objects.news().unwrap().is_empty() && objects.n_changed == 0, "the same again");
        put(&scratch, "a.log.gz", &gzip("2\n"));
        assert!(objects.news().unwrap().is_empty());
        assert_eq!(objects.n_changed, 1);
        put(&scratch, "b.log.gz", &gzip("3\n"));
        assert_eq!(objects.news().unwrap(), [b"3\n"]);
        objects.forget_beyond(1).unwrap();
        assert!(objects.news().unwrap().is_empty(), "they are still known");
        put(&scratch, "b.log.gz", &gzip("3\n"));
        assert!(objects.news().unwrap().is_empty() && objects.n_changed == 1);
    }

    #[test]
    fn what_is_no_whole_object_is_an_error() {
        for bytes in [&gzip("1\n")[..10], b"plain", &[gzip("1\n"), b"x".to_vec()].concat()] {
            let scratch = Scratch::new();
            put(&scratch, "a.log.gz", bytes);
            Objects::new(scratch.path("objects")).news().unwrap_err();
        }
    }
}
