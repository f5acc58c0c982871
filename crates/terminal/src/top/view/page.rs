//! The rows that are shown, in their order.

use std::fmt::Write;

use strum::IntoEnumIterator;

use crate::top::model::{By, Key, Model, Row};
use crate::top::view::columns::{Column, Line};
use crate::top::view::state::State;

/// The rows that pass the filter.
pub(crate) struct Page<'m> {
    /// Sorted. The others are at the end.
    pub(crate) lines: Vec<Line<'m>>,
    /// Segments of all rows, also of those that do not pass.
    pub(crate) all: u64,
    /// Number of all rows.
    pub(crate) rows: usize,
}

/// The rows that `state` chooses, with their rates at `now`.
pub(crate) fn page<'m>(model: &'m Model, state: &State, now: u64) -> Page<'m> {
    let table = model.table(state.by);
    let line =
        |(key, row): (&'m Key, &'m Row)| Line { key: Some(key), row, left: 0, rate: row.history.rate(now) };
    let filter = state.filter.to_lowercase();
    let mut lines: Vec<_> = table
        .rows()
        .filter(|(key, row)| filter.is_empty() || text(key, row).contains(&filter))
        .map(line)
        .collect();
    lines.sort_by(|one, other| {
        let order = state.sort.compare(one, other);
        if state.reversed { order.reverse() } else { order }
    });
    let others = table.others();
    lines.extend(others.map(|(row, left)| Line { key: None, row, left, rate: row.history.rate(now) }));
    let rows = table.rows().count() + usize::from(others.is_some());
    Page { lines, all: model.total().amounts.segments, rows }
}

/// What a filter is looked for in: the row's name, and all that its latest record says of whom it is about. In small
/// letters.
fn text(key: &Key, row: &Row) -> String {
    let mut text = key.to_string();
    if let Some(record) = row.records.back() {
        for by in By::iter() {
            match Key::of(record, by) {
                Key::Unknown => {}
                key => {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\n{key}");
                }
            }
        }
    }
    text.to_lowercase()
}

/// The word for what a table is sorted by.
pub(crate) fn order(sort: Column, by: By, reversed: bool) -> String {
    let title = sort.title(by).to_lowercase();
    if reversed { format!("{title}, turned round") } else { title }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use otel_tcpretrans_pipeline::record::{Amounts, Flow, Record};

    use super::*;
    use crate::fixtures::record;

    fn model() -> Model {
        let mut model = Model::new(100, None);
        let to = |peer: u8, segments, bytes| Record {
            amounts: Amounts { segments, bytes, ..record().amounts },
            flow: record().flow.map(|flow| Flow { peer: SocketAddr::from(([192, 0, 2, peer], 443)), ..flow }),
            ..record()
        };
        model.add([to(1, 5, 30), to(2, 9, 10), to(3, 2, 20)].iter());
        model
    }

    fn shown(state: &State) -> Vec<String> {
        let model = model();
        page(&model, state, 0).lines.iter().map(Line::name).collect()
    }

    #[test]
    fn rows_are_sorted_by_a_column_and_turned_round() {
        let mut state = State { sort: Column::Segments, ..State::new(By::Peer) };
        assert_eq!(shown(&state), ["192.0.2.2", "192.0.2.1", "192.0.2.3"]);
        state.reversed = true;
        assert_eq!(shown(&state), ["192.0.2.3", "192.0.2.1", "192.0.2.2"]);
        state = State { sort: Column::Bytes, ..State::new(By::Peer) };
        assert_eq!(shown(&state), ["192.0.2.1", "192.0.2.3", "192.0.2.2"]);
    }

    #[test]
    fn a_filter_finds_the_name_and_the_owner() {
        let mut state = State { filter: "0.2.3".to_owned(), ..State::new(By::Peer) };
        assert_eq!(shown(&state), ["192.0.2.3"]);
        state.filter = "CURL".to_owned();
        assert_eq!(shown(&state).len(), 3);
        state.filter = "nginx".to_owned();
        assert_eq!(shown(&state), [""; 0]);
    }
}
