//! The columns of a table: what they show, how wide they are, and which of them a narrow screen leaves out.

use std::cmp::Ordering;

use crate::top::model::{By, Key, Row, SECONDS};
use crate::top::view::look::Look;
use crate::top::view::numbers::{bytes, fitted, rate, share};
use otel_tcpretrans_pipeline::text::grouped;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub(crate) enum Column {
    Name,
    Rate,
    Segments,
    Share,
    /// What the connection sent again, of all that it sent.
    OfSent,
    Events,
    Failed,
    Bytes,
    Minute,
}

/// The columns that can be sorted by, in the order in which they are shown.
pub(crate) const SORTED: [Column; 8] = [
    Column::Name,
    Column::Rate,
    Column::Segments,
    Column::Share,
    Column::OfSent,
    Column::Events,
    Column::Failed,
    Column::Bytes,
];

/// What a narrow screen keeps, the most important first.
const IMPORTANCE: [Column; 9] = [
    Column::Name,
    Column::Segments,
    Column::Rate,
    Column::Share,
    Column::Minute,
    Column::OfSent,
    Column::Events,
    Column::Failed,
    Column::Bytes,
];

/// The least and the most room for names.
const NAME: (u16, u16) = (15, 62);
/// The widths that bars may have. Each divides the seconds of a minute.
const BARS: [u16; 4] = [60, 30, 20, 12];

/// A row of the table on the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'m> {
    /// `None` for the others.
    pub(crate) key: Option<&'m Key>,
    pub(crate) row: &'m Row,
    /// Number of rows in the others.
    pub(crate) left: u64,
    /// Segments per second.
    pub(crate) rate: f64,
}

impl Line<'_> {
    /// What the row stands for.
    pub(crate) fn name(&self) -> String {
        match self.key {
            Some(key) => key.to_string(),
            None => format!("others: {} rows", grouped(self.left)),
        }
    }

    /// What the connection sent again and all that it sent, in segments, over its life. Only a connection has it.
    fn of_sent(&self) -> Option<(u32, u32)> {
        let is_connection = matches!(self.key, Some(Key::Connection(..)));
        let sample = self.row.sample().filter(|sample| is_connection && sample.segments_sent > 0)?;
        Some((sample.total_retransmits, sample.segments_sent))
    }
}

impl Column {
    /// Its name on the screen.
    pub(crate) fn title(self, by: By) -> String {
        match self {
            Column::Name => <&str>::from(by).to_uppercase(),
            Column::Rate => "SEGS/S".to_owned(),
            Column::Segments => "SEGMENTS".to_owned(),
            Column::Share => "SHARE".to_owned(),
            Column::OfSent => "OF SENT".to_owned(),
            Column::Events => "EVENTS".to_owned(),
            Column::Failed => "FAILED".to_owned(),
            Column::Bytes => "BYTES".to_owned(),
            Column::Minute => "LAST MINUTE".to_owned(),
        }
    }

    /// Its width without the room before it, and the least one of a column that can be wider.
    fn width(self) -> u16 {
        match self {
            Column::Name => NAME.0,
            Column::Rate | Column::OfSent => 7,
            Column::Segments => 10,
            Column::Share | Column::Bytes => 6,
            Column::Events => 9,
            Column::Failed => 8,
            Column::Minute => BARS[BARS.len() - 1],
        }
    }

    /// Whether rows of this kind have it.
    pub(crate) fn is_of(self, by: By) -> bool {
        self != Column::OfSent || by == By::Connection
    }

    /// What it says of a row. `all` is the number of segments of all rows.
    pub(crate) fn text(self, line: &Line<'_>, all: u64) -> String {
        let amounts = &line.row.amounts;
        match self {
            Column::Name => line.name(),
            Column::Rate => rate(line.rate),
            Column::Segments => fitted(amounts.segments, self.width()),
            Column::Share => share(amounts.segments, all),
            Column::OfSent => match line.of_sent() {
                Some((again, sent)) => share(again.into(), sent.into()),
                None => String::new(),
            },
            Column::Events => fitted(amounts.events, self.width()),
            Column::Failed => fitted(amounts.failures, self.width()),
            Column::Bytes => bytes(amounts.bytes),
            Column::Minute => String::new(), // drawn as bars
        }
    }

