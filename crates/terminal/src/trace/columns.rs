//! Columns that grow: each line is as wide as the widest cell before it, so that lines stay aligned.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

/// A column's heading, its width at the beginning, and where its cells are.
pub(super) struct Column {
    pub(super) heading: &'static str,
    pub(super) width: usize,
    pub(super) side: Side,
}

/// Where a cell is in its column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Writes cells, one line after the other.
pub(super) struct Line<'a> {
    out: &'a mut Vec<u8>,
    columns: &'a [Column],
    widths: &'a mut [usize],
    next: usize,
}

impl<'a> Line<'a> {
    /// A line of `columns` at the end of `out`. `widths` has the widths until now, which may grow.
    pub(super) fn new(out: &'a mut Vec<u8>, columns: &'a [Column], widths: &'a mut [usize]) -> Line<'a> {
        Line { out, columns, widths, next: 0 }
    }

    /// The next cell, which `write` writes as UTF-8. An empty one becomes a dash.
    pub(super) fn cell(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.styled(None, write);
    }

    /// The same, in a style.
    pub(super) fn styled(&mut self, style: Option<&Painted>, write: impl FnOnce(&mut Vec<u8>)) {
        let index = self.next;
        self.next += 1;
        if index > 0 {
            self.out.push(b' ');
        }
        let start = self.out.len();
        if let Some(style) = style {
            self.out.extend_from_slice(style.begin.as_bytes());
        }
        let text = self.out.len();
        write(self.out);
        if self.out.len() == text {
            self.out.push(b'-');
        }
        let width = width(&self.out[text..]);
        if let Some(style) = style {
            self.out.extend_from_slice(style.end.as_bytes());
        }
        let widest = &mut self.widths[index];
        *widest = width.max(*widest);
        let (length, padding) = (self.out.len(), *widest - width);
        let is_last = self.next == self.columns.len();
        match self.columns[index].side {
            Side::Left if is_last => {}
            Side::Left => self.out.resize(length + padding, b' '),
            Side::Right => {
                self.out.resize(length + padding, b' ');
                self.out[start..].rotate_right(padding);
            }
        }
    }
}

/// How many columns of a terminal a text takes.
fn width(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { std::str::from_utf8(text).map_or(text.len(), str::width) }
}

/// A style as the bytes that switch it on and off, made once.
pub(super) struct Painted {
    begin: String,
    end: String,
}

impl Painted {
    pub(super) fn new(style: Style) -> Painted {
        Painted { begin: style.render().to_string(), end: style.render_reset().to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column { heading: "A", width: 3, side: Side::Left },
        Column { heading: "B", width: 4, side: Side::Right },
        Column { heading: "C", width: 5, side: Side::Left },
    ];

    fn line(widths: &mut [usize], cells: [&str; 3], style: Option<&Painted>) -> String {
        let mut out = Vec::new();
        let mut line = Line::new(&mut out, &COLUMNS, widths);
        for cell in cells {
            line.styled(style, |out| out.extend_from_slice(cell.as_bytes()));
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells_are_aligned_and_columns_grow() {
        let mut widths = COLUMNS.map(|column| column.width);
        assert_eq!(line(&mut widths, ["a", "1", "x"], None), "a      1 x");
        assert_eq!(line(&mut widths, ["abcdef", "", "y"], None), "abcdef    - y");
        assert_eq!(line(&mut widths, ["a", "12345", "x"], None), "a      12345 x");
    }

    #[test]
    fn what_cannot_be_seen_takes_no_room() {
        let mut widths = COLUMNS.map(|column| column.width);
        let red = Painted::new(anstyle::AnsiColor::Red.on_default());
        let painted = line(&mut widths, ["a", "1", "x"], Some(&red));
        assert_eq!(painted, "\x1b[31ma\x1b[0m      \x1b[31m1\x1b[0m \x1b[31mx\x1b[0m");
        assert_eq!(line(&mut widths, ["日", "é", "x"], None), "日     é x");
    }
}
