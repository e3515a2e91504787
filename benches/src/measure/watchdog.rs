//! Ends a process that keeps the bench waiting.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use logweir_testkit::process::{Signal, send_signal};

/// Does something with a process, and kills it if that is not done in time, so that who reads from it finds the end.
/// It must not have been waited for yet.
pub(super) fn watched<T>(pid: u32, limit: Duration, work: impl FnOnce() -> T) -> T {
    let (done, is_done) = sync_channel::<()>(0);
    thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                send_signal(pid, Signal::KILL);
            }
        });
        let result = work();
        drop(done);
        result
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use logweir_testkit::process::Run;

    use super::*;

    #[test]
    fn a_process_that_says_nothing_is_ended_and_one_in_time_is_not() {
        for (limit, lives) in [(Duration::from_millis(20), false), (Duration::from_secs(60), true)] {
            let mut running = Run::new("cat").hold_stdin().hold_stdout().start();
            let (stdin, mut stdout) = (running.take_stdin().unwrap(), running.take_stdout().unwrap());
            let mut written = Vec::new();
            watched(running.pid(), limit, || {
                if !lives {
                    stdout.read_to_end(&mut written).unwrap();
                }
            });
            drop(stdin);
            assert_eq!(running.wait().status.success(), lives);
        }
    }
}
