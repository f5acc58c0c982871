//! A record as one JSON object, with the names of the log record's attributes.

use std::io::{self, Write};

use jiff::Timestamp;
use otel_tcpretrans_pipeline::attribute::{ErrorType, Value};
use otel_tcpretrans_pipeline::record::Record;
use otel_tcpretrans_pipeline::text;
use serde::Serialize;

/// Writes `{"time":"2026-11-23T04:00:00.001500000Z","event_name":"tcp.retransmit","network.transport":"tcp",…}` and a line
/// break.
pub(super) fn object(out: &mut Vec<u8>, record: &Record) {
    // Writing into a Vec can't fail, nor can a text or a number be no JSON.
    let _ = write(out, record);
}

fn write(out: &mut Vec<u8>, record: &Record) -> io::Result<()> {
    out.extend_from_slice(b"{\"time\":\"");
    match Timestamp::from_nanosecond(record.time_unix_nano.into()) {
        Ok(time) => write!(out, "{time:.9}")?,
        Err(_) => text::number(out, record.time_unix_nano), // unreachable: u64 ns end in the year 2554
    }
    out.extend_from_slice(b"\",\"event_name\":\"");
    out.extend_from_slice(record.event_name().as_bytes());
    out.push(b'"');
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

#[cfg(test)]
mod tests {
    use otel_tcpretrans_pipeline::record::{Command, Owner, Segment};
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures;

    fn parsed(record: &Record) -> Value {
        let mut out = Vec::new();
        object(&mut out, record);
        assert_eq!(out.iter().position(|byte| *byte == b'\n'), Some(out.len() - 1), "one line");
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_record_is_an_object_with_the_attributes_of_its_log_record() {
        let record = fixtures::record();
        let object = parsed(&record);
        assert_eq!(object["time"], "2023-11-14T22:13:25.000000000Z");
        assert_eq!(object["event_name"], "tcp.retransmit");
        assert_eq!(object["network.peer.address"], "192.0.2.7");
        assert_eq!(object["network.peer.port"], 443);
        assert_eq!(object["tcp.rtt"], 0.0015);
        assert_eq!(object["tcp.flags"], "ACK|PSH");
        assert_eq!(object["process.command"], "curl");
        let names: Vec<_> = record.attributes().map(|(name, _)| name).collect();
        assert_eq!(object.as_object().unwrap().len(), names.len() + 2);
        assert!(names.iter().all(|name| object.get(name).is_some()), "{object}");
    }

    #[test]
    fn what_others_have_chosen_is_escaped() {
        let owner = Owner { pid: 1, command: Command::from_kernel(*b"a\"b\\c\x1b]0;\0\0\0\0\0\0\0") };
        let local_attributes = Some(fixtures::bundle([("a \"name\"", "two\nlines")]));
        let record = Record { owner: Some(owner), local_attributes, ..fixtures::record() };
        let object = parsed(&record);
        assert_eq!(object["process.command"], "a\"b\\c?]0;");
        assert_eq!(object["a \"name\""], "two\nlines");
    }

    #[test]
    fn a_failed_attempt_and_a_gap_are_told_apart() {
        let segment = fixtures::record().segment.map(|segment| Segment { errno: Some(16), ..segment });
        let failed = parsed(&Record { segment, ..fixtures::record() });
        assert_eq!(failed["error.type"], "EBUSY");
        let gap = parsed(&fixtures::gap());
        assert_eq!((&gap["event_name"], &gap["tcp.events"]), (&json!("tcp.retransmit.gap"), &json!(12)));
        assert_eq!(gap.get("network.peer.address"), None);
    }
}
