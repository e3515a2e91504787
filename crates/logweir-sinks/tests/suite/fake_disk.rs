//! A disk in memory that fails as it is told to, and forgets what was not synced.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use logweir_event::FileId;
use logweir_sinks::{Disk, DiskFile};

/// What becomes of a write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    None,
    /// Only so many bytes are taken.
    Short(usize),
    /// So many bytes are taken, and the next write fails with this error number.
    Fails(usize, i32),
}

/// A disk in memory; a clone is the same.
#[derive(Clone, Default, Debug)]
pub(crate) struct FakeDisk(Arc<Mutex<State>>);

#[derive(Default, Debug)]
struct State {
    /// As the system shows it.
    names: BTreeMap<PathBuf, usize>,
    /// What would be left without power.
    durable_names: BTreeMap<PathBuf, usize>,
    inodes: Vec<Inode>,
    n_handles: usize,
    plan: Plan,
    /// The error of the next write.
    next_error: Option<i32>,
    /// Whether nobody may see where paths lead.
    is_hidden: bool,
    /// How many changes are still made before nothing goes any more, as if the process were killed.
    n_changes_left: Option<usize>,
}

/// What goes wrong; what is not said goes well.
#[derive(Clone, Default, Debug)]
pub(crate) struct Plan {
    /// What becomes of each write.
    pub(crate) writes: VecDeque<Fault>,
    /// Whether each sync fails, and loses what was not synced.
    pub(crate) syncs: VecDeque<bool>,
    /// Whether each opening and renaming fails.
    pub(crate) names: VecDeque<bool>,
    /// Whether each cutting fails.
    pub(crate) cuts: VecDeque<bool>,
    /// How many bytes there is room for.
    pub(crate) capacity: Option<usize>,
}

#[derive(Default, Debug)]
struct Inode {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// What a failed sync has lost although the system shows it.
    lost: Range<usize>,
    /// The handle that has locked it.
    locked_by: Option<usize>,
}

impl FakeDisk {
    pub(crate) fn new(plan: Plan) -> Self {
        Self(Arc::new(Mutex::new(State { plan, ..State::default() })))
    }

    /// Has nothing more go wrong.
    pub(crate) fn mend(&self) {
        let mut state = self.lock();
        state.plan = Plan::default();
        state.next_error = None;
    }

    /// Returns one on which nothing goes any more after so many changes, until it is [revived](FakeDisk::revive).
    pub(crate) fn dying_after(n_changes: usize) -> Self {
        let disk = Self::default();
        disk.die_after(n_changes);
        disk
    }

    /// Has nothing go any more after so many changes.
    pub(crate) fn die_after(&self, n_changes: usize) {
        self.lock().n_changes_left = Some(n_changes);
    }

    /// Returns whether nothing goes any more.
    pub(crate) fn is_dead(&self) -> bool {
        self.lock().n_changes_left == Some(0)
    }

    /// Has everything go again, as for a new process: nothing is locked.
    pub(crate) fn revive(&self) {
        let mut state = self.lock();
        state.n_changes_left = None;
        for inode in &mut state.inodes {
            inode.locked_by = None;
        }
    }

