//! Who works with a state directory, for people.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{major, minor};

use super::state_dir::LOCK;

/// Where Linux lists the locks that are held.
const LOCKS: &str = "/proc/locks";

/// Returns the process that has locked a state directory, as far as this machine tells; `None` if nobody has. The lock is
/// not tried, which might keep away a process that starts at this moment.
pub fn state_dir_holder(directory: &Path) -> Option<u32> {
    let lock = fs::metadata(directory.join(LOCK)).ok()?;
    let held = fs::read_to_string(LOCKS).ok()?;
    let device = lock.dev();
    let file = format!("{:02x}:{:02x}:{}", major(device), minor(device), lock.ino());
    held.lines().find_map(|line| holder(line, &file))
}

/// Returns the process of a line like `1: FLOCK  ADVISORY  WRITE 708 08:01:1234 0 EOF` if it is about this file.
fn holder(line: &str, file: &str) -> Option<u32> {
    // With an arrow it is somebody who waits.
    let mut words = Some(line)
        .filter(|line| !line.contains("->"))?
        .split_whitespace()
        .skip_while(|word| *word != "FLOCK");
    let process = words.nth(3)?;
    (words.next()? == file).then(|| process.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_process_that_holds_the_file() {
        let line = "1: FLOCK  ADVISORY  WRITE 708 08:01:1234 0 EOF";
        assert_eq!(holder(line, "08:01:1234"), Some(708));
        assert_eq!(holder(line, "08:01:12345"), None);
        assert_eq!(holder("1: -> FLOCK  ADVISORY  WRITE 709 08:01:1234 0 EOF", "08:01:1234"), None);
        assert_eq!(holder("2: POSIX  ADVISORY  WRITE 9 08:01:1234 0 EOF", "08:01:1234"), None);
        assert_eq!(holder("", "08:01:1234"), None);
    }
}
