//! The help: what the keys do, and what the columns mean.

use ratatui::style::Style;

use crate::top::view::keys::KEYS;
use crate::top::view::paint::Paint;

/// What the columns mean.
const COLUMNS: [(&str, &str); 6] = [
    ("SEGS/S", "segments per second, the mean of the last 5 s"),
    ("SEGMENTS", "segments sent again since the start, as the kernel counts"),
    ("SHARE", "of all segments that were sent again"),
    ("OF SENT", "of the segments that this connection sent in its life"),
    ("EVENTS", "packets that were sent again; FAILED: that could not be sent"),
    ("LAST MINUTE", "segments over time; the highest bar is the row's own most"),
];

/// Draws it on the whole screen.
pub(crate) fn draw(paint: &mut Paint<'_>) {
    let bold = paint.look.bold();
    paint.put(0, 0, u16::MAX, "Keys", bold);
    let heading = KEYS.len() as u16 + 2;
    paint.put(0, heading, u16::MAX, "Columns", bold);
    let keys = (1..).zip(KEYS);
    for (y, (name, text)) in keys.chain((heading + 1..).zip(COLUMNS)) {
        paint.put(1, y, 14, name, Style::new());
        paint.put(16, y, u16::MAX, text, Style::new());
    }
}
