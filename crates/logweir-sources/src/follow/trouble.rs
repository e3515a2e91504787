//! What to do where a file cannot be opened or read.

use std::io;
use std::time::Instant;

use super::Follower;

impl Follower {
    /// Takes note that a file could not be opened or read, to try again after a pause.
    pub(super) fn cannot(&mut self, what: &'static str, key: u32, error: &io::Error) {
        if what == "open" && error.kind() == io::ErrorKind::NotFound {
            // It has gone since it was found; the next search finds out where to.
            self.search_soon();
            return;
        }
        if is_too_many_open(error) {
            self.close_some();
        }
        let pace = self.pace;
        let Some(file) = self.files.get_mut(key) else { return };
        let pause = file.retry.map_or(pace.retry_after, |(_, pause)| pace.longer(pause));
        file.retry = Some((Instant::now() + pause, pause));
        self.is_tending = true;
        let path = file.path.display().to_string();
        let told = io::Error::new(error.kind(), format!("cannot {what} {path}: {error}"));
        if self.condition.trouble(&path, what, &told) {
            tracing::error!(
                path,
                error = error as &dyn std::error::Error,
                "a file cannot be read; it is tried again"
            );
        }
    }

    /// Closes a file or two, as the process may open no more.
    pub(super) fn close_some(&mut self) {
        if !self.files.close_one() {
            self.files.let_go(true);
        }
    }

    pub(super) fn clear_trouble(&mut self, key: u32) {
        let Some(file) = self.files.get_mut(key) else { return };
        if file.retry.take().is_some() {
            let path = file.path.display().to_string();
            if self.condition.clear(&path) {
                tracing::info!(path, "the file can be read again");
            }
        }
    }
}

/// Returns whether the process, or the system, may open no more files.
pub(super) fn is_too_many_open(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error();
    code == Some(Errno::MFILE.raw_os_error()) || code == Some(Errno::NFILE.raw_os_error())
}