    /// Compares two rows by what it says. What is worse comes first.
    pub(crate) fn compare(self, one: &Line<'_>, other: &Line<'_>) -> Ordering {
        let (a, b) = (&one.row.amounts, &other.row.amounts);
        let part =
            |line: &Line<'_>| line.of_sent().map_or(-1.0, |(again, sent)| f64::from(again) / f64::from(sent));
        let by_column = match self {
            Column::Name => one.name().cmp(&other.name()),
            Column::Rate => other.rate.total_cmp(&one.rate),
            Column::OfSent => part(other).total_cmp(&part(one)),
            Column::Events => b.events.cmp(&a.events),
            Column::Failed => b.failures.cmp(&a.failures),
            Column::Bytes => b.bytes.cmp(&a.bytes),
            Column::Segments | Column::Share | Column::Minute => Ordering::Equal,
        };
        by_column.then(b.segments.cmp(&a.segments)).then(other.row.latest.cmp(&one.row.latest))
    }
}

/// The bars of a row's last minute.
pub(crate) fn bars(line: &Line<'_>, now: u64, width: u16, look: Look) -> String {
    let parts = || line.row.history.parts(now, usize::from(width).min(SECONDS));
    let largest = parts().max().unwrap_or(0);
    parts().map(|part| look.bar(part, largest)).collect()
}

/// The columns that fit into `width`, with their widths, in the order in which they are shown. Each but the first has one
/// more column of room before it. `longest` is the width of the longest name.
pub(crate) fn fitting(by: By, width: u16, longest: u16) -> Vec<(Column, u16)> {
    let wanted = longest.clamp(NAME.0, NAME.1);
    let (mut chosen, mut used) = (vec![Column::Name], 0);
    for column in IMPORTANCE.into_iter().skip(1).filter(|column| column.is_of(by)) {
        // Bars and what is less important do not cut names short.
        let is_worth_it = matches!(column, Column::Segments | Column::Rate | Column::Share);
        let name = if is_worth_it { NAME.0 } else { wanted };
        if name + used + column.width() + 1 > width {
            break;
        }
        chosen.push(column);
        used += column.width() + 1;
    }
    let name = if used == 0 { width } else { wanted.min(width - used) };
    let spare = width - used - name;
    let least = Column::Minute.width();
    let minute = BARS.into_iter().find(|bars| bars - least <= spare).unwrap_or(least);
    let shown = |column: Column| match column {
        Column::Name => name,
        Column::Minute => minute,
        other => other.width(),
    };
    let order = SORTED.into_iter().chain([Column::Minute]);
    order.filter(|column| chosen.contains(column)).map(|column| (column, shown(column))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_and_the_important_ones_stay() {
        for by in [By::Peer, By::Connection] {
            for (width, longest) in (0..300).flat_map(|width| [1, 20, 100].map(|longest| (width, longest))) {
                let columns = fitting(by, width, longest);
                let room = columns.len() as u16 - 1;
                let used: u16 = columns.iter().map(|(_, width)| width).sum();
                assert!(used + room <= width, "{width}: {columns:?}");
            }
        }
        let names =
            |width| fitting(By::Connection, width, 40).iter().map(|(column, _)| *column).collect::<Vec<_>>();
        assert_eq!(names(10), [Column::Name]);
        assert_eq!(names(30), [Column::Name, Column::Segments]);
        assert_eq!(names(80).len(), 5, "all but what a connection sent, which would cut its name short");
        assert_eq!(names(300).len(), 9);
    }
}
