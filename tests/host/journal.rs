//! The log in the journal of a real systemd-journald, which runs in a mount namespace of its own.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::e2e::harness::BINARY;

/// Starts a journal, and the binary with its stderr leading there as systemd has it. Prints what the journal has of it.
const SCRIPT: &str = r#"
mount -t tmpfs none /run
/lib/systemd/systemd-journald & journal=$!
trap 'kill $journal; wait' EXIT
until [ -S /run/systemd/journal/stdout ]; do kill -0 $journal; sleep 0.05; done
systemd-cat sh -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" "$@"' "$@"
journalctl --sync
journalctl --no-pager --output json SYSLOG_IDENTIFIER=otel-tcpretrans
"#;

pub fn has_fields_and_priorities() {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/replay/retransmits.otr");
    let config = format!(
        "receivers: {{ replay: {{ file: {recording} }} }}
exporters: {{ debug: , debug/unused: }}
service:
  telemetry: {{ metrics: {{ prometheus: null }} }}
  pipelines: {{ logs: {{ receivers: [replay], exporters: [debug] }} }}
"
    );
    fs::write(folder.path().join("config.yaml"), config).expect("writing");
    let mut command = Command::new("unshare");
    command.args(["--mount", "bash", "-euc", SCRIPT, "bash", BINARY, "run", "--config", "config.yaml"]);
    let output = command.current_dir(&folder).output().expect("unshare");
    let text = String::from_utf8_lossy(&output.stdout);
    let entries: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let entry = |message: &str| {
        let is_it = |entry: &&Value| entry["MESSAGE"].as_str().is_some_and(|text| text.contains(message));
        entries.iter().find(is_it).unwrap_or_else(|| panic!("no {message} in {output:?}"))
    };
    let ready = entry("ready");
    assert_eq!(ready["PRIORITY"], "6");
    assert_eq!(ready["OTEL_TCPRETRANS_VERSION"], env!("CARGO_PKG_VERSION"));
    assert_eq!(ready["_TRANSPORT"], "journal");
    assert_eq!(entry("debug/unused")["PRIORITY"], "4", "a warning");
    assert_eq!(entry("books")["OTEL_TCPRETRANS_RECEIVER"], "replay");
}
