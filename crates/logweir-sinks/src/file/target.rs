//! Which file is to be written, and what it is called before and after it is complete.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;

use super::config::{FileMode, FileSinkConfig};
use crate::error::SinkError;
use crate::template::{Part, PathTemplate, SinkNames, is_confined};

/// What the name of a file that is not complete ends in.
const PART: &str = ".part";

/// The endings that say how a file is compressed: a number goes before them, and before the one they stand behind.
const COMPRESSED: [&str; 4] = ["gz", "gzip", "zst", "zstd"];

/// The files that a sink writes, one after the other.
#[derive(Debug)]
pub(super) struct Target {
    /// The template with the names in it.
    template: PathTemplate,
    /// Whether the one file it writes is called so from the start.
    in_place: bool,
}

impl Target {
    /// Returns the files that `config` names.
    ///
    /// # Errors
    ///
    /// [`SinkError::Refused`] if there can be no such files.
    pub(super) fn new(config: &FileSinkConfig, names: &SinkNames<'_>) -> Result<Self, SinkError> {
        let template = config.path.with_names(names);
        let in_place = !template.has_time() && !config.rotate.is_some();
        let refuse = |reason: &str| {
            Err(SinkError::Refused { path: config.path.to_string(), reason: reason.to_owned() })
        };
        if template.has_output() {
            return refuse("the pipeline's only output has no name, so `{output}` stands for nothing");
        }
        if config.mode == FileMode::Overwrite && !(in_place && config.path.as_fixed().is_some()) {
            return refuse(
                "only one file of a fixed path can be overwritten: leave out `mode`, the tokens and `rotate`",
            );
        }
        let path = template.render(Timestamp::UNIX_EPOCH);
        if config.path.as_fixed().is_none() && !is_confined(&path, config.path.base()) {
            return refuse("a name in the path leads out of the directory before the first token");
        }
        Ok(Self { template, in_place })
    }

    /// Returns whether there is one file, which has its final name from the start.
    pub(super) fn is_in_place(&self) -> bool {
        self.in_place
    }

    /// Returns whether the path changes with time.
    pub(super) fn has_time(&self) -> bool {
        self.template.has_time()
    }

    /// Returns the final name of the file to write at this time.
    pub(super) fn path_at(&self, now: Timestamp) -> PathBuf {
        self.template.render(now)
    }

    /// Returns under what name a file is written.
    pub(super) fn written_as(&self, path: &Path) -> PathBuf {
        if self.in_place { path.to_owned() } else { with_ending(path, PART) }
    }

    /// Returns the directory that all files are in or below, and how many levels below.
    pub(super) fn reach(&self) -> (&Path, usize) {
        let base = self.template.base();
        let n_components = |path: &Path| {
            path.components().filter(|component| matches!(component, Component::Normal(_))).count()
        };
        let path = self.path_at(Timestamp::UNIX_EPOCH);
        (base, n_components(&path).saturating_sub(n_components(base) + 1))
    }

    /// Returns the final name of a file that was written by a sink of the same template and is not complete; `None`
    /// if it is no such file.
    pub(super) fn final_name(&self, written_as: &Path) -> Option<PathBuf> {
        let bytes = written_as.as_os_str().as_bytes().strip_suffix(PART.as_bytes())?;
        matches(self.template.parts(), bytes).then(|| OsStr::from_bytes(bytes).into())
    }
}

