//! What is generated from the command line's own definition: completions and manual pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::Case;
use crate::usage::COMMANDS;

#[test]
fn completions_know_all_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = Case::bare(&["completions", shell]).run();
        outcome.succeeded();
        for command in COMMANDS {
            assert!(outcome.stdout.contains(command), "{shell} does not complete {command}");
        }
    }
    assert_eq!(Case::bare(&["completions", "tcsh"]).run().code, Some(2));
    assert_eq!(Case::bare(&["completions", "bash"]).stdout_full().run().code, Some(1));
}

#[test]
fn bash_completes_commands_options_and_files() {
    let script = Case::bare(&["completions", "bash"]).run().stdout;
    for (words, expected) in [
        (&["otel-tcpretrans", "val"][..], "validate"),
        (&["otel-tcpretrans", "run", "--log"], "--log-format"),
        (&["otel-tcpretrans", "run", "--log-format", "j"], "json"),
        (&["otel-tcpretrans", "run", "--config", "confi"], "config.yaml"),
        (&["otel-tcpretrans", "completions", "fi"], "fish"),
    ] {
        assert_eq!(completed(&script, words), expected, "{words:?}");
    }
}

/// What bash would offer for the last word, in a folder with the file `config.yaml`.
fn completed(script: &str, words: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("completions"), script).expect("writing a file");
    fs::write(folder.path().join("config.yaml"), "").expect("writing a file");
    // As bash does: the function gets the command, the word and the word before it.
    let ask = "source ./completions\n\
        COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1))\n\
        function=$(complete -p otel-tcpretrans | sed -nE 's/.* -F ([^ ]+).*/\\1/p')\n\
        \"$function\" \"$1\" \"${!#}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"\n\
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "-c", ask, "bash"])
        .args(words)
        .current_dir(folder.path())
        .output()
        .expect("running bash");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

#[test]
fn there_is_a_page_for_each_command_and_the_configuration() {
    let pages = pages();
    let mut expected: Vec<String> =
        COMMANDS.iter().map(|command| format!("otel-tcpretrans-{command}.1")).collect();
    expected.extend(["otel-tcpretrans.1".to_owned(), "otel-tcpretrans-config.5".to_owned()]);
    expected.sort();
    assert_eq!(pages.keys().cloned().collect::<Vec<_>>(), expected);
    for (name, page) in &pages {
        // The title. The date between the two spaces is empty, so that each build makes the same page.
        let (title, section) = name.rsplit_once('.').expect("a section");
        let version = env!("CARGO_PKG_VERSION");
        let opening = format!(".TH {title} {section}  \"otel-tcpretrans {version}\"");
        assert!(page.lines().any(|line| line.starts_with(&opening)), "{name} has no line {opening}");
        for heading in ["NAME", "DESCRIPTION", "SEE ALSO"] {
            assert!(
                page.contains(&format!(".SH {heading}")) || page.contains(&format!(".SH \"{heading}\"")),
                "{name} has no {heading}"
            );
        }
    }
    let run = &pages["otel-tcpretrans-run.1"];
    for option in ["config", "set", "log\\-format"] {
        assert!(run.contains(&format!("\\-\\-{option}")), "no --{option} in {run}");
    }
}

#[test]
fn man_prints_the_main_page_and_the_same_each_time() {
    let main = Case::bare(&["man"]).run();
    main.succeeded();
    let pages = pages();
    assert_eq!(main.stdout, pages["otel-tcpretrans.1"]);
    assert_eq!(pages, self::pages());
    for code in ["0", "1", "2", "77", "78"] {
        assert!(
            main.stdout.contains(&format!(".TP\n\\fB{code}\\fR\n")),
            "exit code {code} is not in {}",
            main.stdout
        );
    }
}

#[test]
fn pages_that_cannot_be_written_are_a_failure() {
    let outcome = Case::bare(&["man", "--output", "occupied"]).file("occupied", "").run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("can't create occupied"), "{}", outcome.stderr);
}

/// All pages by the names of their files.
fn pages() -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("not/yet/there");
    Case::bare(&["man", "--output"]).arg(below.to_str().expect("UTF-8")).run().succeeded();
    let read = |path: &Path| fs::read_to_string(path).expect("a page");
    fs::read_dir(&below)
        .expect("the folder")
        .map(|entry| entry.expect("an entry"))
        .map(|entry| (entry.file_name().into_string().expect("UTF-8"), read(&entry.path())))
        .collect()
}
