//! A directory as a destination.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use logweir_sinks::{Compression, DestinationConfig, DirectoryConfig, UploadVerdict};
use logweir_testkit::scratch::Scratch;

use super::uploading::Uploading;
use super::{Rig, check};

struct Directory(Scratch);

impl Directory {
    fn root(&self, root: &str, directory: &str) -> DestinationConfig {
        let bucket = DestinationConfig::parse(&format!("gs://bucket/{directory}")).unwrap();
        let DestinationConfig::Gs(bucket) = bucket else { unreachable!("it is one") };
        DestinationConfig::Directory(DirectoryConfig { root: self.0.path(root), prefix: bucket.prefix })
    }
}

impl Rig for Directory {
    fn config(&self, directory: &str) -> DestinationConfig {
        self.root("", directory)
    }

    fn stored(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.0.path(key)).ok()
    }

    fn stranger(&self) -> Option<DestinationConfig> {
        None
    }

    fn homeless(&self) -> Option<DestinationConfig> {
        Some(self.root("not-mounted", ""))
    }

    fn deserted(&self) -> Option<DestinationConfig> {
        None
    }
}

#[test]
fn a_directory_does_what_every_destination_must() {
    check(&Directory(Scratch::new()));
}

#[test]
fn what_a_crash_left_of_a_copy_is_gone_with_the_next_attempt() {
    let rig = Directory(Scratch::new());
    rig.0.write("20261122/.n.log.part", "half of someth");
    let (_, uploaded) = Uploading::new(&rig.config("{DATE}")).upload("n.log", b"all", Compression::None);
    uploaded.unwrap();
    let there: Vec<_> =
        fs::read_dir(rig.0.path("20261122")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(there, ["n.log"]);
    assert_eq!(rig.0.read("20261122/n.log"), b"all");
}

#[test]
fn a_directory_that_is_in_the_way_or_closed_may_be_mended() {
    let rig = Directory(Scratch::new());
    fs::create_dir_all(rig.0.path("n.log/inside")).unwrap();
    let uploading = Uploading::new(&rig.config(""));
    let error = uploading.upload("n.log", b"all", Compression::None).1.unwrap_err();
    assert_eq!((error.status, error.verdict), (1108, UploadVerdict::Retry { after: None }));
    assert!(error.message.starts_with("cannot write "), "{error}");
    assert!(!rig.0.path(".n.log.part").exists());
    fs::remove_dir_all(rig.0.path("n.log")).unwrap();
    uploading.upload("n.log", b"all", Compression::None).1.unwrap();
    let mode = fs::metadata(rig.0.path("n.log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o600, 0o600, "whoever ships them on can read them");
}

#[test]
fn the_upload_of_a_new_job_is_put_where_events_will_be() {
    let rig = Directory(Scratch::new());
    Uploading::new(&rig.config("logs/{DATE}")).test().unwrap();
    let day = fs::read_dir(rig.0.path("logs")).unwrap().next().unwrap().unwrap().path();
    let mut content = String::new();
    let file = fs::File::open(day.join("test.txt.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut content).unwrap();
    assert_eq!(content, r#"{"content":"tests"}"#);
}