/// Returns the name that a file gets if `n` others have its name already: `events.ndjson`, `events.1.ndjson`,
/// `events.2.ndjson`.
pub(super) fn numbered(path: &Path, n: u64) -> PathBuf {
    if n == 0 {
        return path.to_owned();
    }
    let mut name = path.file_name().unwrap_or_default();
    let mut endings = Vec::new();
    while let Some(ending) = Path::new(name).extension() {
        name = Path::new(name).file_stem().unwrap_or_default();
        let is_compression = COMPRESSED.iter().any(|known| ending == *known);
        endings.push(ending);
        if !is_compression {
            break;
        }
    }
    let mut name = name.to_owned();
    name.push(format!(".{n}"));
    for ending in endings.iter().rev() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// Returns the name of the file to which the torn end of another is moved.
pub(super) fn torn(path: &Path) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    let path = bytes.strip_suffix(PART.as_bytes()).unwrap_or(bytes);
    with_ending(Path::new(OsStr::from_bytes(path)), ".torn")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Returns whether the template gives this path at some time. A time is recognised by being read and written again.
fn matches(parts: &[Part], bytes: &[u8]) -> bool {
    match parts {
        [] => bytes.is_empty(),
        [Part::Text(text), rest @ ..] => {
            bytes.strip_prefix(text.as_bytes()).is_some_and(|bytes| matches(rest, bytes))
        }
        [Part::Time(format), rest @ ..] => {
            let is_here = |n: &usize| is_time(format, &bytes[..*n]) && matches(rest, &bytes[*n..]);
            (0..=bytes.len()).any(|n| is_here(&n))
        }
        // Names have been put in.
        [Part::Pipeline | Part::Output, ..] => false,
    }
}

fn is_time(format: &str, bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let again = BrokenDownTime::parse(format, text).and_then(|time| time.to_string(format));
    again.is_ok_and(|again| again == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_goes_before_the_ending() {
        let cases = [
            ("out/events.ndjson", "out/events.7.ndjson"),
            ("out/events.ndjson.gz", "out/events.7.ndjson.gz"),
            ("out/20260101.tar.zst", "out/20260101.7.tar.zst"),
            ("events.gz", "events.7.gz"),
            ("out.d/events", "out.d/events.7"),
            (".hidden", ".hidden.7"),
        ];
        for (path, expected) in cases {
            assert_eq!(numbered(Path::new(path), 7), Path::new(expected));
            assert_eq!(numbered(Path::new(path), 0), Path::new(path));
        }
    }

    #[test]
    fn only_files_of_the_template_are_its_own() {
        let names = SinkNames { pipeline: "web", output: None };
        let is_own = |template: &str, path: &str| {
            let config = FileSinkConfig::new(PathTemplate::parse(template).unwrap());
            Target::new(&config, &names).unwrap().final_name(Path::new(path)).is_some()
        };
        assert!(is_own("out/{DATE}/{HOUR}.ndjson", "out/20261122/07.ndjson.part"));
        assert!(is_own("out/{pipeline}-{DATE:%Y-%m-%dT%H}.ndjson", "out/web-2026-11-22T07.ndjson.part"));
        assert!(!is_own("out/{pipeline}-{DATE}.ndjson", "out/api-20261122.ndjson.part"));
        assert!(!is_own("out/{DATE}.ndjson", "out/20261122-alerts.ndjson.part"));
        assert!(!is_own("out/{DATE}.ndjson", "out/20261122.ndjson"));
        assert!(!is_own("out/{DATE}/{HOUR}.ndjson", "out/20261122/7.ndjson.part"));
        assert!(is_own("out/{DATE:%j}x{DATE:%A}.ndjson", "out/326xSunday.ndjson.part"));
    }

    #[test]
    fn how_deep_files_lie() {
        let reach = |template: &str| {
            let config = FileSinkConfig::new(PathTemplate::parse(template).unwrap());
            let target = Target::new(&config, &SinkNames { pipeline: "web", output: None }).unwrap();
            (target.reach().0.to_str().unwrap().to_owned(), target.reach().1)
        };
        assert_eq!(reach("/{DATE}.ndjson"), ("/".to_owned(), 0));
        assert_eq!(reach("out/{pipeline}/{DATE:%Y/%m}/{HOUR}"), ("out/web/".to_owned(), 2));
        assert_eq!(reach("{HOUR}"), (String::new(), 0));
    }
}
