//! What both pages are written with.

use std::fmt::Write;

pub fn section(page: &mut String, title: &str, about: &str) {
    let _ = write!(page, "\n## {title}\n\n{about}\n");
}

pub fn text(page: &mut String, text: &str) {
    let _ = write!(page, "\n{text}\n");
}

pub fn heads(page: &mut String, heads: &[&str]) {
    page.push('\n');
    row(page, heads);
    row(page, &vec!["---"; heads.len()]);
}

pub fn row(page: &mut String, cells: &[&str]) {
    // A bar would end the cell.
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

pub fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

pub fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(code).collect::<Vec<_>>().join(", ")
}

/// A description as a sentence: descriptions of metrics begin with a small letter or lack the dot in some places.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
