//! What is configured of an object store, or of a directory that stands for one.

use std::fmt;
use std::path::PathBuf;

use logweir_net::Secret;

use super::prefix::ObjectPrefix;

/// A bucket of S3, of R2, or of another store that speaks as S3 does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct S3Config {
    /// Whose store it is.
    pub flavour: S3Flavour,
    /// The bucket, which must be there.
    pub bucket: String,
    /// Where in the bucket objects are put.
    pub prefix: ObjectPrefix,
    /// The region that requests are signed for.
    pub region: String,
    /// The URL of the server, `None` for that of Amazon in the region. Where its host begins with the name of the
    /// bucket and a dot, it is the bucket's own; else the bucket is the first part of the path.
    pub endpoint: Option<String>,
    /// Who asks.
    pub credentials: S3Credentials,
    /// Whether the store is told to encrypt objects with keys of its own (`AES256`).
    pub is_encrypted: bool,
    /// Whether the store is given a SHA-256 of each object to check it by and keep. Without it, what was sent is still
    /// checked by the signature, which covers a SHA-256 of the content; not every store that speaks as S3 does knows
    /// the other.
    pub has_checksums: bool,
}

/// Whose store it is that speaks as S3 does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum S3Flavour {
    /// Amazon's, or one that is like it.
    S3,
    /// Cloudflare's.
    R2,
}

/// Who asks S3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum S3Credentials {
    /// The owner of these keys.
    Keys {
        /// The name of the key.
        access_key_id: Secret,
        /// The key.
        secret_access_key: Secret,
        /// What belongs to keys that are lent for a time.
        session_token: Option<Secret>,
    },
    /// The profile of this name in the files `~/.aws/credentials` and `~/.aws/config`, or those that
    /// `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` name. They are read for each request, so that keys may change.
    Profile(String),
    /// Who the environment says: `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`;
    /// `AWS_PROFILE`; `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`; `AWS_CONTAINER_CREDENTIALS_*`; the machine's
    /// own role.
    Environment,
}

/// A bucket of Google Cloud Storage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GsConfig {
    /// The bucket, which must be there.
    pub bucket: String,
    /// Where in the bucket objects are put.
    pub prefix: ObjectPrefix,
    /// The URL of the server, `None` for Google's.
    pub endpoint: Option<String>,
    /// Who asks.
    pub credentials: GsCredentials,
}

/// Who asks Google Cloud Storage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GsCredentials {
    /// The service account whose key is in this JSON file.
    KeyFile(PathBuf),
    /// The service account whose key is this JSON text.
    Key(Secret),
    /// Who the environment says: `GOOGLE_SERVICE_ACCOUNT` or `GOOGLE_APPLICATION_CREDENTIALS`, each a JSON file; the
    /// application's default credentials; the machine's own account.
    Environment,
}

/// A container of Azure Blob Storage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AzureConfig {
    /// The storage account.
    pub account: String,
    /// The container, which must be there.
    pub container: String,
    /// Where in the container objects are put.
    pub prefix: ObjectPrefix,
    /// The URL of the account.
    pub endpoint: String,
    /// Who asks.
    pub credentials: AzureCredentials,
}

/// Who asks Azure Blob Storage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AzureCredentials {
    /// Whoever has this shared access signature: a query without its `?`.
    Sas(Secret),
    /// Whoever has this key of the account.
    AccountKey(Secret),
}

/// A directory that stands for a bucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectoryConfig {
    /// The directory, which must be there, as a bucket must: so that nothing is written beside what is not mounted.
    pub root: PathBuf,
    /// Where in the directory files are put; directories for it are made.
    pub prefix: ObjectPrefix,
}

impl S3Flavour {
    /// Returns the word that a URL of it begins with.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::R2 => "r2",
        }
    }
}

impl fmt::Display for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.flavour.scheme(), self.bucket, self.prefix)
    }
}

impl fmt::Display for GsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gs://{}{}", self.bucket, self.prefix)
    }
}

impl fmt::Display for AzureConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "azure://{}/{}{}", self.account, self.container, self.prefix)
    }
}

impl fmt::Display for DirectoryConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file://{}{}", self.root.display(), self.prefix)
    }
}
