//! The whole screen.

use otel_tcpretrans_pipeline::text::grouped;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::top::model::{Key, Model};
use crate::top::view::facts::Facts;
use crate::top::view::look::Look;
use crate::top::view::page::{Page, order, page};
use crate::top::view::paint::Paint;
use crate::top::view::state::State;
use crate::top::view::{events, header, help, table};

/// What a screen that is not this high leaves out: the header but its sums.
const LOW: u16 = 10;

/// Draws everything into `area`. Remembers in `state` which rows are there.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    look: Look,
    state: &mut State,
    facts: &Facts,
    model: &Model,
) {
    let mut paint = Paint { buffer, area, look };
    if state.help {
        return help::draw(&mut paint);
    }
    let above = match area.height {
        ..LOW => area.height.min(2),
        _ => header::HEIGHT,
    };
    let below = u16::from(area.height > above);
    let height = area.height - above - below;
    header::draw(&mut paint, above, state, facts, model.total());
    let page = page(model, state, facts.now);
    match &state.opened {
        Some(key) => {
            let table = model.table(state.by);
            let row = key.as_ref().and_then(|key| table.row(key));
            let name = key.as_ref().map_or("others".to_owned(), Key::to_string);
            events::draw(&mut paint, (above, height), state.by, &name, row);
        }
        None => {
            let entries = page.lines.iter().map(|line| line.key.cloned()).collect();
            state.show(entries, height.saturating_sub(1).into());
            table::draw(&mut paint, (above, height), state, facts, &page);
        }
    }
    if below > 0 {
        footer(&mut paint, area.height - 1, state, &page);
    }
}

fn footer(paint: &mut Paint<'_>, y: u16, state: &State, page: &Page<'_>) {
    let plain = Style::new();
    if state.typing {
        return paint.put_all(y, &[("/", paint.look.bold()), (&state.filter, plain), ("_", plain)]);
    }
    if state.opened.is_some() {
        return paint.put(0, y, u16::MAX, "Esc back  ? help  q quit", plain);
    }
    let count = match state.filter.as_str() {
        "" => format!("{} rows", grouped(page.rows as u64)),
        filter => format!("{} of {} rows have \"{filter}\"", page.lines.len(), grouped(page.rows as u64)),
    };
    let order = order(state.sort, state.by, state.reversed);
    let text = format!("{count} by {order} | ? help  q quit  Tab rows  / filter  s sort  Enter records");
    paint.put(0, y, u16::MAX, &text, plain);
}
