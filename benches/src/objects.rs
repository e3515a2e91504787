//! What batches hold that were put into a directory.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use anyhow::{Context as _, ensure};
use flate2::bufread::GzDecoder;

/// What the name of a batch ends in that is compressed as it is where nothing is said.
const ENDING: &str = ".log.gz";
/// What is read at once.
const PIECE_BYTES: usize = 256 << 10;

/// The batches in a directory.
pub(crate) struct Objects {
    /// In the order of their names, which begin with the time of the first event. Those of a workload have times that
    /// never fall, and a batch has events of many seconds.
    paths: Vec<PathBuf>,
    /// Their size in bytes.
    pub(crate) n_bytes: u64,
}

impl Objects {
    /// Finds them.
    ///
    /// # Errors
    ///
    /// If there is something else, or the directory cannot be read.
    pub(crate) fn find(directory: &Path) -> anyhow::Result<Self> {
        let (mut paths, mut n_bytes) = (Vec::new(), 0);
        for found in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
            let found = found?;
            let name = found.file_name().to_string_lossy().into_owned();
            ensure!(name.ends_with(ENDING) && !name.starts_with('.'), "{name} is no batch");
            n_bytes += found.metadata()?.len();
            paths.push(found.path());
        }
        paths.sort();
        Ok(Self { paths, n_bytes })
    }

    /// Returns how many there are.
    pub(crate) fn n(&self) -> usize {
        self.paths.len()
    }

    /// Returns what they hold, one after the other. Reading fails where one is not a single gzip member.
    pub(crate) fn read(self) -> impl BufRead {
        BufReader::with_capacity(PIECE_BYTES, Contents { rest: self.paths.into_iter(), object: None })
    }
}

/// What is in objects, one after the other.
struct Contents {
    /// Those that have not been opened.
    rest: IntoIter<PathBuf>,
    /// The one at hand, and what it is called.
    object: Option<(GzDecoder<BufReader<File>>, PathBuf)>,
}

impl Read for Contents {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some((decoder, path)) = &mut self.object {
                let failed = |problem: &dyn std::fmt::Display| {
                    io::Error::other(format!("{}: {problem}", path.display()))
                };
                let n_read = decoder.read(room).map_err(|error| failed(&error))?;
                if n_read > 0 {
                    return Ok(n_read);
                }
                if !decoder.get_mut().fill_buf()?.is_empty() {
                    return Err(failed(&"there is more than one gzip member"));
                }
            }
            let Some(path) = self.rest.next() else { return Ok(0) };
            let file = BufReader::with_capacity(PIECE_BYTES, File::open(&path)?);
            self.object = Some((GzDecoder::new(file), path));
        }
    }
}

#[cfg(test)]
mod tests {
    use logweir_testkit::compress::gzip;

    use super::*;

    /// Returns what is in objects with these names, or why that cannot be known.
    fn contents(objects: &[(&str, Vec<u8>)]) -> Result<String, String> {
        let scratch = tempfile::tempdir().unwrap();
        for (name, bytes) in objects {
            fs::write(scratch.path().join(name), bytes).unwrap();
        }
        let found = Objects::find(scratch.path()).map_err(|error| error.to_string())?;
        assert_eq!(found.n_bytes, objects.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
        let mut text = String::new();
        found.read().read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[test]
    fn objects_are_read_in_the_order_of_their_names() {
        let objects = [("2.log.gz", gzip(b"c\nd\n")), ("1.log.gz", gzip(b"a\nb\n"))];
        assert_eq!(contents(&objects), Ok("a\nb\nc\nd\n".to_owned()));
        assert_eq!(contents(&[]), Ok(String::new()));
    }

    #[test]
    fn what_is_no_single_gzip_member_is_no_object() {
        let two = [gzip(b"a\n"), gzip(b"b\n")].concat();
        let behind = [gzip(b"a\n"), b"\n".to_vec()].concat();
        let mut cut = gzip(b"a\n");
        cut.pop();
        for wrong in [two, behind, cut, b"a\n".to_vec(), Vec::new()] {
            let said = contents(&[("1.log.gz", wrong.clone())]).unwrap_err();
            assert!(said.contains("1.log.gz: "), "{said}: {wrong:?}");
        }
        for name in ["1.log", ".1.log.gz.part", ".1.log.gz"] {
            assert_eq!(contents(&[(name, gzip(b"a\n"))]), Err(format!("{name} is no batch")));
        }
    }
}
