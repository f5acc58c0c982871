//! One run of the agent: it replays records with ids to a backend.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use otel_tcpretrans_source::recording::{Header, Writer};
use otel_tcpretrans_source::wire::{Event, Kind, Reason, to_bytes};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::e2e::agent::{Agent, log};
use crate::e2e::books::Books;
use crate::e2e::scrape::Scrape;

/// How long a run may take until it ends.
const END: Duration = Duration::from_secs(100);

/// The protocols, as types of exporters. Both are on the port of the backend.
pub const PROTOCOLS: [&str; 2] = ["otlp", "otlp_http"];

/// A recording of `count` retransmissions, whose ids begin with `first`.
pub fn recording(folder: &TempDir, first: u32, count: u32) -> PathBuf {
    slow_recording(folder, first, count, Duration::from_micros(1))
}

/// A recording for `speed: realtime` that does not end before a test does: of two retransmissions, one per hour.
pub fn endless(folder: &TempDir) -> PathBuf {
    slow_recording(folder, u32::MAX - 1, 2, Duration::from_secs(3600))
}

/// The same with pauses.
pub fn slow_recording(folder: &TempDir, first: u32, count: u32, pause: Duration) -> PathBuf {
    let pause = u64::try_from(pause.as_nanos()).unwrap();
    let path = folder.path().join(format!("{first}.otr"));
    let header = Header::here();
    let mut writer = Writer::new(File::create(&path).unwrap(), &header);
    for number in 0..count {
        let event = Event {
            kind: Kind::KIND_SEGMENT.0 as u8,
            reason: Reason::REASON_FAST.0 as u8,
            family: 2,
            state: 1,
            local_port: 5201,
            peer_port: 40_000 + u16::try_from(number % 1000).unwrap(),
            socket_cookie: u64::from(number % 1000) + 1,
            tcp_sequence: first + number,
            boot_time_ns: header.boot_time_ns + u64::from(number) * pause,
            sequence: u64::from(number),
            segments: 1,
            skb_segments: 1,
            payload_bytes: 1448,
            ..Event::default()
        };
        writer.event(to_bytes(&event), header.wall_offset_ns).unwrap();
    }
    writer.finish(u64::from(count)).unwrap();
    path
}

/// What a run is made of.
pub struct Run<'r> {
    pub recording: &'r Path,
    /// The type of its exporter.
    pub protocol: &'r str,
    pub url: &'r str,
    /// More keys of the exporter.
    pub exporter: &'r str,
    /// Where its queue is on disk.
    pub storage: Option<&'r Path>,
    /// The rest of the configuration: a port to scrape, a timeout.
    pub service: &'r str,
    /// More keys of the receiver.
    pub receiver: &'r str,
}

impl<'r> Run<'r> {
    /// A run with nothing special.
    pub fn new(recording: &'r Path, protocol: &'r str, url: &'r str) -> Self {
        Run { recording, protocol, url, exporter: "", storage: None, service: "", receiver: "" }
    }

    /// A run with a queue on disk.
    pub fn stored(recording: &'r Path, protocol: &'r str, url: &'r str, storage: &'r Path) -> Self {
        Run { exporter: STORED, storage: Some(storage), ..Run::new(recording, protocol, url) }
    }

    /// Its configuration, over the base configuration of a replay.
    pub fn configuration(&self) -> String {
        let Run { protocol, url, exporter, service, receiver, .. } = self;
        let (extension, started) = match self.storage {
            Some(directory) => (
                format!("extensions: {{ file_storage: {{ directory: '{}' }} }}\n", directory.display()),
                "extensions: [file_storage],",
            ),
            None => (String::new(), ""),
        };
        format!(
            "receivers: {{ replay: {{ file: '{}' {receiver} }} }}
exporters: {{ {protocol}: {{ endpoint: '{url}', {exporter} }} }}
processors: {{ batch: {{ timeout: 100ms }} }}
{extension}service: {{ {started} {service} pipelines: {{ logs: {{ processors: [batch], exporters: [{protocol}] }} }} }}
",
            self.recording.display()
        )
    }

    pub fn start(&self) -> Agent {
        Agent::replaying(&self.configuration())
    }

    /// Starts it with a second receiver, so that it does not stop at the end of its recording.
    pub fn start_with_endless(&self, endless: &Path) -> Agent {
        let second =
            format!("receivers: {{ replay/endless: {{ file: '{}', speed: realtime }}, ", endless.display());
        let configuration = self.configuration().replace("receivers: { ", &second);
        let both = "logs: { receivers: [replay, replay/endless],";
        Agent::replaying(&configuration.replace("logs: {", both))
    }

    /// Runs it until it has read everything and has ended by itself. Returns its books, which balance.
    pub fn to_end(&self) -> Books {
        ended(self.start())
    }
}

/// Waits until an agent ends. Fails unless its exit code is 0 and its books balance.
pub fn ended(mut agent: Agent) -> Books {
    assert_eq!(agent.0.exit_code(END), Some(0));
    let books = Books::of(&log(&agent.0), agent.hidden());
    books.assert_balanced();
    books
}

/// Runs an agent until it has sent everything that is in `storage`. Returns its books, which balance.
pub fn drained(folder: &TempDir, protocol: &str, url: &str, storage: &Path) -> Books {
    // At the end of a recording the agent would stop, and leave what the backend does not take at once.
    let endless = endless(folder);
    let scraped = port();
    let mut agent = Run {
        service: &telemetry(scraped),
        receiver: ", speed: realtime",
        ..Run::stored(&endless, protocol, url, storage)
    }
    .start();
    agent.wait_until_said("ready");
    agent.0.wait_until("all of it", |_| {
        let now = Scrape::take_from(scraped);
        let items = |name: &str| {
            now.sum(&format!("otelcol_tcpretrans_exporter_{name}_items"), &[("exporter", protocol)])
        };
        items("queued") + items("in_flight") == 0
    });
    agent.0.signal(Signal::TERM);
    let books = ended(agent);
    let number = |name| books.exporter("logs", protocol, name);
    assert_eq!((number("restored"), number("stored")), (number("delivered") - number("accepted"), 0));
    books
}

/// Shows an agent's own telemetry at this port.
pub fn telemetry(port: u16) -> String {
    format!("telemetry: {{ metrics: {{ prometheus: '127.0.0.1:{port}' }} }},")
}

/// The `sending_queue` of a queue on disk, and retries for tests.
pub const STORED: &str = "sending_queue: { storage: file_storage }, timeout: 2s, \
                          retry_on_failure: { initial_interval: 20ms, max_interval: 100ms }";

/// A free port.
pub fn port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
