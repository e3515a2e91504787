//! What `--help` says of every command, and what shells and manual pages make of it.

use std::fs;

use logweir_testkit::process::Run;
use logweir_testkit::scratch::Scratch;

use crate::rig::logweir;

/// Returns what a command prints, which must be a success.
fn printed(args: &[&str]) -> String {
    let ran = logweir(args.iter().copied()).output();
    assert_eq!(ran.code(), Some(0), "{args:?}: {}", ran.stderr_text());
    String::from_utf8(ran.stdout).expect("we print UTF-8")
}

/// Returns all commands there are, as what stands behind `logweir`: what each help lists under `Commands:`.
fn commands() -> Vec<Vec<String>> {
    let (mut found, mut todo) = (Vec::new(), vec![Vec::new()]);
    while let Some(command) = todo.pop() {
        let args: Vec<_> = command.iter().map(String::as_str).chain(["-h"]).collect();
        let help = printed(&args);
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let listed = listed.take_while(|line| line.starts_with("  "));
        // What a long description goes on with stands further in.
        let names =
            listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
        for name in names.filter(|name| *name != "help") {
            todo.push(command.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>());
        }
        found.push(command);
    }
    found.sort();
    found
}

#[test]
fn the_help_of_every_command_ends_with_examples_that_name_it() {
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    for command in commands {
        let args: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = printed(&args);
        let (_, examples) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{command:?}: {help}"));
        let call = [&["logweir".to_owned()], command.as_slice()].concat().join(" ");
        assert!(examples.contains(&call), "{command:?}: {examples}");
        assert!(examples.lines().all(|line| line.chars().count() <= 120), "{command:?}: {examples}");
        insta::assert_snapshot!(call.replace(' ', "-"), help);
    }
}

#[test]
fn without_a_command_the_short_help_is_shown() {
    let ran = logweir([]).output();
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(2), &b""[..]));
    let help = ran.stderr_text();
    assert!(
        help.contains("\nCommands:\n") && help.contains("  run ") && !help.contains("Examples:"),
        "{help}"
    );
}

#[test]
fn wrong_words_are_answered_with_the_right_ones() {
    for (args, said) in [
        (&["chek"][..], "'check'"),
        (&["run", "--quite", "p.yaml"], "'--quiet'"),
        (&["top", "--interval", "1"], "write a whole number and `ms`, `s`, `m` or `h`"),
        (&["top", "--interval", "1ms"], "it must be from 100ms to 1h"),
        (&["top", "a.yaml", "--url", "http://x:1"], "cannot be used with"),
        (&["init", "--sample", "10"], "write a share above 0 and at most 1"),
        (&["completions", "tcsh"], "bash"),
    ] {
        let ran = logweir(args.iter().copied()).output();
        assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(2), &b""[..]), "{args:?}");
        assert!(ran.stderr_text().contains(said), "{args:?}: {}", ran.stderr_text());
    }
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    let scratch = Scratch::new();
    scratch.write("logweir.bash", printed(&["completions", "bash"]));
    let checked = Run::new("bash").args(["-n", "logweir.bash"]).dir(scratch.dir()).output();
    assert_eq!((checked.code(), checked.stderr_text().as_str()), (Some(0), ""));
    for (typed, completed) in [
        ("ch", "check checkpoint"),
        ("run --sum", "--summary"),
        ("run --summary ", "table json"),
        ("job ", "check"),
        ("init --from ", "follow once stdin"),
    ] {
        // What bash does when TAB is pressed: it sets what was typed and calls what `complete` names.
        let script = "source ./logweir.bash && complete -p logweir >/dev/null || exit 1\n\
                      COMP_WORDS=(logweir $1) COMP_LINE=\"logweir $1\"\n\
                      [[ $1 == *' ' ]] && COMP_WORDS+=('')\n\
                      COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_POINT=${#COMP_LINE}\n\
                      previous=${COMP_WORDS[COMP_CWORD - 1]}\n\
                      _logweir logweir \"${COMP_WORDS[COMP_CWORD]}\" \"$previous\"\n\
                      echo \"${COMPREPLY[*]}\"\n";
        let ran = Run::new("bash").args(["-c", script, "bash", typed]).dir(scratch.dir()).output();
        assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
        let replies = String::from_utf8(ran.stdout).unwrap();
        for word in completed.split(' ') {
            assert!(replies.split_whitespace().any(|reply| reply == word), "{typed:?}: {replies}");
        }
    }
}

#[test]
fn other_shells_have_completions_that_they_can_read() {
    let scratch = Scratch::new();
    for (shell, begins, names) in
        [("zsh", "#compdef logweir", "'--summary="), ("fish", "# Print an optspec", "-l summary")]
    {
        let script = printed(&["completions", shell]);
        assert!(script.starts_with(begins) && script.contains(names), "{shell}: {script}");
        scratch.write(shell, script);
        let is_there = std::env::var("PATH")
            .unwrap()
            .split(':')
            .any(|dir| fs::exists(format!("{dir}/{shell}")).unwrap());
        if is_there {
            let checked = Run::new(shell).args(["-n", shell]).dir(scratch.dir()).output();
            assert_eq!((checked.code(), checked.stderr_text().as_str()), (Some(0), ""));
        }
    }
}

#[test]
fn every_command_has_a_manual_page_that_formats_without_a_complaint() {
    let scratch = Scratch::new();
    let ran = logweir(["man", "--dir", "man/man1"]).dir(scratch.dir()).output();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let mut names: Vec<_> = fs::read_dir(scratch.path("man/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let mut expected: Vec<_> = commands()
        .into_iter()
        .map(|command| [vec!["logweir".to_owned()], command].concat().join("-") + ".1")
        .collect();
    expected.sort_unstable();
    assert_eq!(names, expected);
    let has_groff =
        std::env::var("PATH").unwrap().split(':').any(|dir| fs::exists(format!("{dir}/groff")).unwrap());
    for name in names {
        let page = fs::read_to_string(scratch.path(format!("man/man1/{name}"))).unwrap();
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH EXAMPLES"] {
            assert!(page.contains(section), "{name} has no {section}: {page}");
        }
        if has_groff {
            let path = format!("man/man1/{name}");
            let args = ["-man", "-Tutf8", "-ww", path.as_str()];
            let formatted = Run::new("groff").args(args).dir(scratch.dir()).output();
            assert_eq!((formatted.code(), formatted.stderr_text().as_str()), (Some(0), ""), "{name}");
        }
    }
    let printed = printed(&["man"]);
    assert_eq!(printed, fs::read_to_string(scratch.path("man/man1/logweir.1")).unwrap());
}
