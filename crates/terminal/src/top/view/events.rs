//! The last records of one row.

use jiff::Timestamp;
use otel_tcpretrans_pipeline::attribute::{Attribute, Value};
use otel_tcpretrans_pipeline::record::Record;
use otel_tcpretrans_pipeline::text::grouped;
use ratatui::style::Style;

use crate::top::model::{By, Key, Row};
use crate::top::view::paint::Paint;

/// A column: its name, its width, and what it says of a record.
type Column = (&'static str, u16, fn(&Record) -> String);

const CONNECTION: &str = "CONNECTION";
/// The most important ones first, since a narrow screen cuts off the end.
const COLUMNS: [Column; 9] = [
    ("TIME (UTC)", 12, time),
    ("SEGMENTS", 8, |record| grouped(record.amounts.segments)),
    ("REASON", 15, |record| Key::of(record, By::Reason).to_string()),
    ("RTT ms", 8, |record| match record.tcp.and_then(|tcp| tcp.rtt) {
        Some(rtt) => format!("{:.3}", rtt.as_secs_f64() * 1000.0),
        None => String::new(),
    }),
    ("CWND", 5, |record| shown(record, Attribute::Cwnd)),
    (CONNECTION, 44, |record| match Key::of(record, By::Connection) {
        Key::Unknown => "(not seen one by one)".to_owned(),
        connection => connection.to_string(),
    }),
    ("STATE", 12, |record| shown(record, Attribute::ConnectionState)),
    ("ERROR", 8, |record| shown(record, Attribute::ErrorType)),
    ("OWNER", 22, |record| match Key::of(record, By::Owner) {
        Key::Unknown => String::new(),
        owner => owner.to_string(),
    }),
];

/// Draws what a row is, and its last records, the newest first, from line `top` on in `height` lines.
pub(crate) fn draw(paint: &mut Paint<'_>, (top, height): (u16, u16), by: By, name: &str, row: Option<&Row>) {
    if height > 0 {
        paint.put(0, top, u16::MAX, name, paint.look.bold());
    }
    let Some(row) = row.filter(|row| !row.records.is_empty()) else {
        return paint.put(0, top + 1, u16::MAX, "No records are kept of this row.", Style::new());
    };
    let reversed = paint.look.reversed();
    if height > 1 {
        paint.line(top + 1, reversed);
    }
    // The heading says it already.
    let columns = COLUMNS.iter().filter(|(title, ..)| by != By::Connection || *title != CONNECTION);
    for (index, record) in row.records.iter().rev().map(Some).chain([None]).enumerate() {
        let y = top + 2 + index as u16;
        let mut x = 0;
        for (title, width, text) in columns.clone() {
            if index == 0 {
                paint.put(x, top + 1, *width, title, reversed);
            }
            if let Some(record) = record.filter(|_| y < top + height) {
                paint.put(x, y, *width, &text(record), Style::new());
            }
            x += width + 1;
        }
    }
}

fn shown(record: &Record, attribute: Attribute) -> String {
    record.own(attribute).map(|value: Value<'_>| value.to_string()).unwrap_or_default()
}

/// The time of day with milliseconds.
fn time(record: &Record) -> String {
    let time = Timestamp::from_nanosecond(record.time_unix_nano.into());
    time.map(|time| time.strftime("%H:%M:%S.%3f").to_string()).unwrap_or_default()
}
