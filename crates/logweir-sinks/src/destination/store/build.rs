//! From what is configured of an object store to one that can be used.

use std::env;
use std::sync::Arc;

use logweir_net::{Client, ClientConfig, Secret, Timeouts};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{ObjectStore, RetryConfig};
use url::{Url, form_urlencoded};

use super::StoreDestination;
use super::connector::Connector;
use super::profile::Profile;
use crate::destination::DestinationError;
use crate::destination::config::{
    AzureConfig, AzureCredentials, GsConfig, GsCredentials, ObjectPrefix, S3Config, S3Credentials,
};
use crate::destination::hidden::Hidden;

/// What of the environment says who asks S3 where there are no keys.
const ROLES: [&str; 8] = [
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_METADATA_ENDPOINT",
];

/// What of the environment says who asks Google Cloud Storage.
const GOOGLE: [&str; 3] =
    ["GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_APPLICATION_CREDENTIALS"];

/// Returns a bucket of S3, of R2, or of what is like them.
pub(in crate::destination) fn s3(
    config: &S3Config,
    timeouts: Timeouts,
) -> Result<StoreDestination, DestinationError> {
    let name = config.to_string();
    let mut builder = AmazonS3Builder::new()
        .with_http_connector(connector(&name, timeouts)?)
        .with_retry(once())
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_virtual_hosted_style_request(is_virtual_hosted(config));
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if config.is_encrypted {
        let key = "aws_server_side_encryption".parse().expect("the library knows this key");
        builder = builder.with_config(key, "AES256");
    }
    if config.has_checksums {
        builder = builder.with_checksum_algorithm(Checksum::SHA256);
    }
    let (builder, hidden) = s3_credentials(builder, &config.credentials);
    let built = builder.build();
    destination(name, built, &config.prefix, false, hidden)
}

/// Returns a bucket of Google Cloud Storage.
pub(in crate::destination) fn gs(
    config: &GsConfig,
    timeouts: Timeouts,
) -> Result<StoreDestination, DestinationError> {
    let name = config.to_string();
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_http_connector(connector(&name, timeouts)?)
        .with_retry(once())
        .with_bucket_name(&config.bucket);
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    let mut hidden = Hidden::default();
    builder = match &config.credentials {
        GsCredentials::KeyFile(path) => builder.with_service_account_path(path.to_string_lossy()),
        GsCredentials::Key(key) => {
            hidden.add(key);
            builder.with_service_account_key(key.expose())
        }
        GsCredentials::Environment => GOOGLE.iter().fold(builder, |builder, variable| {
            let key = variable.to_lowercase().parse().expect("the library knows this key");
            match env::var(variable) {
                Ok(value) => builder.with_config(key, value),
                Err(_) => builder,
            }
        }),
    };
    // Google gives an object that says so decompressed to who asks for that.
    destination(name, builder.build(), &config.prefix, true, hidden)
}

/// Returns a container of Azure Blob Storage.
pub(in crate::destination) fn azure(
    config: &AzureConfig,
    timeouts: Timeouts,
) -> Result<StoreDestination, DestinationError> {
    let name = config.to_string();
    let builder = MicrosoftAzureBuilder::new()
        .with_http_connector(connector(&name, timeouts)?)
        .with_retry(once())
        .with_account(&config.account)
        .with_container_name(&config.container)
        .with_endpoint(config.endpoint.clone());
    let mut hidden = Hidden::default();
    let builder = match &config.credentials {
        AzureCredentials::Sas(sas) => {
            hidden.add(sas);
            // A plus sign is a plus sign, though not in forms.
            let query = sas.expose().replace('+', "%2B");
            let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
            builder.with_sas_authorization(pairs.collect::<Vec<_>>())
        }
        AzureCredentials::AccountKey(key) => {
            hidden.add(key);
            builder.with_access_key(key.expose())
        }
    };
    destination(name, builder.build(), &config.prefix, false, hidden)
}

fn destination<S: ObjectStore>(
    name: String,
    built: object_store::Result<S>,
    prefix: &ObjectPrefix,
    has_encoding: bool,
    hidden: Hidden,
) -> Result<StoreDestination, DestinationError> {
    match built {
        Ok(store) => Ok(StoreDestination {
            name,
            store: Box::new(store),
            prefix: prefix.clone(),
            has_encoding,
            hidden,
        }),
        Err(error) => {
            Err(DestinationError::Refused { destination: name, reason: hidden.hide_in(&error.to_string()) })
        }
    }
}

fn connector(name: &str, timeouts: Timeouts) -> Result<Connector, DestinationError> {
    let config = ClientConfig { timeouts, ..ClientConfig::default() };
    match Client::new(&config) {
        Ok(client) => Ok(Connector(client)),
        Err(source) => Err(DestinationError::Tls { destination: name.to_owned(), source }),
    }
}

/// Says that each request is tried once.
fn once() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

/// Returns whether the host of the endpoint is the bucket's own.
fn is_virtual_hosted(config: &S3Config) -> bool {
    let url = config.endpoint.as_deref().and_then(|endpoint| Url::parse(endpoint).ok());
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host.strip_prefix(config.bucket.as_str()).is_some_and(|rest| rest.starts_with('.'))
}

fn s3_credentials(builder: AmazonS3Builder, credentials: &S3Credentials) -> (AmazonS3Builder, Hidden) {
    match credentials {
        S3Credentials::Keys { access_key_id, secret_access_key, session_token } => {
            let mut hidden: Hidden = [access_key_id, secret_access_key].into_iter().collect();
            let mut builder = builder
                .with_access_key_id(access_key_id.expose())
                .with_secret_access_key(secret_access_key.expose());
            if let Some(token) = session_token {
                hidden.add(token);
                builder = builder.with_token(token.expose());
            }
            (builder, hidden)
        }
        S3Credentials::Profile(name) => (with_profile(builder, name), Hidden::default()),
        S3Credentials::Environment => s3_environment(builder),
    }
}

fn s3_environment(builder: AmazonS3Builder) -> (AmazonS3Builder, Hidden) {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let keys = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
    if let (Some(id), Some(key)) = keys {
        let keys = S3Credentials::Keys {
            access_key_id: Secret::new(id),
            secret_access_key: Secret::new(key),
            session_token: variable("AWS_SESSION_TOKEN").map(Secret::new),
        };
        return s3_credentials(builder, &keys);
    }
    if let Some(name) = variable("AWS_PROFILE") {
        return (with_profile(builder, &name), Hidden::default());
    }
    let roles = ROLES.iter().filter_map(|name| {
        let key: AmazonS3ConfigKey = name.to_lowercase().parse().expect("the library knows this key");
        Some((key, variable(name)?))
    });
    let roles: Vec<_> = roles.collect();
    if roles.is_empty() && Profile::default_exists() {
        return (with_profile(builder, Profile::DEFAULT), Hidden::default());
    }
    (
        roles.into_iter().fold(builder, |builder, (key, value)| builder.with_config(key, value)),
        Hidden::default(),
    )
}

fn with_profile(builder: AmazonS3Builder, name: &str) -> AmazonS3Builder {
    builder.with_credentials(Arc::new(Profile::new(name)))
}
