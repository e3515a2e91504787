//! A directory that stands for a bucket.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::task::spawn_blocking;

use super::config::DirectoryConfig;
use super::{Destination, Envelope, Limits, Upload, UploadError, Uploaded};

/// The status of a file that was written, as of an object.
const DONE: u16 = 200;

/// A directory that stands for a bucket.
///
/// A batch is copied to a name that begins with a dot and ends in `.part`, brought to the disk, and renamed. So a file
/// that has its name is whole, and what a crash left of a copy is written over by the next attempt.
pub(super) struct Directory {
    config: DirectoryConfig,
}

impl Directory {
    pub(super) fn new(config: DirectoryConfig) -> Self {
        Self { config }
    }
}

impl Destination for Directory {
    fn name(&self) -> String {
        self.config.to_string()
    }

    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn envelope(&self) -> Envelope {
        Envelope::Plain
    }

    fn key(&self, date: &str, name: &str) -> String {
        self.config.prefix.key(date, name)
    }

    fn upload<'a>(&'a self, upload: &'a Upload) -> BoxFuture<'a, Result<Uploaded, UploadError>> {
        let (root, key, from) = (self.config.root.clone(), upload.key.clone(), upload.path.clone());
        async move {
            match spawn_blocking(move || copy(&root, &key, &from)).await {
                Ok(Ok(())) => Ok(Uploaded { status: DONE, ..Uploaded::default() }),
                Ok(Err((what, error))) => Err(UploadError::local(format!("{what}: {error}"))),
                Err(_) => Err(UploadError::local("the copy was given up: the runtime is shutting down")),
            }
        }
        .boxed()
    }
}

/// Copies a file below `root`; fails with what could not be done.
fn copy(root: &Path, key: &str, from: &Path) -> Result<(), (String, io::Error)> {
    if !root.is_dir() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        return Err((format!("there is no directory {}", root.display()), error));
    }
    let to = root.join(key);
    let (directory, name) = (to.parent().unwrap_or(root), to.file_name().unwrap_or_default());
    make_directories(root, directory)
        .map_err(|error| (format!("cannot make {}", directory.display()), error))?;
    let part = directory.join(format!(".{}.part", name.to_string_lossy()));
    write(from, &part, &to).map_err(|error| {
        // It may be what fills the disk.
        let _ = fs::remove_file(&part);
        (format!("cannot write {}", to.display()), error)
    })
}

fn write(from: &Path, part: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = File::create(part)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    fs::rename(part, to)?;
    sync_directory(to.parent())
}

/// Makes the directories below `root` down to `directory` that are missing, each of which is on the disk once a file in
/// it is.
fn make_directories(root: &Path, directory: &Path) -> io::Result<()> {
    let below_root = directory.ancestors().take_while(|&one| one != root);
    let missing: Vec<PathBuf> = below_root.take_while(|one| !one.is_dir()).map(Path::to_owned).collect();
    for one in missing.iter().rev() {
        match fs::create_dir(one) {
            // Another upload was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        sync_directory(one.parent())?;
    }
    Ok(())
}

fn sync_directory(directory: Option<&Path>) -> io::Result<()> {
    File::open(directory.expect("what was made lies in a directory"))?.sync_all()
}
