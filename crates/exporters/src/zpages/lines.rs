//! The lines of `/records`: a record or a status per line, in JSON. Server and client share this.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::record::Record;
use otel_tcpretrans_pipeline::record::json::{self, Unreadable};
use serde::{Deserialize, Serialize};

/// What the client can't know from the records. It comes first, and then once per second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) struct Status {
    /// The pipeline whose records these are.
    pub(super) pipeline: String,
    /// Events that the agent's receivers did not observe since the client is connected.
    pub(super) lost_events: u64,
    /// Records that the pipeline dropped at its entrance since then.
    pub(super) dropped_records: u64,
    /// Records that were left out since then, because the client was too slow.
    pub(super) missed_records: u64,
}

/// The name of a status in its object.
const STATUS: &str = "status";
/// How a line with a status begins.
const BEGINS: &[u8] = b"{\"status\":";

/// A line.
#[derive(Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // it is taken apart at once
pub(super) enum Line {
    Record(Record),
    Status(Status),
}

impl Status {
    /// Writes `{"status":{"pipeline":"logs",…}}` and a line break.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        // Writing into a Vec can't fail, and every text and number has a form in JSON.
        let _ = serde_json::to_writer(&mut *out, &BTreeMap::from([(STATUS, self)]));
        out.push(b'\n');
    }
}

/// Reads a line, with or without its line break.
///
/// # Errors
/// It is neither a record nor a status.
pub(super) fn read(line: &[u8]) -> Result<Line, Unreadable> {
    if !line.starts_with(BEGINS) {
        return Ok(Line::Record(json::read(line)?));
    }
    let mut object: BTreeMap<String, Status> = serde_json::from_slice(line)?;
    Ok(Line::Status(object.remove(STATUS).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::fixtures;

    #[test]
    fn records_and_statuses_are_told_apart() {
        let status = Status { pipeline: "logs/\"a\"".to_owned(), missed_records: 7, ..Status::default() };
        let mut out = Vec::new();
        status.write(&mut out);
        assert_eq!(read(&out).unwrap(), Line::Status(status));
        out.clear();
        json::write(&mut out, &fixtures::record(1));
        assert!(matches!(read(&out).unwrap(), Line::Record(record) if record.flow.is_some()));
        assert!(read(b"{\"status\":1}").is_err() && read(b"").is_err());
    }
}
