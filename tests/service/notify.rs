//! What a service manager is told: by a real socket, in place of systemd's.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::e2e::background::Background;
use crate::e2e::harness::BINARY;
use crate::e2e::notified::{Frozen, messages_within, wait_for_message};

/// The unit's time is longer; this one keeps the test short.
const WATCHDOG: Duration = Duration::from_secs(3);

/// A recording that is replayed without an end, as fast as it goes: a storm.
fn storm() -> (Background, UnixDatagram) {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/replay/retransmits.otr");
    let config = format!(
        "receivers: {{ replay: {{ file: {recording}, speed: max, loop: true }} }}
processors: {{ filter: {{ exclude: [network.transport == tcp] }}, aggregate: {{ interval: 1s }} }}
exporters: {{ debug: }}
service:
  telemetry: {{ metrics: {{ prometheus: null }} }}
  pipelines:
    logs: {{ receivers: [replay], processors: [filter], exporters: [debug] }}
    metrics: {{ receivers: [replay], processors: [filter, aggregate], exporters: [debug] }}
"
    );
    fs::write(folder.path().join("config.yaml"), config).expect("writing");
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    let mut command = Command::new(BINARY);
    command.env_clear().args(["run", "--config", "config.yaml", "--log-format", "json"]);
    command.env("NOTIFY_SOCKET", socket).env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
    (Background::start("the service", &mut command, folder), manager)
}

/// As systemd needs them: ready, the status, the watchdog in time, a reload from its begin to its end, and the stop.
#[test]
fn a_busy_service_tells_how_it_is() {
    let (mut service, manager) = storm();
    wait_for_message(&manager, "READY=1");
    let mut last = Instant::now();
    let mut status = String::new();
    for _ in 0..4 {
        for line in messages_within(&manager, WATCHDOG / 2) {
            if line == "WATCHDOG=1" {
                last = Instant::now();
            }
            status = line.strip_prefix("STATUS=").map_or(status, str::to_owned);
        }
        assert!(last.elapsed() < WATCHDOG, "no food for {:?}", last.elapsed());
    }
    service.signal(Signal::HUP);
    wait_for_message(&manager, "RELOADING=1");
    wait_for_message(&manager, "READY=1");
    let status = if status.is_empty() { wait_for_message(&manager, "STATUS=") } else { status };
    assert!(status.contains("segments") && status.contains("delivered"), "{status}");
    service.signal(Signal::TERM);
    wait_for_message(&manager, "STOPPING=1");
    assert_eq!(service.exit_code(Duration::from_secs(20)), Some(0));
}

/// The threads of the runtime run the pipelines.
#[test]
fn a_service_whose_pipelines_hang_is_silent() {
    let (service, manager) = storm();
    wait_for_message(&manager, "WATCHDOG=1");
    let frozen = Frozen::threads(service.pid(), "tokio");
    assert!(!messages_within(&manager, WATCHDOG).contains(&"WATCHDOG=1".to_owned()));
    drop(frozen);
    wait_for_message(&manager, "WATCHDOG=1");
}
