//! The report as Markdown, for a ticket.

use std::fmt::Write;

use super::About;
use super::collected::Collected;
use super::tables::{Table, summary, tables};

pub(super) fn text(collected: &Collected, about: &About) -> String {
    let mut text = String::from("# TCP retransmissions\n\n");
    // Writing to a String can't fail.
    for (name, value) in summary(collected, about) {
        let _ = writeln!(text, "- {name}: {}", escaped(&value));
    }
    for Table { title, headings, rows, note } in tables(collected) {
        let _ = writeln!(text, "\n## {title}\n\n| {} |", headings.join(" | "));
        let _ = writeln!(text, "|---|{}", "---:|".repeat(headings.len() - 1));
        for row in rows {
            let cells: Vec<_> = row.iter().map(|cell| escaped(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        if let Some(note) = note {
            let _ = writeln!(text, "\n{note}");
        }
    }
    text
}

/// A process chooses its name: no character of it makes a table, a link or a tag.
fn escaped(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len());
    for letter in cell.chars() {
        if "\\`*[]<>|#&".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(if letter.is_control() { '\u{fffd}' } else { letter });
    }
    escaped
}
