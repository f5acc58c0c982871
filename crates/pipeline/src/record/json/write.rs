//! From a record to its line.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::attribute::{ErrorType, Value};
use crate::record::Record;
use crate::text;

/// The object's name of the record's time, which is RFC 3339 in UTC with nanoseconds.
pub(super) const TIME: &str = "time";
/// The object's name of the record's event name.
pub(super) const EVENT_NAME: &str = "event_name";

/// Writes the object and a line break.
pub fn write(out: &mut Vec<u8>, record: &Record) {
    // Writing into a Vec can't fail, and every text and number has a form in JSON.
    let _ = object(out, record);
}

fn object(out: &mut Vec<u8>, record: &Record) -> io::Result<()> {
    write!(out, "{{\"{TIME}\":\"")?;
    match Timestamp::from_nanosecond(record.time_unix_nano.into()) {
        Ok(time) => write!(out, "{time:.9}")?,
        Err(_) => text::number(out, record.time_unix_nano), // unreachable: u64 ns end in the year 2554
    }
    write!(out, "\",\"{EVENT_NAME}\":\"{}\"", record.event_name())?;
    for (name, value) in record.attributes() {
        out.push(b',');
        json(out, name)?;
        out.push(b':');
        put(out, value)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// A value as OTLP has it: seconds are a number, addresses and flags are texts.
fn put(out: &mut Vec<u8>, value: Value<'_>) -> io::Result<()> {
    match value {
        Value::Word(word) => quoted(out, |out| out.extend_from_slice(word.as_bytes())),
        Value::Text(text) => json(out, &**text)?,
        Value::Command(command) => json(out, command.as_str())?,
        Value::Address(address) => quoted(out, |out| text::address(out, address)),
        Value::Int(number) => text::number(out, number),
        Value::Seconds(time) => json(out, &time.as_secs_f64())?,
        Value::Bool(truth) => json(out, &truth)?,
        Value::Flags(flags) => quoted(out, |out| text::flags(out, flags)),
        Value::Errno(errno) => write!(out, "\"{}\"", ErrorType(errno))?,
    }
    Ok(())
}

/// A text that needs no escapes.
fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}
