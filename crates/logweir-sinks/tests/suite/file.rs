//! What the file sink leaves in files.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use logweir_sinks::{FileMode, FileSinkConfig, Sink, SinkError};
use logweir_testkit::scratch::Scratch;

use crate::books::{Books, context, open, plain, receiver};

fn write(path: PathBuf, mode: FileMode) {
    let sink = open(FileSinkConfig { mode, ..plain(path) }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime
        .block_on(Box::new(sink).run(context(receiver(vec![Books::new().payload(&["{\"new\":1}\n"])], 1))))
        .unwrap();
}

#[test]
fn the_mode_says_what_happens_to_what_is_there() {
    let cases = [
        (FileMode::Append, "{\"old\":1}\n", "{\"old\":1}\n{\"new\":1}\n"),
        (FileMode::Append, "{\"torn", "{\"torn\n{\"new\":1}\n"),
        (FileMode::Append, "", "{\"new\":1}\n"),
        (FileMode::Overwrite, "{\"old, and longer than the new\":1}\n", "{\"new\":1}\n"),
    ];
    for (mode, before, after) in cases {
        let scratch = Scratch::new();
        write(scratch.write("out.ndjson", before), mode);
        assert_eq!(String::from_utf8(scratch.read("out.ndjson")).unwrap(), after);
    }
}

#[test]
fn opening_leaves_the_file_alone() {
    let scratch = Scratch::new();
    let path = scratch.write("out.ndjson", "{\"torn");
    drop(open(FileSinkConfig { mode: FileMode::Overwrite, ..plain(path) }).unwrap());
    assert_eq!(scratch.read("out.ndjson"), b"{\"torn");
}

#[test]
fn a_file_that_may_not_be_read_can_be_added_to() {
    let scratch = Scratch::new();
    let path = scratch.write("out.ndjson", "{}\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o200)).unwrap();
    write(path.clone(), FileMode::Append);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(scratch.read("out.ndjson"), b"{}\n{\"new\":1}\n");
}

#[test]
fn what_cannot_be_opened_is_named() {
    let scratch = Scratch::new();
    let file = scratch.write("file", "");
    for (path, named) in
        [(scratch.dir().to_owned(), scratch.dir().to_owned()), (file.join("sub/out"), file.join("sub"))]
    {
        match open(plain(path)) {
            Err(SinkError::Open { path, .. }) => assert_eq!(path, named),
            other => panic!("{other:?}"),
        }
    }
}
