//! Each relative link leads to a file, and to a heading if it names one.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::pages::{Page, pages, repository};

/// What `make docs` puts beside the book, so that its links lead there.
const BESIDE_THE_BOOK: [&str; 2] = ["config", "deploy"];

#[test]
fn each_link_leads_somewhere() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for link in page.links().filter(|link| !link.target.contains("://")) {
            checked += 1;
            if let Err(problem) = follow(&page, &link.target) {
                wrong.push(format!("{}:{}: {}: {problem}", page.path, link.line, link.target));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 100, "{checked}");
}

fn follow(page: &Page, target: &str) -> Result<(), String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(&page.path).parent().expect("a folder");
    let path = if file.is_empty() { PathBuf::from(&page.path) } else { normal(&folder.join(file))? };
    if !repository().join(&path).exists() {
        return Err("there is no such file".to_owned());
    }
    let is_page = path.extension().is_some_and(|extension| extension == "md");
    if page.path.starts_with("docs/") && !path.starts_with("docs") {
        let is_beside = BESIDE_THE_BOOK.iter().any(|folder| path.starts_with(folder));
        if is_page || !is_beside {
            return Err(format!(
                "is not in the book; link to another page of it, or to a file below {BESIDE_THE_BOOK:?}"
            ));
        }
    }
    if !anchor.is_empty() {
        let text = fs::read_to_string(repository().join(&path)).map_err(|error| error.to_string())?;
        let anchors = Page { path: path.display().to_string(), text }.anchors();
        if !is_page || !anchors.iter().any(|known| known == anchor) {
            return Err(format!("there is no such heading; there are {anchors:?}"));
        }
    }
    Ok(())
}

/// A path without `..`.
fn normal(path: &Path) -> Result<PathBuf, String> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if !normal.pop() => return Err("leads out of the repository".to_owned()),
            Component::ParentDir | Component::CurDir => {}
            part => normal.push(part),
        }
    }
    Ok(normal)
}

#[test]
fn a_wrong_link_is_found() {
    let page =
        Page { path: "docs/made-up.md".to_owned(), text: "# One `tcp_x`\n\n## Two, three\n".to_owned() };
    assert_eq!(page.anchors(), ["one-tcp_x", "two-three"]);
    assert!(follow(&page, "limits.md#not-done-yet").is_ok());
    for target in ["nowhere.md", "limits.md#nothing", "../src/main.rs", "../README.md", "../../up.md"] {
        assert!(follow(&page, target).is_err(), "{target}");
    }
}