    /// Returns what is in a file, if it is there.
    pub(crate) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.lock();
        state.alive().ok()?;
        state.names.get(path).map(|&inode| state.inodes[inode].bytes.clone())
    }

    /// Changes what is in a file, on the disk too.
    pub(crate) fn damage(&self, path: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        let inode = state.names[path];
        let inode = &mut state.inodes[inode];
        damage(&mut inode.bytes);
        inode.durable.clone_from(&inode.bytes);
    }

    /// Has only what was synced left, and of what was not, so many bytes of each file that happened to be written.
    pub(crate) fn lose_power(&self, n_lucky: usize) {
        let mut state = self.lock();
        state.names = state.durable_names.clone();
        for inode in &mut state.inodes {
            let n_durable = inode.durable.len();
            let kept = inode.bytes.get(n_durable..).filter(|_| inode.bytes.starts_with(&inode.durable));
            let lucky = kept.map(|kept| kept[..n_lucky.min(kept.len())].to_vec()).unwrap_or_default();
            inode.bytes = inode.durable.clone();
            inode.bytes.extend(lucky);
            inode.durable = inode.bytes.clone();
            (inode.lost, inode.locked_by) = (0..0, None);
        }
    }

    /// Returns the files as the system shows them.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.lock();
        state.names.iter().map(|(name, &inode)| (name.clone(), state.inodes[inode].bytes.clone())).collect()
    }

    /// Returns the files that would be left without power.
    pub(crate) fn durable_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.lock();
        let file = |(name, &inode): (&PathBuf, &usize)| (name.clone(), state.inodes[inode].durable.clone());
        state.durable_names.iter().map(file).collect()
    }

    /// Moves a file away, as somebody else would.
    pub(crate) fn steal(&self, from: &str, to: &str) {
        let mut state = self.lock();
        let inode = state.names.remove(Path::new(from)).expect("the file is there");
        state.names.insert(to.into(), inode);
        state.durable_names = state.names.clone();
    }

    /// Removes a file, as somebody else would.
    pub(crate) fn unlink(&self, path: &str) {
        let mut state = self.lock();
        state.names.remove(Path::new(path)).expect("the file is there");
        state.durable_names = state.names.clone();
    }

    /// Lets nobody see where paths lead, or everybody again.
    pub(crate) fn hide(&self, is_hidden: bool) {
        self.lock().is_hidden = is_hidden;
    }

    /// Makes a file shorter, as somebody else would.
    pub(crate) fn truncate(&self, path: &str, n_bytes: usize) {
        let mut state = self.lock();
        let inode = state.names[Path::new(path)];
        state.inodes[inode].bytes.truncate(n_bytes);
    }

    /// Has there be room for so many more bytes, or without end.
    pub(crate) fn make_room(&self, capacity: Option<usize>) {
        self.lock().plan.capacity = capacity;
    }

    /// Has the next sync fail and lose what it should have synced.
    pub(crate) fn fail_next_sync(&self) {
        self.lock().plan.syncs.push_front(true);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn alive(&self) -> io::Result<()> {
        if self.n_changes_left == Some(0) { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }

    /// Counts a change.
    fn change(&mut self) -> io::Result<()> {
        self.alive()?;
        self.n_changes_left = self.n_changes_left.map(|n| n - 1);
        Ok(())
    }

    fn fails(&mut self) -> io::Result<()> {
        if self.plan.names.pop_front() == Some(true) { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }
}

impl Disk for FakeDisk {
    fn make_dirs(&self, _dir: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        state.alive()?;
        state.fails()?;
        if !state.names.contains_key(path) {
            state.change()?;
        }
        let inode = if let Some(&inode) = state.names.get(path) {
            inode
        } else {
            let inode = state.inodes.len();
            state.inodes.push(Inode::default());
            state.names.insert(path.to_owned(), inode);
            inode
        };
        state.n_handles += 1;
        Ok(Box::new(FakeFile { disk: self.clone(), inode, handle: state.n_handles }))
    }

    fn open_beside(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.change()?;
        state.fails()?;
        if state.names.contains_key(to) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let inode = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.change()?;
        state.names.remove(path).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.change()?;
        let is_in = |path: &Path| path.parent() == Some(dir);
        let shown: Vec<_> =
            state.names.iter().filter(|(path, _)| is_in(path)).map(|(p, i)| (p.clone(), *i)).collect();
        state.durable_names.retain(|path, _| !is_in(path));
        state.durable_names.extend(shown);
        Ok(())
    }

    fn files_below(&self, dir: &Path, _depth: usize) -> io::Result<Vec<PathBuf>> {
        self.lock().alive()?;
        Ok(self.lock().names.keys().filter(|path| path.starts_with(dir)).cloned().collect())
    }

    fn first_pause(&self) -> Duration {
        Duration::from_micros(100)
    }
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    inode: usize,
    handle: usize,
}

impl FakeFile {
    fn with<T>(&self, change: impl FnOnce(&mut Inode, &mut Plan) -> T) -> T {
        let mut state = self.disk.lock();
        let State { inodes, plan, .. } = &mut *state;
        change(&mut inodes[self.inode], plan)
    }
}

impl Drop for FakeFile {
    fn drop(&mut self) {
        let handle = self.handle;
        if let Ok(mut state) = self.disk.0.lock() {
            let inode = &mut state.inodes[self.inode];
            inode.locked_by.take_if(|by| *by == handle);
        }
    }
}

impl DiskFile for FakeFile {
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.disk.lock();
        state.change()?;
        if let Some(error) = state.next_error.take() {
            return Err(io::Error::from_raw_os_error(error));
        }
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut n_taken = match state.plan.writes.pop_front().unwrap_or(Fault::None) {
            Fault::None => offered,
            Fault::Short(n) => n.clamp(1, offered),
            Fault::Fails(n, error) => {
                state.next_error = Some(error);
                n.min(offered)
            }
        };
        let n_used: usize = state.inodes.iter().map(|inode| inode.bytes.len()).sum();
        let room = state.plan.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(n_used));
        if room == 0 || n_taken == 0 {
            state.next_error = None;
            return Err(io::Error::from_raw_os_error(if room == 0 { 28 } else { 5 }));
        }
        n_taken = n_taken.min(room);
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied()).take(n_taken);
        state.inodes[self.inode].bytes.extend(bytes);
        Ok(n_taken)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.lock().change()?;
        self.with(|inode, plan| {
            let n_bytes = inode.bytes.len();
            if plan.syncs.pop_front() == Some(true) {
                inode.lost = inode.durable.len().min(n_bytes)..n_bytes;
                return Err(io::Error::from_raw_os_error(5));
            }
            inode.durable = inode.bytes.clone();
            let lost = inode.lost.start.min(n_bytes)..inode.lost.end.min(n_bytes);
            inode.durable[lost].fill(0);
            Ok(())
        })
    }

    fn n_bytes(&self) -> io::Result<u64> {
        Ok(self.with(|inode, _| inode.bytes.len() as u64))
    }

    fn cut(&self, n_bytes: u64) -> io::Result<()> {
        self.disk.lock().change()?;
        self.with(|inode, plan| {
            if plan.cuts.pop_front() == Some(true) {
                return Err(io::Error::from_raw_os_error(5));
            }
            let n_bytes = n_bytes as usize;
            inode.bytes.truncate(n_bytes);
            inode.lost.end = inode.lost.end.min(n_bytes).max(inode.lost.start);
            Ok(())
        })
    }

    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        self.disk.lock().alive()?;
        self.with(|inode, _| {
            let rest = inode.bytes.get(at as usize..).unwrap_or_default();
            let n_read = rest.len().min(room.len());
            room[..n_read].copy_from_slice(&rest[..n_read]);
            Ok(n_read)
        })
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let state = self.disk.lock();
        if state.is_hidden {
            Err(ErrorKind::PermissionDenied.into())
        } else {
            Ok(state.names.get(path) == Some(&self.inode))
        }
    }

    fn has_name(&self) -> io::Result<bool> {
        Ok(self.disk.lock().names.values().any(|&inode| inode == self.inode))
    }

    fn try_lock(&self) -> io::Result<bool> {
        let handle = self.handle;
        Ok(self.with(|inode, _| *inode.locked_by.get_or_insert(handle) == handle))
    }

    fn id(&self) -> Option<FileId> {
        None
    }
}
