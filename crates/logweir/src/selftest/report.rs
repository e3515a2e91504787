//! What a run came to, for people and for programs.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use serde::{Serialize, Serializer};

use super::inventory::InFlight;
use super::place::Delivery;

/// What a run came to.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) elapsed: Duration,
    pub(super) n_kills: u64,
    pub(super) rotations: Rotations,
    /// Events that were written, and their bytes.
    pub(super) n_written: u64,
    pub(super) n_written_bytes: u64,
    /// Of these, how many were delivered at least once.
    pub(super) n_delivered: u64,
    /// Events that were delivered again.
    pub(super) n_duplicated: u64,
    /// How they are delivered.
    pub(super) delivery: Delivery,
    /// Objects that came again and were another.
    pub(super) n_changed: u64,
    /// Lines that were delivered and are no event that was written.
    pub(super) n_altered: u64,
    /// The first of them.
    pub(super) altered: Vec<String>,
    /// Bytes that had been delivered and then were gone.
    pub(super) n_taken_back: u64,
    /// What had been delivered when the pipeline was killed and was not in its checkpoint, of all kills together: so
    /// much may be delivered again.
    pub(super) in_flight: InFlight,
    /// The most of it at one kill.
    pub(super) most_in_flight: InFlight,
    /// The first events that were lost.
    pub(super) lost: Vec<Lost>,
    /// How the pipeline ended when it was told to, if that was not as it should.
    pub(super) bad_end: Option<String>,
    /// Where everything is kept, if something went wrong.
    pub(super) kept_in: Option<PathBuf>,
}

/// How often logs were rotated in each way.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub(super) struct Rotations {
    pub(super) renamed: u64,
    pub(super) copied: u64,
    pub(super) compressed: u64,
}

/// Events with numbers in a row that were written to the same file and not delivered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Lost {
    /// The number of the first one.
    #[serde(serialize_with = "as_ray_id")]
    pub(super) first: u64,
    /// The number of the last one.
    #[serde(serialize_with = "as_ray_id")]
    pub(super) last: u64,
    /// The file that they were written to, and where that is now.
    pub(super) file: String,
}

impl Report {
    /// Returns how many events were not delivered.
    pub(super) fn n_lost(&self) -> u64 {
        self.n_written - self.n_delivered
    }

    /// Returns whether everything was delivered, as it was written, and in batches once only.
    pub(super) fn has_passed(&self) -> bool {
        let is_once = self.delivery == Delivery::File || self.n_duplicated == 0 && self.n_changed == 0;
        is_once
            && self.n_lost() == 0
            && self.n_altered == 0
            && self.n_taken_back == 0
            && self.bad_end.is_none()
    }

    /// Returns how many events were delivered again although the checkpoint covered them.
    pub(super) fn n_unexplained(&self) -> u64 {
        self.n_duplicated.saturating_sub(self.in_flight.n_events)
    }

    /// Returns it as a small table, without a line feed at the end.
    pub(super) fn table(&self) -> String {
        let mut out = String::new();
        self.write_table(&mut out).expect("a string takes everything");
        out.truncate(out.trim_end().len());
        out
    }

    fn write_table(&self, out: &mut String) -> std::fmt::Result {
        let Rotations { renamed, copied, compressed } = self.rotations;
        let seconds = self.elapsed.as_secs_f64();
        writeln!(out, "crash selftest with seed {}: {} in {seconds:.1} s", self.seed, self.verdict())?;
        row(out, "kills", self.n_kills, "")?;
        let ways = format!("renamed {renamed}, copied and emptied {copied}, compressed {compressed}");
        row(out, "rotations", renamed + copied + compressed, &ways)?;
        row(out, "written", self.n_written, &HumanBytes(self.n_written_bytes).to_string())?;
        row(out, "delivered", self.n_delivered, "")?;
        row(out, "lost", self.n_lost(), "")?;
        match self.delivery {
            Delivery::File => row(out, "duplicated", self.n_duplicated, &self.bound())?,
            Delivery::Upload => row(out, "duplicated", self.n_duplicated, "where none may be")?,
        }
        if self.n_changed > 0 {
            row(out, "changed", self.n_changed, "objects came again and were another")?;
        }
        row(out, "altered", self.n_altered, "lines that were delivered are no event that was written")?;
        if self.n_taken_back > 0 {
            row(out, "taken back", self.n_taken_back, "bytes were delivered and then gone")?;
        }
        if let Some(bad_end) = &self.bad_end {
            writeln!(out, "the pipeline was told to end, and {bad_end}")?;
        }
        for Lost { first, last, file } in &self.lost {
            writeln!(out, "lost: {first:016x} to {last:016x}, written to {file}")?;
        }
        for line in &self.altered {
            writeln!(out, "altered: {line}")?;
        }
        if let Some(dir) = &self.kept_in {
            writeln!(out, "everything is kept in {}", dir.display())?;
        }
        Ok(())
    }

