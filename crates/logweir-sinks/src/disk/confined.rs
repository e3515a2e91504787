//! The system's files below one directory.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use logweir_event::FileId;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, statat};
use rustix::io::Errno;

use super::following::{is_passed_over, rename_to_free};
use super::real_file::RealFile;
use super::{Disk, DiskFile};

/// The system's files below a base directory, which the tokens of a path must not lead out of: below it no symbolic
/// link is followed, and no `..`.
///
/// Every path is walked from the base anew, one directory at a time, each opened in the one before: so nobody can put a
/// link in the way between looking and opening. Paths begin with the base.
#[derive(Clone, Debug)]
pub(crate) struct ConfinedDisk {
    base: PathBuf,
}

/// What a directory is opened for: to open others in it.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

const FILE_MODE: Mode = Mode::from_raw_mode(0o666);
const DIR_MODE: Mode = Mode::from_raw_mode(0o777);

impl ConfinedDisk {
    /// Returns the files below `base`; empty, it is the working directory.
    pub(crate) fn new(base: PathBuf) -> Self {
        let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
        Self { base }
    }

    /// Returns the identity of what a path leads to.
    pub(super) fn id(&self, path: &Path) -> io::Result<FileId> {
        let (dir, name) = self.parent(path)?;
        // Opened only as a place, for which no permission is needed, where the system knows that.
        #[cfg(target_os = "linux")]
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        #[cfg(not(target_os = "linux"))]
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(dir, name, flags, Mode::empty())?);
        Ok(FileId::from(&file.metadata()?))
    }

    /// Returns the names that lead from the base to `path`.
    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let below = match path.strip_prefix(&self.base) {
            Ok(below) => below,
            Err(_) if self.base == Path::new(".") => path,
            Err(_) => return Err(escapes()),
        };
        let name = |component| match component {
            Component::Normal(name) => Ok(name.to_owned()),
            _ => Err(escapes()),
        };
        below.components().map(name).collect()
    }

    fn base(&self) -> io::Result<OwnedFd> {
        Ok(openat(CWD, &self.base, DIRECTORY, Mode::empty())?)
    }

    /// Returns the directory, opened from the base down.
    fn dir(&self, dir: &Path) -> io::Result<OwnedFd> {
        let names = self.names(dir)?;
        names.iter().try_fold(self.base()?, |dir, name| step(&dir, name))
    }

    /// Returns the directory that a file lies in, and the file's name in it.
    fn parent<'a>(&self, path: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(escapes()) };
        Ok((self.dir(parent)?, name))
    }
}

impl Disk for ConfinedDisk {
    fn make_dirs(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let mut changed = super::FollowingDisk.make_dirs(&self.base)?;
        let mut at = self.base()?;
        let mut path = self.base.clone();
        for name in self.names(dir)? {
            match mkdirat(&at, &name, DIR_MODE) {
                Ok(()) => changed.push(path.clone()),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            at = step(&at, &name)?;
            path.push(name);
        }
        Ok(changed)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let (dir, name) = self.parent(path)?;
        Ok(Box::new(RealFile::new(open_itself(&dir, Path::new(name))?, Some(self.base.clone()))?))
    }

    fn open_beside(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let ((from_dir, from), (to_dir, to)) = (self.parent(from)?, self.parent(to)?);
        Ok(rename_to_free(&from_dir, from, &to_dir, to)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.parent(path)?;
        Ok(rustix::fs::unlinkat(dir, name, AtFlags::empty())?)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // Above the base are the directories that had to be made for it.
        let Ok(dir) = self.dir(dir) else { return super::FollowingDisk.sync_dir(dir) };
        match rustix::fs::fsync(dir) {
            Err(Errno::INVAL) => Ok(()),
            result => Ok(result?),
        }
    }

    fn files_below(&self, dir: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut dirs = vec![(dir.to_owned(), depth)];
        while let Some((path, depth)) = dirs.pop() {
            let dir = match self.dir(&path) {
                Err(error) if is_passed_over(&error) => continue,
                result => result?,
            };
            for entry in rustix::fs::Dir::read_from(&dir)? {
                let entry = entry?;
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                if name == "." || name == ".." {
                    continue;
                }
                match file_type(&dir, name) {
                    Some(FileType::Directory) if depth > 0 => dirs.push((path.join(name), depth - 1)),
                    Some(FileType::RegularFile) => files.push(path.join(name)),
                    _ => {}
                }
            }
        }
        files.sort_unstable();
        Ok(files)
    }
}

/// Opens a file to add to its end, made if it is missing, unless its last name is that of a symbolic link.
pub(super) fn open_itself(dir: impl AsFd, path: &Path) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match openat(&dir, path, flags | OFlags::RDWR, FILE_MODE) {
        // Reading is only for looking at its end.
        Err(Errno::ACCESS) => openat(&dir, path, flags | OFlags::WRONLY, FILE_MODE)?,
        result => result?,
    };
    Ok(file.into())
}

/// Returns what a name in a directory stands for; `None` if it is gone.
fn file_type(dir: &OwnedFd, name: &OsStr) -> Option<FileType> {
    let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}

fn step(dir: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    Ok(openat(dir, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?)
}

fn escapes() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it leads out of the base directory of the path")
}
