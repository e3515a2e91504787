//! The system's files under the paths as they are given.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, RenameFlags, linkat, renameat, renameat_with, statat, unlinkat};
use rustix::io::Errno;

use super::confined::open_itself;
use super::real_file::RealFile;
use super::{Disk, DiskFile};
use crate::append;

/// The system's files, with symbolic links followed wherever a path leads that somebody has given us.
#[derive(Debug)]
pub(crate) struct FollowingDisk;

impl Disk for FollowingDisk {
    fn make_dirs(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        if dir.as_os_str().is_empty() || dir.is_dir() {
            return Ok(Vec::new());
        }
        let above = dir.parent().unwrap_or(Path::new(""));
        let mut changed = self.make_dirs(above)?;
        match fs::create_dir(dir) {
            Ok(()) => changed.push(above.to_owned()),
            Err(_) if dir.is_dir() => {}
            Err(error) => return Err(error),
        }
        Ok(changed)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile::new(append::open(path)?, None)?))
    }

    fn open_beside(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile::new(open_itself(CWD, path)?, None)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(rename_to_free(CWD, from.as_os_str(), CWD, to.as_os_str())?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        append::sync_dir(if dir.as_os_str().is_empty() { Path::new(".") } else { dir })
    }

    fn files_below(&self, dir: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut dirs = vec![(dir.to_owned(), depth)];
        while let Some((dir, depth)) = dirs.pop() {
            let listed = fs::read_dir(if dir.as_os_str().is_empty() { Path::new(".") } else { &dir });
            let entries = match listed {
                Err(error) if is_passed_over(&error) => continue,
                result => result?,
            };
            for entry in entries {
                let entry = entry?;
                let (path, file_type) = (dir.join(entry.file_name()), entry.file_type()?);
                if file_type.is_dir() && depth > 0 {
                    dirs.push((path, depth - 1));
                } else if file_type.is_file() {
                    files.push(path);
                }
            }
        }
        files.sort_unstable();
        Ok(files)
    }
}

/// Gives a file a name that nothing has yet.
pub(super) fn rename_to_free(
    from_dir: impl AsFd,
    from: &OsStr,
    to_dir: impl AsFd,
    to: &OsStr,
) -> rustix::io::Result<()> {
    match renameat_with(&from_dir, from, &to_dir, to, RenameFlags::NOREPLACE) {
        // Where the file system does not know how, a second name is as good, if the first is then taken away.
        Err(Errno::INVAL | Errno::NOSYS) => {}
        result => return result,
    }
    match linkat(&from_dir, from, &to_dir, to, AtFlags::empty()) {
        // Where it does not know that either, we can only look first.
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::MLINK) => {
            match statat(&to_dir, to, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => renameat(from_dir, from, to_dir, to),
                result => result.and(Err(Errno::EXIST)),
            }
        }
        result => result.and_then(|()| unlinkat(from_dir, from, AtFlags::empty())),
    }
}

/// Returns whether a directory is not looked into that cannot be listed for this reason.
pub(super) fn is_passed_over(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory)
}
