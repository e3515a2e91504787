//! Replaces a file so that a crash leaves the old content or the new.
//!
//! The order is what matters: the new content must be on the disk before its name is, or a loss of power could leave
//! the name on an empty file; and the name must be before anybody relies on it. A sync that failed is never tried again
//! on the same file: the system may have dropped what it could not write, and would then call the rest synced.

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::error::CheckpointError;

/// Gives `directory/name` the content `bytes`, by way of `directory/temporary`, and returns once that would survive a
/// loss of power.
///
/// # Errors
///
/// [`CheckpointError::Write`]; the file then has its old content or the new, and the call may be repeated.
pub(super) fn replace(
    disk: &impl Disk,
    directory: &Path,
    [temporary, name]: [&str; 2],
    bytes: &[u8],
) -> Result<(), CheckpointError> {
    let [temporary, path] = [directory.join(temporary), directory.join(name)];
    if let Err((step, source)) = write_new(disk, &temporary, bytes) {
        // Only in the way of the next attempt, which will say so.
        let _ = disk.remove(&temporary);
        return Err(CheckpointError::Write { step, path: temporary, source });
    }
    let failed = |step, path: &Path| {
        let path = PathBuf::from(path);
        move |source| CheckpointError::Write { step, path, source }
    };
    if let Err(source) = disk.rename(&temporary, &path) {
        let _ = disk.remove(&temporary);
        return Err(failed("replace", &path)(source));
    }
    disk.sync_directory(directory).map_err(failed("sync", directory))
}

