//! Object stores.
//!
//! What is said to them, and how it is signed, is the business of the crate `object_store`; what carries it is our own
//! client, so that timeouts, trust and what a failure is called are the same as for any other destination. The crate is
//! told to try each request once: when to try again is decided by who uploads, for the whole batch.

mod build;
mod connector;
mod profile;

use std::error::Error;
use std::io;
use std::iter::successors;

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use logweir_event::with_causes;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, MultipartUpload, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload,
};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

pub(super) use build::{azure, gs, s3};

use super::config::ObjectPrefix;
use super::hidden::Hidden;
use super::{Destination, Envelope, Limits, Upload, UploadError, Uploaded};
use crate::file::Compression;

/// The largest file that is put in one request, and so held in memory while it is on its way.
const MAX_PUT: u64 = 16 * 1024 * 1024;

/// The size of the parts in which larger files are put; one at a time is held. S3 takes 10,000 parts, which is 80 GiB,
/// and Azure more.
const PART: u64 = 8 * 1024 * 1024;

/// Where a machine in a cloud is asked for the keys that it lends.
const LENDER: &str = "169.254.169.254";

/// The status of an object that was put.
const DONE: u16 = 200;

/// A bucket, or a container.
pub(super) struct StoreDestination {
    name: String,
    store: Box<dyn ObjectStore>,
    prefix: ObjectPrefix,
    /// Whether objects say by which coding their content is compressed, so that the store can give it decompressed, or
    /// say that they are compressed files.
    has_encoding: bool,
    hidden: Hidden,
}

impl StoreDestination {
    async fn put(&self, upload: &Upload) -> Result<Uploaded, UploadError> {
        let key = Path::parse(&upload.key)
            .map_err(|_| UploadError::local("this store cannot have an object of that name"))?;
        let unreadable =
            |error| UploadError::local(format!("cannot read {}: {error}", upload.path.display()));
        let mut file = File::open(&upload.path).await.map_err(unreadable)?;
        let attributes = self.attributes(upload);
        if upload.n_bytes <= MAX_PUT {
            let content = read(&mut file, upload.n_bytes).await.map_err(unreadable)?;
            let options = PutOptions::from(attributes);
            let put = self.store.put_opts(&key, PutPayload::from_bytes(content), options).await;
            put.map_err(|error| self.error(&error))?;
        } else {
            self.put_in_parts(&key, file, upload, attributes).await?;
        }
        Ok(Uploaded { status: DONE, ..Uploaded::default() })
    }

    /// Asks for an object without its content; returns the status.
    pub(super) async fn head(&self, key: &str) -> Result<u16, UploadError> {
        let key = Path::parse(key)
            .map_err(|_| UploadError::local("this store cannot have an object of that name"))?;
        match self.store.get_opts(&key, GetOptions { head: true, ..GetOptions::default() }).await {
            Ok(_) => Ok(DONE),
            Err(error) => Err(self.error(&error)),
        }
    }

    async fn put_in_parts(
        &self,
        key: &Path,
        file: File,
        upload: &Upload,
        attributes: Attributes,
    ) -> Result<(), UploadError> {
        let options = PutMultipartOptions::from(attributes);
        let begun = self.store.put_multipart_opts(key, options).await;
        let mut parts = begun.map_err(|error| self.error(&error))?;
        let put = match self.put_parts(&mut *parts, file, upload).await {
            Ok(()) => parts.complete().await.map(drop).map_err(|error| self.error(&error)),
            Err(error) => Err(error),
        };
        if put.is_err() {
            // So that no parts are left that cost money. Why they could not be put is what matters; if this cannot be
            // done either, it is for the same reason.
            let _ = parts.abort().await;
        }
        put
    }

    async fn put_parts(
        &self,
        parts: &mut dyn MultipartUpload,
        mut file: File,
        upload: &Upload,
    ) -> Result<(), UploadError> {
        let mut n_left = upload.n_bytes;
        while n_left > 0 {
            let part = read(&mut file, n_left.min(PART)).await.map_err(|error| {
                UploadError::local(format!("cannot read {}: {error}", upload.path.display()))
            })?;
            n_left -= part.len() as u64;
            parts.put_part(PutPayload::from_bytes(part)).await.map_err(|error| self.error(&error))?;
        }
        Ok(())
    }

    fn attributes(&self, upload: &Upload) -> Attributes {
        let mut attributes = Attributes::new();
        let content_type = match upload.compression {
            Compression::Gzip { .. } if !self.has_encoding => "application/gzip",
            Compression::Zstd { .. } if !self.has_encoding => "application/zstd",
            _ => "text/plain; charset=utf-8",
        };
        attributes.insert(Attribute::ContentType, content_type.into());
        if let Some(encoding) = upload.content_encoding().filter(|_| self.has_encoding) {
            attributes.insert(Attribute::ContentEncoding, encoding.into());
        }
        attributes
    }

    /// Returns what an error of the library means: what our client has said, if it was asked at all.
    fn error(&self, error: &object_store::Error) -> UploadError {
        let error: &dyn Error = error;
        let mut causes = successors(Some(error), |&error| error.source());
        let mut error = match causes.find_map(|cause| cause.downcast_ref::<UploadError>()) {
            Some(told) => told.clone(),
            None => UploadError::local(with_causes(error)),
        };
        error.message = self.hidden.hide_in(&error.message);
        if error.message.contains(LENDER) {
            error.message.push_str(" (no credentials are configured, so the machine was asked for some)");
        }
        error
    }
}

impl Destination for StoreDestination {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn envelope(&self) -> Envelope {
        Envelope::Plain
    }

    fn key(&self, date: &str, name: &str) -> String {
        self.prefix.key(date, name)
    }

    fn upload<'a>(&'a self, upload: &'a Upload) -> BoxFuture<'a, Result<Uploaded, UploadError>> {
        self.put(upload).boxed()
    }
}

/// Reads exactly so many bytes.
async fn read(file: &mut File, n_bytes: u64) -> io::Result<Bytes> {
    let mut content = BytesMut::zeroed(n_bytes as usize);
    file.read_exact(&mut content).await?;
    Ok(content.freeze())
}
