//! The exporter `file` on a disk that fills up, and that has room again.

use std::fs;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use rustix::process::Signal;
use serde_json::Value;

use crate::e2e::agent::Agent;
use crate::e2e::harness::repository;
use crate::e2e::support::namespace::{isolated, wait_for};

pub fn on_a_full_disk() {
    let folder = tempfile::tempdir().expect("a folder"); // removed outside of the namespace: not mounted
    let place = folder.path().to_owned();
    isolated(move || {
        let (tmpfs, size) = (Some("tmpfs"), Some("size=1m"));
        mount(tmpfs, &place, tmpfs, MsFlags::empty(), size).expect("a small disk");
        let (ballast, file) = (place.join("ballast"), place.join("logs.json"));
        fs::write(&ballast, vec![0; 512 << 10]).expect("room for it");
        let mut agent = Agent::replaying(&format!(
            "receivers: {{ replay: {{ file: '{}', loop: true }} }}
exporters: {{ file: {{ path: '{}' }} }}
service: {{ pipelines: {{ logs: {{ exporters: [file] }} }} }}
",
            repository().join("tests/replay/retransmits.otr").display(),
            file.display()
        ));
        agent.wait_until_said("can't write the file");
        let full = fs::metadata(&file).expect("the file").len();
        fs::remove_file(&ballast).expect("removing it");
        let grown = || fs::metadata(&file).is_ok_and(|now| now.len() > full + (256 << 10));
        wait_for("the file to grow", Duration::from_secs(20), grown);
        let books = agent.stop(Signal::TERM);
        let content = fs::read_to_string(&file).expect("the file");
        assert!(content.ends_with('\n'), "the last request is whole");
        let records: usize = content.lines().map(records).sum();
        assert_eq!(records as u64, books.exporter("logs", "file", "delivered"));
        assert!(books.dropped("logs", "file") > 0);
    });
}

/// How many log records a request has.
fn records(line: &str) -> usize {
    let request: Value = serde_json::from_str(line).expect("JSON");
    let resources = request["resourceLogs"].as_array().expect("resources");
    let scopes = resources.iter().flat_map(|resource| resource["scopeLogs"].as_array().expect("scopes"));
    scopes.map(|scope| scope["logRecords"].as_array().expect("records").len()).sum()
}
