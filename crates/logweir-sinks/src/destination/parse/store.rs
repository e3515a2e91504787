//! The destinations that are object stores, and the directory that stands for one.

use std::path::PathBuf;

use logweir_net::Secret;
use url::Url;

use super::conf::{Conf, Part};
use crate::destination::config::{
    AzureConfig, AzureCredentials, DestinationConfig, DirectoryConfig, GsConfig, GsCredentials, ObjectPrefix,
    S3Config, S3Credentials, S3Flavour,
};

const S3_PARAMETERS: [&str; 7] =
    ["region", "access-key-id", "secret-access-key", "session-token", "endpoint", "sse", "profile"];
const R2_PARAMETERS: [&str; 5] =
    ["account-id", "access-key-id", "secret-access-key", "session-token", "endpoint"];
const GS_PARAMETERS: [&str; 1] = ["endpoint"];

const ENDPOINT: &str = "name the server, as `endpoint=sfo2.digitaloceanspaces.com`; a server of your own may \
                        begin with `http://`";

/// `s3://bucket/[dir]?region=R[&sse=AES256][&access-key-id=K&secret-access-key=S][&endpoint=host]`.
pub(super) fn s3(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let address = bucket_and_prefix(conf);
    let region = conf.require("region", "as `region=us-east-1`");
    let credentials = s3_credentials(conf);
    let endpoint = endpoint(conf);
    let is_encrypted = is_encrypted(conf);
    conf.refuse_rest(&S3_PARAMETERS);
    let (bucket, prefix) = address?;
    Some(DestinationConfig::S3(S3Config {
        flavour: S3Flavour::S3,
        bucket,
        prefix,
        region: region?.value,
        has_checksums: endpoint.is_none(),
        endpoint,
        credentials: credentials?,
        is_encrypted,
    }))
}

/// `r2://bucket/path?account-id=A&access-key-id=K&secret-access-key=S[&endpoint=host]`.
pub(super) fn r2(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let address = bucket_and_prefix(conf);
    let credentials = keys(conf, true);
    let own = endpoint(conf);
    let account = match own {
        None => conf.require("account-id", "the account that the bucket belongs to"),
        Some(_) => conf.take("account-id"),
    };
    if let Some(account) = &account
        && !account.value.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        conf.wrong(account.whole, "this is no account id", "it has letters and digits only");
    }
    conf.refuse_rest(&R2_PARAMETERS);
    let (bucket, prefix) = address?;
    let endpoint = match own {
        Some(own) => own,
        None => format!("https://{}.r2.cloudflarestorage.com", account?.value),
    };
    Some(DestinationConfig::S3(S3Config {
        flavour: S3Flavour::R2,
        bucket,
        prefix,
        region: "auto".to_owned(),
        has_checksums: false,
        endpoint: Some(endpoint),
        credentials: credentials?,
        is_encrypted: false,
    }))
}

/// `gs://bucket/[dir][?endpoint=host]`.
pub(super) fn gs(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let address = bucket_and_prefix(conf);
    let endpoint = endpoint(conf);
    conf.refuse_rest(&GS_PARAMETERS);
    let (bucket, prefix) = address?;
    Some(DestinationConfig::Gs(GsConfig {
        bucket,
        prefix,
        endpoint,
        credentials: GsCredentials::Environment,
    }))
}

/// `azure://account.blob.core.windows.net/container/[dir]?SAS[&endpoint=URL]`.
pub(super) fn azure(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let (host, rest) = conf.address().split_at_slash();
    let n_slash = usize::from(!rest.text.is_empty());
    let path = Part { text: &rest.text[n_slash..], offset: rest.offset + n_slash };
    let (container, directory) = path.split_at_slash();
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    if !host.text.contains('.') || !host.text.bytes().all(is_host) {
        let help = "it is the URL with the signature, with `azure` for `https`: \
                    `azure://ACCOUNT.blob.core.windows.net/CONTAINER/…?…&sig=…`";
        conf.wrong(host, "this is no host of an Azure storage account", help);
    }
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-$".contains(&byte);
    if container.text.is_empty() || !container.text.bytes().all(is_name) {
        let help = "a container's name has small letters, digits and hyphens";
        conf.wrong(container, "this is no name of a container", help);
    }
    let prefix = prefix(conf, directory);
    let endpoint = conf
        .optional("endpoint", ENDPOINT)
        .and_then(|parameter| server_url(conf, parameter.whole, &parameter.value, true));
    let sas = shared_access_signature(conf);
    let endpoint = endpoint.unwrap_or_else(|| format!("https://{}", host.text));
    Some(DestinationConfig::Azure(AzureConfig {
        account: host.text.split('.').next().unwrap_or_default().to_owned(),
        container: container.text.to_owned(),
        prefix: prefix?,
        endpoint,
        credentials: AzureCredentials::Sas(sas?),
    }))
}

/// `file:///directory/[{DATE}/…]`.
pub(super) fn file(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let address = conf.address();
    if !address.text.starts_with('/') {
        let help = "a directory is named from the root on, behind a third slash: `file:///var/log/events`";
        conf.wrong(address, "this directory is not named from the root on", help);
    }
    conf.refuse_rest(&[]);
    let whole = prefix(conf, address)?;
    let n_root = match whole.as_str().find('{') {
        Some(at) => whole.as_str()[..at].rfind('/').map_or(0, |slash| slash + 1),
        None => whole.as_str().len(),
    };
    let (root, below) = whole.as_str().split_at(n_root);
    let prefix = ObjectPrefix::parse(below).expect("it is the end of a prefix");
    let root = PathBuf::from(format!("/{}", root.trim_end_matches('/')));
    Some(DestinationConfig::Directory(DirectoryConfig { root, prefix }))
}