    fn verdict(&self) -> &'static str {
        match (self.has_passed(), self.delivery) {
            (true, Delivery::File) => "nothing was lost",
            (true, Delivery::Upload) => "nothing was lost, and nothing came twice",
            (false, _) => "FAILED",
        }
    }

    /// Returns what is to be said of duplicates: how many there may be.
    fn bound(&self) -> String {
        let InFlight { n_events, n_bytes } = self.in_flight;
        let most = HumanCount(self.most_in_flight.n_events);
        let (n_events, n_bytes) = (HumanCount(n_events), HumanBytes(n_bytes));
        let mut text = format!(
            "of {n_events} ({n_bytes}) delivered and not yet in the checkpoint at a kill, {most} at most"
        );
        if self.n_unexplained() > 0 {
            let _ = write!(text, "; {} MORE THAN THAT", HumanCount(self.n_unexplained()));
        }
        text
    }

    /// Returns it as one JSON object on one line, without a line feed.
    pub(super) fn json(&self) -> String {
        let json = ReportJson {
            passed: self.has_passed(),
            seed: self.seed,
            seconds: self.elapsed.as_secs_f64(),
            kills: self.n_kills,
            rotations: self.rotations,
            written: self.n_written,
            bytes_written: self.n_written_bytes,
            delivered: self.n_delivered,
            lost: self.n_lost(),
            duplicated: self.n_duplicated,
            altered: self.n_altered,
            bytes_taken_back: self.n_taken_back,
            in_flight: InFlightJson {
                events: self.in_flight.n_events,
                bytes: self.in_flight.n_bytes,
                most_events: self.most_in_flight.n_events,
                most_bytes: self.most_in_flight.n_bytes,
            },
            first_lost: &self.lost,
            first_altered: &self.altered,
            bad_end: self.bad_end.as_deref(),
            kept_in: self.kept_in.as_ref().map(|dir| dir.to_string_lossy().into_owned()),
        };
        serde_json::to_string(&json).expect("numbers and strings can be written as JSON")
    }
}

/// Writes the number of an event as it stands in its `RayID`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "that is how serde calls it")]
fn as_ray_id<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{number:016x}"))
}

/// Writes a row of the table; the note says more of a number that is not zero.
fn row(out: &mut String, what: &str, n: u64, note: &str) -> std::fmt::Result {
    let note = if n == 0 { "" } else { note };
    let line = format!("  {what:<12} {:>15}  {note}", HumanCount(n).to_string());
    writeln!(out, "{}", line.trim_end())
}

#[derive(Serialize)]
struct ReportJson<'a> {
    passed: bool,
    seed: u64,
    seconds: f64,
    kills: u64,
    rotations: Rotations,
    written: u64,
    bytes_written: u64,
    delivered: u64,
    lost: u64,
    duplicated: u64,
    altered: u64,
    bytes_taken_back: u64,
    /// Delivered and not yet in the checkpoint at a kill.
    in_flight: InFlightJson,
    first_lost: &'a [Lost],
    first_altered: &'a [String],
    bad_end: Option<&'a str>,
    kept_in: Option<String>,
}

