//! A checkpoint that is not what was written is an error that says what to do, and never a state.

use super::*;

/// Returns what the text of pipeline `a`'s checkpoint is refused with.
#[track_caller]
fn refusal(scratch: &Scratch, text: impl AsRef<[u8]>) -> CheckpointError {
    scratch.write("a.checkpoint", text);
    refused(&StateDir::open(scratch.dir()).unwrap())
}

/// Checks that a text is refused with a message that has all of `what` in it.
#[track_caller]
fn check(text: impl AsRef<[u8]>, kind: &str, what: &[&str]) {
    let scratch = Scratch::new();
    let error = refusal(&scratch, text);
    let message = error.to_string();
    assert_eq!(error.kind(), kind, "{message}");
    for part in what {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
    let command = format!("`logweir checkpoint reset {} a`", scratch.dir().display());
    for part in [&*command, "comes twice", scratch.path("a.checkpoint").to_str().unwrap()] {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

/// Returns the text of a good checkpoint of pipeline `a`.
fn good() -> String {
    let scratch = Scratch::new();
    commit(scratch.dir(), &numbered(1));
    String::from_utf8(scratch.read("a.checkpoint")).unwrap()
}

/// Returns the lines of a good checkpoint before its last one.
fn body() -> String {
    let good = good();
    good[..=good.trim_end().rfind('\n').unwrap()].to_owned()
}

#[test]
fn cut_short_anywhere() {
    let (scratch, good) = (Scratch::new(), good());
    for n in 0..good.len() {
        let error = refusal(&scratch, &good[..n]);
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{n} bytes: {error}");
        assert!(error.to_string().contains("cut short"), "{n} bytes: {error}");
    }
    assert_eq!(with_trailer(&body(), 3), good);
}

#[test]
fn any_bit_flipped() {
    let (scratch, good) = (Scratch::new(), good());
    let dir = StateDir::open(scratch.dir()).unwrap();
    for n in 0..good.len() * 8 {
        let mut bytes = good.clone().into_bytes();
        bytes[n / 8] ^= 1 << (n % 8);
        scratch.write("a.checkpoint", &bytes);
        let kind = refused(&dir).kind();
        assert!(["damaged", "foreign"].contains(&kind), "bit {n}: {kind}");
    }
}

#[test]
fn a_new_one_that_was_not_finished_is_not_looked_at() {
    let scratch = Scratch::new();
    commit(scratch.dir(), &numbered(1));
    let new = with_trailer(&body().replace("\"offset\":1000", "\"offset\":7000"), 3);
    for n in 0..=new.len() {
        scratch.write("a.checkpoint.new", &new[..n]);
        assert_eq!(open(scratch.dir()).1, Some(numbered(1)), "{n} bytes");
        assert_eq!(names_in(scratch.dir()), ["a.checkpoint", "lock"]);
    }
}

#[test]
fn parts_missing_doubled_or_in_another_order() {
    let good = good();
    let lines: Vec<_> = good.split_inclusive('\n').collect();
    for texts in [
        vec![lines[0], lines[1], lines[2], lines[4]],
        vec![lines[0], lines[2], lines[1], lines[3], lines[4]],
        vec![lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]],
        vec![&good, &good],
    ] {
        check(texts.concat(), "damaged", &["some of it was changed"]);
    }
    check(good.clone() + "\n", "damaged", &["cut short"]);
    check(good + "x", "damaged", &["cut short"]);
}

#[test]
fn what_nobody_wrote_although_the_checksum_fits() {
    let cases = [
        ("\"is_compressed\"", "\"is_compresed\"", "unknown field `is_compresed`"),
        ("\"pipeline\":\"a\"", "\"pipeline\":\"a\",\"more\":1", "unknown field `more`"),
        ("\"version\":1", "\"version\":0", "no version 0"),
        ("\"offset\":1000", "\"offset\":-1", "line 2 is not understood"),
        ("\"offset\":1001", "\"offset\":18446744073709551616", "line 3 is not understood"),
        ("\"offset\":1000,", "", "missing field `offset`"),
        ("{\"n_bytes\":10,", "{\"n_bytes\":257,", "too many bytes"),
        ("\"hash\":\"", "\"hash\":\"x", "line 2 is not understood"),
        ("\"path\":", "\"path_hex\":\"2g\",\"path\":", "holds no bytes"),
        ("\"path\":", "\"path_hex\":\"2\",\"path\":", "holds no bytes"),
        ("\"path\":", "\"path\":\"x\",\"path\":", "duplicate field `path`"),
    ];
    for (from, to, what) in cases {
        assert!(body().contains(from), "{from}");
        check(with_trailer(&body().replacen(from, to, 1), 3), "damaged", &[what]);
    }
    check(with_trailer(&body(), 2), "damaged", &["not that of 3 files"]);
    check(with_trailer(&body(), 3).replace("{\"files\"", "{ \"files\""), "damaged", &["not that of 3 files"]);
}

#[test]
fn deep_nesting_costs_no_stack() {
    let deep = "[".repeat(1 << 20);
    let header = body().lines().next().unwrap().to_owned() + "\n";
    check(with_trailer(&(header + &deep + "\n"), 1), "damaged", &["line 2"]);
}

#[test]
fn what_is_no_checkpoint_of_this_pipeline() {
    for text in ["{\"Outcome\":\"ok\"}\n", "\0\0\0\0\0\0\0\0", "{\"format\":\"other\"}\n", "hello"] {
        check(text, "foreign", &["does not begin like a checkpoint"]);
    }
    let other = with_trailer(&body().replace("\"pipeline\":\"a\"", "\"pipeline\":\"b\""), 3);
    check(other, "foreign", &["it is that of pipeline \"b\""]);
}

#[test]
fn a_later_version_asks_for_an_upgrade() {
    let later = body().replace("\"version\":1,", "\"version\":2,\"new\":[],");
    let what = ["has version 2", "versions up to 1", "upgrade"];
    check(with_trailer(&later, 3), "newer", &what);
    let trailer = with_trailer(&later, 3).replace("{\"files\":3,", "{\"files\":3,\"new\":true,");
    check(trailer, "newer", &what);
    check(with_trailer(&later, 3).replace("new", "now"), "damaged", &["some of it was changed"]);
}

#[test]
fn what_is_refused_stays_as_it_is() {
    let scratch = Scratch::new();
    let cut = &good()[..200];
    refusal(&scratch, cut);
    assert_eq!(scratch.read("a.checkpoint"), cut.as_bytes());
    // Once it is in order again, so is everything.
    scratch.write("a.checkpoint", good());
    assert_eq!(open(scratch.dir()).1, Some(numbered(1)));
}

#[test]
fn a_directory_whose_name_a_shell_would_split_is_quoted() {
    let scratch = Scratch::new();
    let dir = scratch.path("it's mine");
    scratch.write("it's mine/a.checkpoint", "x");
    let error = refused(&StateDir::open(&dir).unwrap());
    let quoted = format!("reset '{}/it'\\''s mine' a`", scratch.dir().display());
    assert!(error.to_string().contains(&quoted), "{error}");
}

#[test]
fn more_than_a_checkpoint_can_be_is_not_read() {
    let scratch = Scratch::new();
    let path = scratch.write("a.checkpoint", good());
    std::fs::File::options().write(true).open(&path).unwrap().set_len((256 << 20) + 1).unwrap();
    let error = refused(&StateDir::open(scratch.dir()).unwrap());
    assert!(matches!(error, CheckpointError::TooLarge { n_bytes: 268_435_457, .. }), "{error}");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let scratch = Scratch::new();
    let dir = StateDir::open(scratch.dir()).unwrap();
    let path = scratch.path("a.checkpoint");
    std::fs::create_dir(&path).unwrap();
    assert_eq!(refused(&dir).kind(), "read");
    std::fs::remove_dir(&path).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    assert_eq!(refused(&dir).kind(), "read");
}