fn bucket_and_prefix(conf: &mut Conf<'_>) -> Option<(String, ObjectPrefix)> {
    let (bucket, path) = conf.address().split_at_slash();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if bucket.text.is_empty() || !bucket.text.bytes().all(is_name) {
        let help = "it has letters, digits, dots, hyphens and underscores, and ends at the first slash";
        conf.wrong(bucket, "this is no name of a bucket", help);
    }
    let prefix = prefix(conf, path)?;
    Some((bucket.text.to_owned(), prefix))
}

fn prefix(conf: &mut Conf<'_>, path: Part<'_>) -> Option<ObjectPrefix> {
    let text = conf.decoded(path)?;
    match ObjectPrefix::parse(&text) {
        Ok(prefix) => Some(prefix),
        Err(problem) => {
            conf.wrong(path, problem.message, &problem.help);
            None
        }
    }
}

/// Returns who asks S3, where several ways are known; `None` if what is said of it is wrong.
fn s3_credentials(conf: &mut Conf<'_>) -> Option<S3Credentials> {
    let profile = conf.optional("profile", "the name of a profile, as in `~/.aws/credentials`");
    let Some(profile) = profile else { return keys(conf, false) };
    for name in ["access-key-id", "secret-access-key", "session-token"] {
        if let Some(key) = conf.take(name) {
            conf.wrong(key.whole, format!("`{name}` beside `profile`"), "either keys or a profile");
        }
    }
    Some(S3Credentials::Profile(profile.value))
}

/// Returns who asks by keys; without keys, who the environment says, unless keys must be there.
fn keys(conf: &mut Conf<'_>, must_be: bool) -> Option<S3Credentials> {
    let [id, secret, token] =
        ["access-key-id", "secret-access-key", "session-token"].map(|name| conf.take(name));
    if let (None, None, None, false) = (&id, &secret, &token, must_be) {
        return Some(S3Credentials::Environment);
    }
    let id = conf.filled(id, "access-key-id", "the name of the key");
    let secret = conf.filled(secret, "secret-access-key", "as `secret-access-key=…`, percent-encoded");
    Some(S3Credentials::Keys {
        access_key_id: Secret::new(id?.value),
        secret_access_key: Secret::new(secret?.value),
        session_token: token.map(|token| Secret::new(token.value)),
    })
}

fn is_encrypted(conf: &mut Conf<'_>) -> bool {
    let help = "the one that is known is `AES256`";
    let Some(sse) = conf.optional("sse", help) else { return false };
    if sse.value != "AES256" {
        conf.wrong(sse.whole, "this way to encrypt on the server is not known", help);
    }
    true
}

/// Returns the URL of the server, if one is named.
fn endpoint(conf: &mut Conf<'_>) -> Option<String> {
    let parameter = conf.optional("endpoint", ENDPOINT)?;
    server_url(conf, parameter.whole, &parameter.value, false)
}

/// Returns a URL without a slash at its end. If it does not say `http://`, it is one of TLS.
fn server_url(conf: &mut Conf<'_>, whole: Part<'_>, text: &str, may_have_path: bool) -> Option<String> {
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let is_server = |url: &Url| {
        ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    match Url::parse(&text) {
        Ok(url) if is_server(&url) && (may_have_path || url.path() == "/") => {
            Some(url.as_str().trim_end_matches('/').to_owned())
        }
        Ok(url) if is_server(&url) => {
            conf.wrong(whole, "an endpoint has neither a bucket nor another path behind the host", ENDPOINT);
            None
        }
        _ => {
            conf.wrong(whole, "this endpoint is no server", ENDPOINT);
            None
        }
    }
}

/// Returns the query that is the signature: what is left of the parameters.
fn shared_access_signature(conf: &mut Conf<'_>) -> Option<Secret> {
    let whole = conf.address();
    let parameters = conf.take_rest();
    let value =
        |name: &str| parameters.iter().find(|parameter| parameter.name == name).map(|one| one.value.as_str());
    if value("sig").is_none_or(str::is_empty) {
        let help = "make a shared access signature (SAS) for the container, and add its query";
        conf.wrong(whole, "there is no signature (`sig`) behind this container", help);
        return None;
    }
    if value("srt").is_some_and(|types| types != "o") {
        let help = "make a signature for objects alone";
        conf.wrong(whole, "signedResourceTypes must be Object only (srt=o)", help);
    }
    if value("ss").is_some_and(|services| !services.contains('b')) {
        conf.wrong(whole, "this signature is not for blobs (`ss=b`)", "make one for the blob service");
    }
    if value("sp").is_some_and(|permissions| !permissions.contains('w')) {
        conf.wrong(whole, "this signature does not permit to write (`sp=w`)", "make one that does");
    }
    let query: Vec<_> = parameters.iter().map(|parameter| parameter.whole.text).collect();
    Some(Secret::new(query.join("&")))
}