#[derive(Serialize)]
struct InFlightJson {
    events: u64,
    bytes: u64,
    most_events: u64,
    most_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            seed: 7,
            elapsed: Duration::from_millis(61_230),
            n_kills: 100,
            rotations: Rotations { renamed: 3, copied: 2, compressed: 1 },
            n_written: 12_345,
            n_written_bytes: 10 << 20,
            n_delivered: 12_345,
            n_duplicated: 20,
            delivery: Delivery::File,
            n_changed: 0,
            n_altered: 0,
            altered: Vec::new(),
            n_taken_back: 0,
            in_flight: InFlight { n_events: 30, n_bytes: 2048 },
            most_in_flight: InFlight { n_events: 9, n_bytes: 1024 },
            lost: Vec::new(),
            bad_end: None,
            kept_in: None,
        }
    }

    #[test]
    fn people_get_a_table() {
        let expected = "\
crash selftest with seed 7: nothing was lost in 61.2 s
  kills                    100
  rotations                  6  renamed 3, copied and emptied 2, compressed 1
  written               12,345  10.00 MiB
  delivered             12,345
  lost                       0
  duplicated                20  of 30 (2.00 KiB) delivered and not yet in the checkpoint at a kill, 9 at most
  altered                    0";
        assert_eq!(report().table(), expected);
        let lost = vec![Lost { first: 26, last: 27, file: "logs/x, now logs/x.1".to_owned() }];
        let bad = Report {
            n_delivered: 12_343,
            n_duplicated: 31,
            n_altered: 1,
            altered: vec!["{}".to_owned()],
            n_taken_back: 5,
            lost,
            bad_end: Some("ended with 1".to_owned()),
            kept_in: Some(PathBuf::from("/dir")),
            ..report()
        };
        let expected = "\
crash selftest with seed 7: FAILED in 61.2 s
  kills                    100
  rotations                  6  renamed 3, copied and emptied 2, compressed 1
  written               12,345  10.00 MiB
  delivered             12,343
  lost                       2
  duplicated                31  of 30 (2.00 KiB) delivered and not yet in the checkpoint at a kill, 9 at most; 1 \
                        MORE THAN THAT
  altered                    1  lines that were delivered are no event that was written
  taken back                 5  bytes were delivered and then gone
the pipeline was told to end, and ended with 1
lost: 000000000000001a to 000000000000001b, written to logs/x, now logs/x.1
altered: {}
everything is kept in /dir";
        assert_eq!(bad.table(), expected);
    }

    #[test]
    fn only_a_whole_delivery_passes() {
        assert!(report().has_passed());
        for bad in [
            Report { n_delivered: 12_344, ..report() },
            Report { n_altered: 1, ..report() },
            Report { n_taken_back: 1, ..report() },
            Report { bad_end: Some(String::new()), ..report() },
        ] {
            assert!(!bad.has_passed(), "{bad:?}");
        }
        assert!(Report { n_duplicated: 1_000, ..report() }.has_passed(), "events may come twice");
        let upload = || Report { delivery: Delivery::Upload, n_duplicated: 0, ..report() };
        assert!(upload().has_passed());
        assert!(!Report { n_duplicated: 1, ..upload() }.has_passed(), "in batches they may not");
        assert!(!Report { n_changed: 1, ..upload() }.has_passed());
        assert!(upload().table().contains("nothing came twice"));
    }

    #[test]
    fn programs_get_json() {
        let lost = vec![Lost { first: 26, last: 27, file: "logs/x".to_owned() }];
        let json: serde_json::Value = serde_json::from_str(&Report { lost, ..report() }.json()).unwrap();
        let counts = ["seed", "kills", "written", "delivered", "lost", "duplicated", "altered"];
        assert_eq!(counts.map(|key| json[key].as_u64().unwrap()), [7, 100, 12_345, 12_345, 0, 20, 0]);
        assert_eq!(json["passed"], true);
        assert_eq!(json["rotations"], serde_json::json!({"renamed": 3, "copied": 2, "compressed": 1}));
        let in_flight =
            serde_json::json!({"events": 30, "bytes": 2048, "most_events": 9, "most_bytes": 1024});
        assert_eq!(json["in_flight"], in_flight);
        let lost =
            serde_json::json!([{"first": "000000000000001a", "last": "000000000000001b", "file": "logs/x"}]);
        assert_eq!(json["first_lost"], lost);
    }
}
