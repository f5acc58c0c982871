//! The documentation: its links lead somewhere, its configurations are valid, and its commands work.

#![allow(clippy::expect_used)] // a test that can't go on fails

mod commands;
mod configurations;
mod links;
mod pages;
mod run;

use pages::{Page, pages};

/// Lines of the longest README that is allowed. The rest belongs into `docs`.
const LONGEST_README: usize = 150;

#[test]
fn the_readme_is_short() {
    let lines = Page::read("README.md").text.lines().count();
    assert!(lines <= LONGEST_README, "README.md has {lines} lines; at most {LONGEST_README} are allowed");
}

/// The test of a kind of block looks for its name, so a block without one would not be tested.
#[test]
fn each_block_says_what_it_is() {
    let known = ["sh", "yaml", "json", "text", "mermaid"];
    let mut wrong = Vec::new();
    for page in pages() {
        for block in page.blocks() {
            let first = block.kind.split(' ').next().unwrap_or_default();
            if !known.contains(&first) {
                wrong.push(format!("{}:{}: a block of the kind {:?}", page.path, block.line, block.kind));
            }
        }
    }
    assert!(wrong.is_empty(), "expected one of {known:?}:\n{}", wrong.join("\n"));
}

#[test]
fn the_summary_has_each_page_of_the_book() {
    let summary = Page::read("docs/SUMMARY.md");
    let listed: Vec<String> = summary.links().map(|link| format!("docs/{}", link.target)).collect();
    for page in pages().iter().filter(|page| page.path.starts_with("docs/") && page.path != summary.path) {
        let times = listed.iter().filter(|listed| **listed == page.path).count();
        assert_eq!(times, 1, "docs/SUMMARY.md lists {} {times} times", page.path);
    }
}
