//! `logweir init`: what it writes is good for every combination of flags, and nothing is written over.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;

use crate::rig::{logweir, n_lines};
use crate::terminal::OnTerminal;

/// Runs `logweir init` in a directory.
fn init(scratch: &Scratch, args: &[&str]) -> logweir_testkit::process::Ran {
    logweir(["init"].iter().chain(args).copied()).dir(scratch.dir()).output()
}

/// Returns all combinations of the flags that say what the pipeline does, the destinations apart.
fn combinations() -> Vec<Vec<&'static str>> {
    let choices: [&[&[&str]]; 5] = [
        &[
            &["--from", "follow"],
            &["--from", "once", "--input", "a's \"logs\"/*.ndjson", "--input", "b $HOME"],
            &["--from", "stdin"],
        ],
        &[&[], &["--keep-errors"]],
        &[&[], &["--sample", "0.1"], &["--sample", "1"]],
        &[&[], &["--truncate", "100"]],
        &[&[], &["--admin"]],
    ];
    choices.iter().fold(vec![Vec::new()], |combinations, flags| {
        let longer = |flags: &&[&'static str]| -> Vec<Vec<&'static str>> {
            combinations.iter().map(|before| [before.as_slice(), flags].concat()).collect()
        };
        flags.iter().flat_map(longer).collect()
    })
}

/// Has a file written for each combination with these flags, and checks all.
fn check_all(flags: &[&str]) {
    let scratch = Scratch::new();
    let combinations = combinations();
    assert_eq!(combinations.len(), 72);
    for (index, combination) in combinations.iter().enumerate() {
        let file = format!("{index}.yaml");
        let args = [combination.as_slice(), flags, &[file.as_str()]].concat();
        let ran = init(&scratch, &args);
        assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""), "{args:?}");
        let told = String::from_utf8(ran.stdout).unwrap();
        assert!(told.contains(&format!("logweir check {file}")), "{told}");
        let mut check = logweir(["check", &file]).dir(scratch.dir());
        for variable in ["R2_ACCOUNT_ID", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "LOGS_TOKEN"] {
            check = check.env(variable, "0123456789abcdef0123456789abcdef");
        }
        let checked = check.output();
        let text = fs::read_to_string(scratch.path(&file)).unwrap();
        assert_eq!(checked.code(), Some(0), "{args:?}: {}\n{text}", checked.stderr_text());
        assert!(text.lines().all(|line| line.len() <= 130 && line.trim_end() == line), "{text}");
        let tested = logweir(["test", &file]).dir(scratch.dir()).output();
        assert_eq!(tested.code(), Some(0), "{args:?}: {}\n{text}", tested.stderr_text());
    }
}

#[test]
fn what_is_written_is_good_for_every_combination_of_flags() {
    check_all(&[]);
    check_all(&["--to", "stdout"]);
    check_all(&["--to", "file", "--output", "out/it's {DATE}/{HOUR}.ndjson"]);
}

#[test]
fn what_is_written_is_good_for_every_destination_that_uploads() {
    check_all(&["--to", "s3", "--output", "bucket"]);
    check_all(&["--to", "r2"]);
    check_all(&["--to", "http", "--output", "https://logs.example.com/a"]);
}

#[test]
fn what_is_written_runs_and_keeps_what_it_says() {
    let scratch = Scratch::new();
    let ran = init(&scratch, &["--from", "stdin", "--keep-errors", "-"]);
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""));
    scratch.write("errors.yaml", &ran.stdout);
    let ran = logweir(["run", "--quiet", "errors.yaml"]).dir(scratch.dir()).stdin(EVENTS).output();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let n_kept = n_lines(&ran.stdout);
    assert!(0 < n_kept && n_kept < n_lines(EVENTS), "{n_kept}");
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(text.contains("exception"), "{text}");
}

#[test]
fn what_to_do_next_can_be_pasted() {
    let ran = init(&Scratch::new(), &["my shop.yaml"]);
    let told = String::from_utf8(ran.stdout).unwrap();
    assert!(
        told.contains("my shop.yaml is written") && told.contains("logweir run 'my shop.yaml'"),
        "{told}"
    );
}

#[test]
fn a_file_that_is_there_is_written_over_only_where_told_to() {
    let scratch = Scratch::new();
    assert_eq!(init(&scratch, &["--yes"]).code(), Some(0));
    let mode = fs::metadata(scratch.path("logweir.yaml")).unwrap().permissions().mode();
    assert!(mode & 0o400 != 0 && mode & 0o111 == 0, "{mode:o}");
    scratch.write("logweir.yaml", "mine");
    let ran = init(&scratch, &["--yes"]);
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(1), &b""[..]));
    assert!(
        ran.stderr_text().contains("logweir.yaml is there already") && ran.stderr_text().contains("--force")
    );
    assert_eq!(fs::read_to_string(scratch.path("logweir.yaml")).unwrap(), "mine");
    assert_eq!(init(&scratch, &["--yes", "--force"]).code(), Some(0));
    assert_ne!(fs::read_to_string(scratch.path("logweir.yaml")).unwrap(), "mine");
    // Nothing else is left behind.
    assert_eq!(fs::read_dir(scratch.dir()).unwrap().count(), 1);
}

