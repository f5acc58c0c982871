//! Each command that a page shows is run, or is on the list of those that can't be run here.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::pages::{Block, Page, pages, repository};
use crate::run::{BINARY, Folder, Outcome};

/// Beginnings of commands that are not run, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("apt install ./otel-tcpretrans", "installs: `make test-package` does it in a virtual machine"),
    ("rpm --install otel-tcpretrans", "installs: tests/packages/check.sh does it in a root of its own"),
    ("sha256sum --check", "needs the packages: tests/packages/check.sh does it"),
    ("tar xf otel-tcpretrans", "needs the packages: tests/packages/check.sh does it"),
    ("./otel-tcpretrans-0.1.0-linux-amd64/", "needs the packages"),
    ("systemctl ", "needs systemd: `make test-package` does it in a virtual machine"),
    ("journalctl ", "needs systemd"),
    ("curl http://127.0.0.1:9464/metrics", "needs the service: `make test-package` does it"),
    ("image=$(IMAGE=", "builds an image: `make test-container` does it"),
    ("podman ", "needs an image: `make test-container` does it"),
    ("helm install", "needs a cluster: tests/chart renders the chart with such values"),
    ("otel-tcpretrans top", "shows a screen: tests/top runs it in a terminal"),
    ("otel-tcpretrans trace --connect", "needs an agent: tests/top runs it beside one"),
    ("kubectl ", "needs a cluster: tests/kubernetes applies the manifests"),
];

/// What the commands of a block are for.
enum Shown<'l> {
    /// It is a target of `make`.
    Make(&'l str),
    /// Cargo builds or tests something.
    Cargo(&'l str),
    NotRun(&'static str),
    Run(&'l str),
}

#[test]
fn each_command_works() {
    let mut wrong = Vec::new();
    let mut not_run = BTreeSet::new();
    let mut ran = 0;
    for page in pages() {
        let blocks = page.blocks();
        for (index, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind == "sh") {
            let mut script = String::new();
            for line in logical_lines(&block.text) {
                let checked = match classified(&line) {
                    Shown::Make(rest) => make(rest),
                    Shown::Cargo(rest) => cargo(rest),
                    Shown::NotRun(beginning) => {
                        not_run.insert(beginning);
                        Ok(())
                    }
                    Shown::Run(line) => {
                        script.push_str(line);
                        script.push('\n');
                        Ok(())
                    }
                };
                if let Err(problem) = checked {
                    wrong.push(format!("{}:{}: {line}: {problem}", page.path, block.line));
                }
            }
            if !script.is_empty() {
                ran += 1;
                // The configuration that the page has shown before is the one that the command takes.
                let shown = blocks[..index].iter().rev().find(|block| block.kind == "yaml");
                wrong.extend(run(&page, block, &script, shown).err());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran >= 5, "only {ran} blocks were run");
    let unused: Vec<_> = NOT_RUN.iter().filter(|(beginning, _)| !not_run.contains(beginning)).collect();
    assert!(unused.is_empty(), "no page shows these commands any more: {unused:?}");
}

fn classified(line: &str) -> Shown<'_> {
    if let Some((beginning, _)) = NOT_RUN.iter().find(|(beginning, _)| line.starts_with(beginning)) {
        return Shown::NotRun(beginning);
    }
    match line.split_once(' ') {
        Some(("make", rest)) => Shown::Make(rest),
        Some(("cargo", rest)) => Shown::Cargo(rest),
        _ => Shown::Run(line),
    }
}

/// Commands without comments. A command that goes on in the next line is one.
fn logical_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Targets and variables exist. The gate runs most of the targets.
fn make(words: &str) -> Result<(), String> {
    let makefile = fs::read_to_string(repository().join("Makefile")).map_err(|error| error.to_string())?;
    for word in words.split_whitespace().filter(|word| !word.ends_with('"') || word.contains('=')) {
        let known = match word.split_once('=') {
            Some((variable, _)) => makefile.contains(&format!("\n{variable} ?=")),
            None => makefile.contains(&format!("\n{word}:")),
        };
        if !known {
            return Err(format!("the Makefile has no {word}"));
        }
    }
    Ok(())
}

/// The tests, benches and packages that it names exist.
fn cargo(words: &str) -> Result<(), String> {
    let words: Vec<_> = words.split_whitespace().collect();
    for pair in words.windows(2) {
        let root = repository();
        let exists = match pair {
            ["--test", name] => root.join("tests").join(name).join("main.rs").exists(),
            ["--bench", name] => {
                let benches = root.join("benches");
                benches.join(name).join("main.rs").exists() || benches.join(format!("{name}.rs")).exists()
            }
            ["-p", name] => {
                let lock = fs::read_to_string(root.join("Cargo.lock")).map_err(|error| error.to_string())?;
                lock.contains(&format!("name = \"{name}\""))
            }
            _ => true,
        };
        if !exists {
            return Err(format!("there is no {} {}", pair[0], pair[1]));
        }
    }
    Ok(())
}

fn run(page: &Page, block: &Block, script: &str, configuration: Option<&Block>) -> Result<(), String> {
    let folder = Folder::new();
    if let Some(shown) = configuration {
        folder.write("config.yaml", &shown.text);
    }
    match folder.run(script) {
        Outcome::Worked | Outcome::Unprivileged => Ok(()),
        Outcome::Failed(told) => Err(format!("{}:{}:\n{script}{told}", page.path, block.line)),
    }
}

#[test]
fn the_table_of_commands_is_that_of_the_help() {
    let output = Command::new(BINARY).arg("--help").output().expect("running the binary");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let list = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a list");
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let listed: BTreeSet<_> = names.filter(|name| !name.is_empty() && *name != "help").collect();
    let page = Page::read("docs/getting-started.md");
    let rows = page.text.lines().filter_map(|line| line.strip_prefix("| `otel-tcpretrans "));
    let shown: BTreeSet<_> = rows.filter_map(|row| row.split([' ', '`']).next()).collect();
    assert_eq!(shown, listed, "the table in {} and --help", page.path);
}

#[test]
fn a_wrong_command_is_found() {
    assert!(make("demo").is_ok() && make("KERNELS=\"a b\" test-kernels").is_ok());
    assert!(make("dmeo").is_err() && make("KERNEL=x test-kernels").is_err());
    assert!(cargo("test --workspace --test cli").is_ok() && cargo("test --test clu").is_err());
    assert!(matches!(Folder::new().run("otel-tcpretrans frobnicate"), Outcome::Failed(_)));
    assert_eq!(logical_lines("# no\na \\\n  b # c\n\n"), ["a    b"]);
}
