//! What every destination must do, whoever stands behind it.

#[cfg(feature = "services")]
mod azurite;
mod credentials;
mod directory;
mod google_stub;
#[cfg(feature = "services")]
mod moto;
mod post;
#[cfg(feature = "services")]
mod s3s_fs;
#[cfg(feature = "services")]
mod service;
mod stores;
pub(crate) mod uploading;

use logweir_sinks::{Compression, DestinationConfig, UploadVerdict};

use uploading::{DATE, Uploading, gzip, noise};

/// What a directory of a bucket may be called: as it is written in a URL, and as it is.
pub(crate) const ODD: [&str; 2] =
    ["a%20b/%C3%A9+&=;,@'()!~*$%5Bx%5D%25%3F%22%3C%3E/%7BDATE%7D", "a b/é+&=;,@'()!~*$[x]%?\"<>/20261122"];

/// A kind of destination, with somebody who plays the other side.
pub(crate) trait Rig {
    /// Returns a destination that works, whose objects lie in this directory, written as in a URL.
    fn config(&self, directory: &str) -> DestinationConfig;

    /// Returns what it holds under a key.
    fn stored(&self, key: &str) -> Option<Vec<u8>>;

    /// Returns one that asks in the name of somebody who may not, `None` if anybody may.
    fn stranger(&self) -> Option<DestinationConfig>;

    /// Returns one whose bucket is missing, `None` if there are no buckets.
    fn homeless(&self) -> Option<DestinationConfig>;

    /// Returns one whose server does not listen, `None` if there is no server.
    fn deserted(&self) -> Option<DestinationConfig>;
}

/// Checks all that a destination must do.
pub(crate) fn check(rig: &dyn Rig) {
    takes_what_it_is_given(rig);
    replaces_what_is_there(rig);
    takes_a_large_batch(rig);
    takes_odd_names(rig);
    refuses_strangers(rig);
    says_that_there_is_no_bucket(rig);
    asks_for_another_attempt_when_nobody_listens(rig);
}

fn takes_what_it_is_given(rig: &dyn Rig) {
    let uploading = Uploading::new(&rig.config("logs/{DATE}"));
    assert!(uploading.destination.name().contains("://"));
    let event = b"{\"n\":1}\n".repeat(3);
    for (name, content) in [("one.log.gz", gzip(&event)), ("byte.log", b"x".to_vec())] {
        let compression =
            if name.ends_with("gz") { Compression::Gzip { level: 1 } } else { Compression::None };
        let (key, uploaded) = uploading.upload(name, &content, compression);
        let uploaded = uploaded.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!((200..300).contains(&uploaded.status), "{uploaded:?}");
        assert_eq!((uploaded.n_rejected, uploaded.first_error), (0, None));
        assert!(key.ends_with(name), "{key}");
        assert_eq!(rig.stored(&key).as_deref(), Some(&content[..]), "{key}");
    }
}

fn replaces_what_is_there(rig: &dyn Rig) {
    let uploading = Uploading::new(&rig.config("logs/{DATE}"));
    for content in [&b"a first attempt, which is longer"[..], b"the second"] {
        let (key, uploaded) = uploading.upload("again.log", content, Compression::None);
        uploaded.unwrap();
        assert_eq!(rig.stored(&key).as_deref(), Some(content));
    }
}

fn takes_a_large_batch(rig: &dyn Rig) {
    // More than two parts and a piece, and no part like another.
    let content = noise(17 * 1024 * 1024 + 7);
    let uploading = Uploading::new(&rig.config(""));
    let (key, uploaded) = uploading.upload("large.log", &content, Compression::None);
    uploaded.unwrap();
    assert!(rig.stored(&key).unwrap() == content, "{key} differs");
}

fn takes_odd_names(rig: &dyn Rig) {
    let uploading = Uploading::new(&rig.config(ODD[0]));
    let (key, uploaded) = uploading.upload("n.log", b"odd", Compression::None);
    uploaded.unwrap();
    assert_eq!(rig.stored(&key).as_deref(), Some(&b"odd"[..]), "{key}");
}

fn refuses_strangers(rig: &dyn Rig) {
    let Some(config) = rig.stranger() else { return };
    let (_, uploaded) = Uploading::new(&config).upload("n.log", b"x", Compression::None);
    let error = uploaded.unwrap_err();
    assert_eq!((error.status, error.verdict), (403, UploadVerdict::Reject), "{error:?}");
    assert!(!error.message.contains(uploading::WRONG), "{error:?}");
}

fn says_that_there_is_no_bucket(rig: &dyn Rig) {
    let Some(config) = rig.homeless() else { return };
    let (_, uploaded) = Uploading::new(&config).upload(&format!("{DATE}.log"), b"x", Compression::None);
    let error = uploaded.unwrap_err();
    // A directory that is missing may be one that is not mounted yet.
    let expected = match config {
        DestinationConfig::Directory(_) => (1108, UploadVerdict::Retry { after: None }),
        _ => (404, UploadVerdict::Reject),
    };
    assert_eq!((error.status, error.verdict), expected, "{error:?}");
}

fn asks_for_another_attempt_when_nobody_listens(rig: &dyn Rig) {
    let Some(config) = rig.deserted() else { return };
    let (_, uploaded) = Uploading::new(&config).upload("n.log", b"x", Compression::None);
    let error = uploaded.unwrap_err();
    assert_eq!((error.status, error.verdict), (1101, UploadVerdict::Retry { after: None }), "{error:?}");
}