fn write_new(disk: &impl Disk, path: &Path, bytes: &[u8]) -> Result<(), (&'static str, io::Error)> {
    let created = match disk.create_new(path) {
        // Left behind by an attempt that could not clean up.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            disk.remove(path).and_then(|()| disk.create_new(path))
        }
        created => created,
    };
    let mut file = created.map_err(|error| ("make", error))?;
    file.write_all(bytes).map_err(|error| ("write", error))?;
    disk.sync(&file).map_err(|error| ("sync", error))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Write;
    use std::rc::Rc;

    use super::*;

    const OLD: &[u8] = b"the old content";
    const NEW: &[u8] = b"the new content, which is longer";
    /// More steps than a replacement takes.
    const MANY: usize = 100;

    type Names = BTreeMap<PathBuf, usize>;

    /// What the file has after a loss of power, of all that may be left; `None` if it is not there.
    type Outcomes = BTreeSet<Option<Vec<u8>>>;

    /// A file system in memory that fails at one step, and knows what a loss of power would leave.
    #[derive(Default)]
    struct LossyDisk {
        /// All files there ever were.
        contents: Rc<RefCell<Vec<Content>>>,
        /// The directory after each change since it was synced, as it was synced first.
        directories: RefCell<Vec<Names>>,
        /// How many steps go well before one fails.
        n_good: Rc<Cell<usize>>,
        /// Whether nothing goes well any more once a step has failed: the process was killed.
        is_crash: bool,
    }

    #[derive(Default, Clone)]
    struct Content {
        written: Vec<u8>,
        is_synced: bool,
    }

    struct LossyFile {
        index: usize,
        contents: Rc<RefCell<Vec<Content>>>,
        n_good: Rc<Cell<usize>>,
        is_crash: bool,
    }

    fn step(n_good: &Cell<usize>, is_crash: bool) -> io::Result<()> {
        if let Some(left) = n_good.get().checked_sub(1) {
            n_good.set(left);
            return Ok(());
        }
        if !is_crash {
            n_good.set(MANY);
        }
        Err(io::Error::other("injected"))
    }

    impl LossyDisk {
        /// Returns one that holds [`OLD`] safely and fails after `n_good` steps.
        fn new(n_good: usize, is_crash: bool) -> Self {
            let disk = Self { is_crash, ..Self::default() };
            disk.contents.borrow_mut().push(Content { written: OLD.to_vec(), is_synced: true });
            disk.directories.borrow_mut().push([(path(), 0)].into());
            disk.n_good.set(n_good);
            disk
        }

        fn step(&self) -> io::Result<()> {
            step(&self.n_good, self.is_crash)
        }

        fn change(&self, change: impl FnOnce(&mut Names) -> io::Result<()>) -> io::Result<()> {
            self.step()?;
            let mut names = self.names();
            change(&mut names)?;
            self.directories.borrow_mut().push(names);
            Ok(())
        }

        fn names(&self) -> Names {
            self.directories.borrow().last().expect("there is always one").clone()
        }

        /// Returns what the file has for those who read it now.
        fn visible(&self) -> Option<Vec<u8>> {
            let index = *self.names().get(&path())?;
            Some(self.contents.borrow()[index].written.clone())
        }

        fn after_power_loss(&self) -> Outcomes {
            let directories = self.directories.borrow();
            let indices = directories.iter().map(|names| names.get(&path()));
            indices.flat_map(|index| self.remains(index.copied())).collect()
        }

        /// Returns what may be left of a file: all of it if it was synced.
        fn remains(&self, index: Option<usize>) -> Vec<Option<Vec<u8>>> {
            let Some(index) = index else { return vec![None] };
            let Content { written, is_synced } = self.contents.borrow()[index].clone();
            if is_synced {
                return vec![Some(written)];
            }
            let zeros = vec![0; written.len()];
            vec![Some(Vec::new()), Some(written[..written.len() / 2].to_vec()), Some(zeros), Some(written)]
        }
    }

    impl Disk for LossyDisk {
        type File = LossyFile;

        fn create_new(&self, path: &Path) -> io::Result<LossyFile> {
            let index = self.contents.borrow().len();
            self.change(|names| match names.insert(path.to_owned(), index) {
                Some(_) => Err(ErrorKind::AlreadyExists.into()),
                None => Ok(()),
            })?;
            self.contents.borrow_mut().push(Content::default());
            let (contents, n_good) = (self.contents.clone(), self.n_good.clone());
            Ok(LossyFile { index, contents, n_good, is_crash: self.is_crash })
        }

        fn sync(&self, file: &LossyFile) -> io::Result<()> {
            self.step()?;
            self.contents.borrow_mut()[file.index].is_synced = true;
            Ok(())
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.change(|names| {
                let index = names.remove(from).ok_or(ErrorKind::NotFound)?;
                names.insert(to.to_owned(), index);
                Ok(())
            })
        }

        fn sync_directory(&self, _: &Path) -> io::Result<()> {
            self.step()?;
            let now = self.names();
            self.directories.replace(vec![now]);
            Ok(())
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            self.change(|names| names.remove(path).map(drop).ok_or(ErrorKind::NotFound.into()))
        }
    }

    impl Write for LossyFile {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            step(&self.n_good, self.is_crash)?;
            let n = bytes.len().min(7);
            let content = &mut self.contents.borrow_mut()[self.index];
            content.written.extend_from_slice(&bytes[..n]);
            content.is_synced = false;
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn path() -> PathBuf {
        PathBuf::from("/state/a")
    }

    fn replace_on(disk: &LossyDisk) -> Result<(), CheckpointError> {
        replace(disk, Path::new("/state"), ["a.new", "a"], NEW)
    }

    fn only(content: &[u8]) -> Outcomes {
        [Some(content.to_vec())].into()
    }

    fn old_or_new() -> Outcomes {
        [Some(OLD.to_vec()), Some(NEW.to_vec())].into()
    }

    #[test]
    fn a_crash_at_any_step_leaves_the_old_content_or_the_new() {
        let mut n_crashes = 0;
        for n_good in 0..MANY {
            let disk = LossyDisk::new(n_good, true);
            let replaced = replace_on(&disk);
            assert!(disk.after_power_loss().is_subset(&old_or_new()), "after {n_good} steps");
            assert!(old_or_new().contains(&disk.visible()), "after {n_good} steps");
            if replaced.is_ok() {
                assert_eq!(disk.after_power_loss(), only(NEW), "what is safe is the new one");
            } else {
                n_crashes += 1;
            }
        }
        // Five pieces are written, and four steps are not writes.
        assert_eq!(n_crashes, 9);
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_content_or_the_new_and_may_be_repeated() {
        for n_good in 0..9 {
            let disk = LossyDisk::new(n_good, false);
            replace_on(&disk).expect_err("a step has failed");
            assert!(disk.after_power_loss().is_subset(&old_or_new()), "after {n_good} steps");
            assert_eq!(disk.names().len(), 1, "nothing is left in the way");
            replace_on(&disk).expect("it may be repeated");
            assert_eq!(disk.after_power_loss(), only(NEW));
        }
    }

    #[test]
    fn what_an_attempt_has_left_is_not_in_the_way() {
        let disk = LossyDisk::new(MANY, false);
        disk.create_new(Path::new("/state/a.new")).expect("it is new");
        replace_on(&disk).expect("it is removed");
        assert_eq!((disk.after_power_loss(), disk.names().len()), (only(NEW), 1));
    }
}
