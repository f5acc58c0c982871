//! The rows.

use ratatui::style::Style;

use crate::top::view::columns::{Column, Line, bars, fitting};
use crate::top::view::facts::Facts;
use crate::top::view::page::Page;
use crate::top::view::paint::{Paint, columns};
use crate::top::view::state::State;

/// Draws the names of the columns, and the rows from `state.above` on, from line `top` on in `height` lines.
pub(crate) fn draw(
    paint: &mut Paint<'_>,
    (top, height): (u16, u16),
    state: &State,
    facts: &Facts,
    page: &Page<'_>,
) {
    let rows = height.saturating_sub(1);
    let visible: Vec<&Line<'_>> = page.lines.iter().skip(state.above).take(rows.into()).collect();
    let longest = visible.iter().map(|line| columns(&line.name())).max().unwrap_or(0);
    let shown = fitting(state.by, paint.area.width, longest);
    let reversed = paint.look.reversed();
    if height > 0 {
        paint.line(top, reversed);
        for (column, x, width) in places(&shown) {
            let title = column.title(state.by);
            let style = if column == state.sort { paint.look.bold().patch(reversed) } else { reversed };
            put(paint, column, (x, top, width), &title, style);
        }
    }
    for (index, line) in visible.into_iter().enumerate() {
        let y = top + 1 + index as u16;
        for (column, x, width) in places(&shown) {
            match column {
                Column::Minute => {
                    let bars = bars(line, facts.now, width, paint.look);
                    paint.put(x, y, width, &bars, paint.look.bars());
                }
                other => put(paint, other, (x, y, width), &other.text(line, page.all), Style::new()),
            }
        }
        if state.above + index == state.place() {
            paint.line(y, reversed);
        }
    }
}

/// Each column with its place. There is a blank between two.
fn places(shown: &[(Column, u16)]) -> impl Iterator<Item = (Column, u16, u16)> {
    let mut next = 0;
    shown.iter().map(move |(column, width)| {
        let x = next;
        next += width + 1;
        (*column, x, *width)
    })
}

fn put(paint: &mut Paint<'_>, column: Column, (x, y, width): (u16, u16, u16), text: &str, style: Style) {
    match column {
        Column::Name | Column::Minute => paint.put(x, y, width, text, style),
        _ => paint.put_right(x, y, width, text, style),
    }
}
