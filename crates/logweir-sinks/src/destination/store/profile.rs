//! Keys of S3 that are kept in the files of Amazon's tools.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use tokio::task::spawn_blocking;

use crate::destination::UploadError;

/// What a profile may say in the place of keys, none of which is followed here.
const FOREIGN: [&str; 5] =
    ["role_arn", "credential_process", "sso_session", "sso_start_url", "credential_source"];

/// A profile of the files of Amazon's tools: `~/.aws/credentials`, and then `~/.aws/config`, or those that
/// `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` name.
///
/// They are read for each request: whoever keeps keys there that are lent for a time writes them anew.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    name: String,
}

impl Profile {
    /// The profile that is meant where none is named.
    pub(super) const DEFAULT: &str = "default";

    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Returns whether there is a profile that is meant where none is named.
    pub(super) fn default_exists() -> bool {
        let texts = files().into_iter().filter_map(|(path, _)| fs::read_to_string(path).ok());
        texts.flat_map(|text| values(&text, Self::DEFAULT, Self::DEFAULT)).next().is_some()
    }

    /// Returns the keys of the profile.
    fn keys(&self) -> Result<AwsCredential, String> {
        let mut found = Vec::new();
        for (path, is_config) in files() {
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
            };
            // In the one file all sections are profiles, in the other there are more.
            let in_config = format!("profile {}", self.name);
            let section = if is_config { &in_config } else { &self.name };
            found.extend(values(&text, section, &self.name));
        }
        let value = |key: &str| found.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        match (value("aws_access_key_id"), value("aws_secret_access_key")) {
            (Some(key_id), Some(secret_key)) => {
                Ok(AwsCredential { key_id, secret_key, token: value("aws_session_token") })
            }
            _ => Err(self.without_keys(&found)),
        }
    }

    fn without_keys(&self, found: &[(String, String)]) -> String {
        let name = &self.name;
        match FOREIGN.iter().find(|foreign| found.iter().any(|(key, _)| key == *foreign)) {
            Some(key) => format!("the profile `{name}` has `{key}`, which is not followed here, and no keys"),
            None if found.is_empty() => format!("there is no profile `{name}`"),
            None => {
                format!("the profile `{name}` lacks `aws_access_key_id` or `aws_secret_access_key`")
            }
        }
    }
}

#[async_trait]
impl CredentialProvider for Profile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let profile = self.clone();
        let keys = spawn_blocking(move || profile.keys()).await?;
        keys.map(Arc::new).map_err(|message| object_store::Error::Generic {
            store: "S3",
            source: Box::new(UploadError::local(message)),
        })
    }
}

/// Returns the files that have profiles, with whether it is the one of everything but keys.
fn files() -> Vec<(PathBuf, bool)> {
    let file = |variable: &str, name: &str| {
        let named = env::var_os(variable).map(PathBuf::from);
        named.or_else(|| Some(env::home_dir()?.join(".aws").join(name)))
    };
    let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials").map(|path| (path, false));
    let config = file("AWS_CONFIG_FILE", "config").map(|path| (path, true));
    credentials.into_iter().chain(config).collect()
}

/// Returns what a section says, keys in lower case. The default profile has the same name in both files.
fn values(text: &str, section: &str, profile: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(header) = line.trim().strip_prefix('[') {
            let name = header.split(']').next().unwrap_or_default();
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            is_inside = name == section || (profile == Profile::DEFAULT && name == Profile::DEFAULT);
        } else if is_inside
            // What is indented belongs to the key before it, and no key with such is asked for here.
            && !line.starts_with([' ', '\t', '#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            found.push((key.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "# mine\n[default]\nregion = r\n\n[profile  two]\naws_access_key_id=ID\ns3 =\n  \
                          aws_access_key_id = nested\nAWS_Secret_Access_Key = a=b/c+d \n[profile three]\nrole_arn = x\n";

    fn pairs(section: &str, profile: &str) -> Vec<(String, String)> {
        values(CONFIG, section, profile)
    }

    #[test]
    fn a_section_has_the_keys_up_to_the_next() {
        let expected = [("aws_access_key_id", "ID"), ("s3", ""), ("aws_secret_access_key", "a=b/c+d")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(pairs("profile two", "two"), expected);
        assert_eq!(pairs("profile default", "default"), [("region".to_owned(), "r".to_owned())]);
        assert_eq!(pairs("two", "two"), []);
    }

    #[test]
    fn a_profile_that_cannot_be_followed_says_why() {
        let said = |name: &str| Profile::new(name).without_keys(&pairs(&format!("profile {name}"), name));
        assert_eq!(
            said("three"),
            "the profile `three` has `role_arn`, which is not followed here, and no keys"
        );
        assert_eq!(said("four"), "there is no profile `four`");
        assert!(said("default").contains("lacks `aws_access_key_id`"));
    }
}
