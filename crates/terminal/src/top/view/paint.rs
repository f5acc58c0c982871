//! Puts text on the screen. What does not fit is cut off.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::top::view::look::Look;

/// A place to draw on, and how it looks.
pub(crate) struct Paint<'b> {
    pub(crate) buffer: &'b mut Buffer,
    pub(crate) area: Rect,
    pub(crate) look: Look,
}

impl Paint<'_> {
    /// Writes `text` from column `x` of line `y`, in at most `width` columns.
    pub(crate) fn put(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) {
        let width = width.min(self.area.width.saturating_sub(x));
        if y >= self.area.height || width == 0 {
            return;
        }
        let (left, top) = (self.area.x + x, self.area.y + y);
        let (end, _) = self.buffer.set_stringn(left, top, text, width.into(), style);
        if columns(text) > width {
            let last = end.max(left + 1) - 1;
            self.buffer[(last, top)].set_char(self.look.ellipsis());
        }
    }

    /// The same, at the right end of these columns.
    pub(crate) fn put_right(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) {
        let room = width.saturating_sub(columns(text));
        self.put(x + room, y, width - room, text, style);
    }

    /// Writes parts one after another.
    pub(crate) fn put_all(&mut self, y: u16, parts: &[(&str, Style)]) {
        let mut x = 0;
        for (text, style) in parts {
            self.put(x, y, u16::MAX, text, *style);
            x = x.saturating_add(columns(text));
        }
    }

    /// Gives a whole line a style.
    pub(crate) fn line(&mut self, y: u16, style: Style) {
        if y < self.area.height {
            let line = Rect { y: self.area.y + y, height: 1, ..self.area };
            self.buffer.set_style(line, style);
        }
    }
}

/// The width of a text, in columns.
pub(crate) fn columns(text: &str) -> u16 {
    u16::try_from(Span::raw(text).width()).unwrap_or(u16::MAX)
}
