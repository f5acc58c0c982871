//! The shape of the sources: no two files import each other, each file opens with its purpose, and none is long.

#![allow(clippy::expect_used)] // a test that can't go on fails

mod circles;
mod files;
mod modules;
mod packages;
mod references;
mod resolve;
mod tests;

use std::collections::BTreeSet;

use circles::Imports;
use files::Sources;

/// Lines of the longest file that is allowed.
const LONGEST: usize = 400;

#[test]
fn no_two_files_import_each_other() {
    let sources = Sources::of_repository();
    let mut circles = Vec::new();
    let mut importing = BTreeSet::new();
    for root in sources.crate_roots() {
        let imports = Imports::of_crate(&root, &sources);
        importing.extend(imports.files().map(str::to_owned));
        circles.extend(imports.circles());
    }
    // A scan that finds almost no import would find no circle either.
    assert!(importing.len() > 60, "only {} files import another: {importing:#?}", importing.len());
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn each_file_opens_with_its_purpose() {
    let sources = Sources::of_repository();
    let silent: Vec<_> =
        sources.iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(file, _)| file).collect();
    assert!(silent.is_empty(), "these files do not open with a //! line:\n{}", silent.join("\n"));
}

#[test]
fn no_file_is_long() {
    let sources = Sources::of_repository();
    let lines = sources.iter().map(|(file, text)| (file, text.lines().count()));
    let long: Vec<_> =
        lines.filter(|(_, lines)| *lines > LONGEST).map(|(file, lines)| format!("{file}: {lines}")).collect();
    assert!(long.is_empty(), "these files are longer than {LONGEST} lines:\n{}", long.join("\n"));
}
