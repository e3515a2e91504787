//! How many files the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit on open files as far as the process may by itself: the low default is there for programs that
/// cannot deal with more.
pub(crate) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::debug!(?current, ?maximum, "the limit on open files is raised"),
        // Some systems name no maximum and refuse to have none.
        Err(error) => tracing::debug!(?current, ?maximum, %error, "the limit on open files stays"),
    }
}