#[test]
fn only_a_regular_file_is_written_over_and_keeps_its_mode() {
    let scratch = Scratch::new();
    scratch.write("mine.yaml", "mine");
    std::os::unix::fs::symlink("mine.yaml", scratch.path("link.yaml")).unwrap();
    let ran = init(&scratch, &["--yes", "--force", "link.yaml"]);
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().contains("link.yaml is no regular file"), "{}", ran.stderr_text());
    fs::set_permissions(scratch.path("mine.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(init(&scratch, &["--yes", "--force", "mine.yaml"]).code(), Some(0));
    assert_eq!(fs::metadata(scratch.path("mine.yaml")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::symlink_metadata(scratch.path("link.yaml")).unwrap().is_symlink());
}

#[test]
fn what_does_not_fit_together_is_refused_with_what_does() {
    let scratch = Scratch::new();
    for (args, said) in [
        (&["--from", "stdin", "--input", "x"][..], "`--from stdin` reads none"),
        (&["--to", "stdout", "--output", "x"], "`--to stdout` needs none"),
        (&["--to", "s3", "--output", "Not A Bucket"], "a bucket is wanted"),
        (&["--to", "http", "--output", "logs.example.com"], "like `https://"),
        (&["--to", "http", "--output", "https://u:secret@logs.example.com/"], "may hold a secret"),
        (&["--to", "http", "--output", "https://logs.example.com/?key=secret"], "may hold a secret"),
        (&["--to", "file", "--output", ""], "a path is wanted"),
        (&["--to", "file", "--output", "{NOPE}.ndjson"], "`{NOPE}` is no token"),
        (&["--input", "x/*.ndjson", "--to", "file", "--output", "x/y.ndjson"], "is read by a source as well"),
        (&["--truncate", "0"], "give a budget of 1 or more"),
        (&["--yes", "no/such/dir/p.yaml"], "no/such/dir/p.yaml cannot be written"),
    ] {
        let ran = init(&scratch, args);
        assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(1), &b""[..]), "{args:?}");
        assert!(ran.stderr_text().contains(said), "{args:?}: {}", ran.stderr_text());
        assert_eq!(fs::read_dir(scratch.dir()).unwrap().count(), 0, "{args:?}");
    }
}

#[test]
fn the_answers_to_its_questions_are_what_it_writes() {
    const DOWN: &str = "\x1b[B";
    let scratch = Scratch::new();
    let mut asked = OnTerminal::start(scratch.dir(), &["init", "asked.yaml"]);
    let answers = [
        ("Where do events come from?", format!("{DOWN}\r")),
        ("Which files?", String::from("\x15logs/*.ndjson\r")),
        ("Where do they go?", String::from("\r")),
        ("Which file?", String::from("\x15out.ndjson\r")),
        ("Which share", String::from("2\r")),
        ("a share above 0 and at most 1", String::from("\x7f0.5\r")),
        ("Keep all events whose Worker failed", String::from("y")),
        ("how many characters together?", String::from("100\r")),
        ("Serve metrics and health", String::from("n")),
    ];
    for (question, answer) in answers {
        asked.wait_for(question, |screen| screen.contains(question));
        asked.press(&answer);
    }
    asked.wait_until_ended(0);
    let flags = ["--from", "once", "--input", "logs/*.ndjson", "--to", "file", "--output", "out.ndjson"];
    let more = ["--sample", "0.5", "--keep-errors", "--truncate", "100", "told.yaml"];
    assert_eq!(init(&scratch, &[&flags[..], &more].concat()).code(), Some(0));
    let read =
        |name: &str| fs::read_to_string(scratch.path(name)).unwrap().replace("told.yaml", "asked.yaml");
    assert_eq!(read("asked.yaml"), read("told.yaml"));
}

#[test]
fn a_question_that_is_not_answered_gives_the_terminal_back_and_writes_nothing() {
    for n_answers in 0..2 {
        let scratch = Scratch::new();
        let mut asked = OnTerminal::start(scratch.dir(), &["init", "asked.yaml"]);
        asked.wait_for("the first question", |screen| screen.contains("Where do events come from?"));
        if n_answers == 1 {
            asked.press("\r");
            asked.wait_for("the second question", |screen| screen.contains("Which files?"));
        }
        asked.press("\x03");
        asked.wait_until_ended(130);
        assert_eq!(fs::read_dir(scratch.dir()).unwrap().count(), 0);
    }
}
