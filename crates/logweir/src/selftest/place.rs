//! The directory that a run happens in.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use logweir_pipeline::{Checkpoint, list_checkpoints};

use super::judge::Delivered;
use super::objects::Objects;

/// The name of the pipeline.
const PIPELINE: &str = "selftest";

/// The pipeline file. Its paths are relative, so that none of them needs to be quoted.
const YAML: &str = r#"# Written by `logweir selftest`: what it kills and starts again.
name: selftest
source:
  file: { include: ["logs/*.ndjson*"], read: follow }
sink:
  file: { path: out.ndjson, ack: synced }
state_dir: state
"#;

/// The same with batches that are uploaded, to a directory: many small ones.
const UPLOAD_YAML: &str = r#"# Written by `logweir selftest`: what it kills and starts again.
name: selftest
source:
  file: { include: ["logs/*.ndjson*"], read: follow }
sink:
  directory:
    path: objects
    prefix: "{DATE}"
    upload: { max_events: 700, max_interval: 100ms, first_pause: 10ms }
state_dir: state
"#;

/// How events are delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Delivery {
    /// To a file, at least once.
    File,
    /// In batches, once.
    Upload,
}

/// The directory that a run happens in, with all that is in it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    dir: PathBuf,
    delivery: Delivery,
}

impl Place {
    /// Returns that in the directory at `dir`, which is empty and gets what a run begins with.
    pub(super) fn furnish(dir: &Path, delivery: Delivery) -> anyhow::Result<Self> {
        let place = Self { dir: dir.to_owned(), delivery };
        let yaml = match delivery {
            Delivery::File => YAML,
            Delivery::Upload => UPLOAD_YAML,
        };
        let made = fs::create_dir(place.logs())
            .and_then(|()| fs::create_dir(place.objects()))
            .and_then(|()| fs::write(dir.join("pipeline.yaml"), yaml));
        made.with_context(|| format!("cannot write to {}", dir.display()))?;
        Ok(place)
    }

    /// Returns the directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the directory that logs are written to.
    pub(super) fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// Returns how events are delivered.
    pub(super) fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Returns where events are delivered to.
    pub(super) fn delivered(&self) -> Delivered {
        match self.delivery {
            Delivery::File => Delivered::File(self.dir.join("out.ndjson")),
            Delivery::Upload => Delivered::Objects(Objects::new(self.objects())),
        }
    }

    fn objects(&self) -> PathBuf {
        self.dir.join("objects")
    }

    /// Returns the file that what the pipeline says goes to.
    pub(super) fn said(&self) -> PathBuf {
        self.dir.join("pipeline.log")
    }

    /// Returns when the checkpoint was written last; `None` if it never was.
    pub(super) fn checkpointed(&self) -> Option<SystemTime> {
        let path = self.state().join(format!("{PIPELINE}.checkpoint"));
        fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
    }

    /// Returns the checkpoint; an empty one if there is none yet.
    pub(super) fn checkpoint(&self) -> anyhow::Result<Checkpoint> {
        let state = self.state();
        if !state.exists() {
            return Ok(Checkpoint::default());
        }
        let mut listed = list_checkpoints(&state)?;
        let Some(found) = listed.pop() else { return Ok(Checkpoint::default()) };
        if found.name != PIPELINE || !listed.is_empty() {
            bail!("{} holds checkpoints of other pipelines", state.display());
        }
        Ok(found.checkpoint?)
    }

    fn state(&self) -> PathBuf {
        self.dir.join("state")
    }
}
