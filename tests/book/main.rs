//! The book that `make docs` has made: each link in its HTML leads to a file and to an element with that id.

#![allow(clippy::expect_used)] // a test that can't go on fails

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// All chapters on one page for a printer: its links lead to itself. And a page that no page links to.
const NO_CHAPTERS: [&str; 2] = ["print.html", "404.html"];

#[test]
fn each_link_leads_somewhere() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/book/docs");
    assert!(book.join("index.html").exists(), "there is no book in {}: run `make docs`", book.display());
    let mut chapters = BTreeMap::new();
    read(&book, &mut chapters);
    assert!(chapters.len() > 20, "{:?}", chapters.keys());
    let mut wrong = BTreeSet::new();
    let mut checked = 0;
    for (file, html) in &chapters {
        let targets = [attributes(html, "href"), attributes(html, "src")].concat();
        for target in targets.into_iter().filter(|target| !target.contains(':')) {
            checked += 1;
            let (path, id) = target.split_once('#').unwrap_or((target, ""));
            let folder = file.parent().expect("a folder");
            let path = if path.is_empty() { file.clone() } else { folder.join(path) };
            let found = match path.canonicalize() {
                Err(_) => false,
                Ok(_) if id.is_empty() => true,
                Ok(path) => chapters.get(&path).is_some_and(|html| attributes(html, "id").contains(&id)),
            };
            if !found {
                wrong.insert(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", Vec::from_iter(wrong).join("\n"));
    assert!(checked > 500, "{checked}");
}

/// The chapters below a folder, by path.
fn read(folder: &Path, chapters: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path().canonicalize().expect("a path");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            read(&path, chapters);
        } else if name.ends_with(".html") && !NO_CHAPTERS.contains(&name.as_str()) {
            let html = fs::read_to_string(&path).expect("HTML");
            chapters.insert(path, html);
        }
    }
}

/// The values of an attribute.
fn attributes<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
    html.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}
