//! The system's files under the paths as they are given.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use super::real_file::RealFile;
use super::{Disk, DiskFile};
use crate::append;

/// The system's files, with symbolic links followed wherever a path leads.
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

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // The file system does not know how. A second name in its place and then taking away the first is as good.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                fs::hard_link(from, to)?;
                fs::remove_file(from)
            }
            result => Ok(result?),
        }
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

/// Returns whether a directory is not looked into that cannot be listed for this reason.
pub(super) fn is_passed_over(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory)
}
