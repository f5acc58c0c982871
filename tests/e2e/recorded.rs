//! The numbers that the kernel and an agent counted while a recording was made.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::telemetry::{Sums, Telemetry};

/// The numbers of a recording. They are in a JSON file beside it.
pub struct Recorded {
    /// The kernel's RetransSegs.
    pub retrans_segs: u64,
    /// The sums of the agent's metrics.
    sums: Sums,
    /// How many log records it wrote.
    records: u64,
}

impl Recorded {
    /// The numbers of an agent that ran while the recording was made.
    pub fn of(retrans_segs: u64, printed: &Telemetry) -> Recorded {
        Recorded { retrans_segs, sums: printed.sums(), records: printed.records.len() as u64 }
    }

    /// Writes the numbers to a file.
    pub fn write(&self, file: &Path) {
        let sums = self.sums.iter().map(
            |((metric, attributes), sum)| json!({ "metric": metric, "attributes": attributes, "sum": sum }),
        );
        let sums: Vec<_> = sums.collect();
        let all = json!({ "retrans_segs": self.retrans_segs, "records": self.records, "sums": sums });
        fs::write(file, serde_json::to_string_pretty(&all).unwrap() + "\n").expect("writing");
    }

    /// Reads the numbers from a file.
    pub fn read(file: &Path) -> Recorded {
        let text = fs::read_to_string(file).expect("the numbers beside the recording");
        let all: Value = serde_json::from_str(&text).expect("JSON");
        let sums = all["sums"].as_array().expect("sums").iter().map(|sum| {
            let attributes = serde_json::from_value(sum["attributes"].clone()).expect("attributes");
            let metric = sum["metric"].as_str().expect("metric").to_owned();
            ((metric, attributes), sum["sum"].as_u64().expect("sum"))
        });
        Recorded {
            retrans_segs: all["retrans_segs"].as_u64().expect("retrans_segs"),
            records: all["records"].as_u64().expect("records"),
            sums: sums.collect(),
        }
    }

    /// Checks that an agent printed the same numbers, series by series.
    pub fn assert_same(&self, printed: &Telemetry) {
        assert_eq!(printed.sums(), self.sums);
        assert_eq!(printed.records.len() as u64, self.records);
    }
}
