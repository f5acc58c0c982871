//! Each configuration that a page shows is one that `validate` accepts.

use std::fs;
use std::process::Command;

use crate::pages::{Page, pages};
use crate::run::BINARY;

/// A block of the kind `yaml` is a whole configuration. One with a second word, such as `yaml kubernetes`, is part of
/// something else.
#[test]
fn each_configuration_is_valid() {
    let mut shown = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.kind == "yaml") {
            shown += 1;
            let (is_valid, told) = validate(&block.text);
            if !is_valid {
                wrong.push(format!("{}:{}:\n{told}", page.path, block.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(shown > 30, "{shown}");
}

#[test]
fn the_problem_that_a_page_shows_is_what_validate_prints() {
    let page = Page::read("docs/configuration.md");
    let shown = page.text.lines().find(|line| line.starts_with("config.yaml:")).expect("a problem");
    let (is_valid, told) = validate(
        "receivers:
  tcpretrans:
exporters:
  debug:
    verbositi: basic
service:
  pipelines:
    logs: { receivers: [tcpretrans], exporters: [debug] }
",
    );
    assert!(!is_valid);
    assert!(told.contains(shown), "{told}");
}

/// Whether `validate` accepts it without a warning, and what it says.
fn validate(configuration: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("config.yaml"), configuration).expect("writing a file");
    let output = Command::new(BINARY)
        .args(["validate", "--config", "config.yaml"])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .expect("running the binary");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), told)
}
