//! What has become of a file since it was last looked at.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use logweir_pipeline::{FileCheckpoint, Fingerprint};

/// Where a checkpoint's file is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Whereabouts {
    /// Where it was, with this many bytes.
    There { size: u64 },
    /// In the same directory under another name, with this many bytes.
    Moved { path: PathBuf, size: u64 },
    /// It was emptied or written anew: what it holds is not what was delivered.
    Rewritten { size: u64 },
    /// Not in its directory any more.
    Gone,
    /// It cannot be looked at.
    Hidden,
}

impl Whereabouts {
    /// Returns the size of the file, in bytes as they lie on the disk.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::There { size } | Self::Moved { size, .. } | Self::Rewritten { size } => Some(*size),
            Self::Gone | Self::Hidden => None,
        }
    }

    /// Returns how many bytes are still to be delivered. Of a compressed file, whose offset counts what is in it, that
    /// is known only once it has been read to its end.
    pub(crate) fn lag(&self, file: &FileCheckpoint) -> Option<u64> {
        match self {
            Self::There { size } | Self::Moved { size, .. } if !file.is_compressed => {
                Some(size - file.offset)
            }
            Self::There { size } | Self::Moved { size, .. } => {
                file.finished_bytes.filter(|n_bytes| n_bytes == size).map(|_| 0)
            }
            Self::Rewritten { size } => Some(*size),
            Self::Gone | Self::Hidden => None,
        }
    }
}

/// Finds files, looking into each directory once.
#[derive(Default)]
pub(crate) struct Lookup {
    /// The names in a directory by their inode; empty if it cannot be listed.
    directories: HashMap<PathBuf, HashMap<u64, PathBuf>>,
}

impl Lookup {
    /// Returns where a file is now.
    pub(crate) fn find(&mut self, file: &FileCheckpoint) -> Whereabouts {
        match fs::metadata(&file.path) {
            Ok(metadata) if is_same(file, &metadata) => whereabouts(file, &file.path, &metadata),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Whereabouts::Hidden,
            _ => self.find_elsewhere(file).unwrap_or(Whereabouts::Gone),
        }
    }

    /// Returns where a file is that has another name now.
    fn find_elsewhere(&mut self, file: &FileCheckpoint) -> Option<Whereabouts> {
        let directory = file.path.parent()?;
        let names = self.directories.entry(directory.to_owned()).or_insert_with(|| names_in(directory));
        let path = names.get(&file.inode)?.clone();
        let metadata = fs::metadata(&path).ok().filter(|metadata| is_same(file, metadata))?;
        match whereabouts(file, &path, &metadata) {
            Whereabouts::There { size } => Some(Whereabouts::Moved { path, size }),
            // An inode that was given to another file: ours is gone.
            _ => None,
        }
    }
}

fn is_same(file: &FileCheckpoint, metadata: &Metadata) -> bool {
    // A number that was given to a pipe, say, is not that of a file any more.
    metadata.is_file() && (metadata.dev(), metadata.ino()) == (file.device, file.inode)
}

fn whereabouts(file: &FileCheckpoint, path: &Path, metadata: &Metadata) -> Whereabouts {
    let size = metadata.len();
    match holds_what_was_delivered(file, path) {
        Ok(true) => Whereabouts::There { size },
        Ok(false) => Whereabouts::Rewritten { size },
        Err(_) => Whereabouts::Hidden,
    }
}

/// Returns whether a file's content is as far as known that which the checkpoint speaks of.
fn holds_what_was_delivered(file: &FileCheckpoint, path: &Path) -> io::Result<bool> {
    let opened = File::open(path)?;
    if file.is_compressed {
        // Where reading came to is a place in what is in it.
        return fits(&opened, 0, file.head);
    }
    let tail_at = file.offset.saturating_sub(file.tail.n_bytes.into());
    Ok(opened.metadata()?.len() >= file.offset
        && fits(&opened, 0, file.head)?
        && fits(&opened, tail_at, file.tail)?)
}

/// Returns whether what a file holds from `offset` on has this fingerprint.
fn fits(mut file: &File, offset: u64, fingerprint: Fingerprint) -> io::Result<bool> {
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.take(fingerprint.n_bytes.into()).read_to_end(&mut content)?;
    Ok(Fingerprint::of(&content) == fingerprint)
}

fn names_in(directory: &Path) -> HashMap<u64, PathBuf> {
    let listed = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let found = fs::read_dir(listed).into_iter().flatten().flatten();
    found.map(|found| (found.ino(), directory.join(found.file_name()))).collect()
}
