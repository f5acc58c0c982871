//! The real Collector, which forwards what an agent sends: its CPU time, without its start.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::cpu;
use crate::e2e::background::Background;
use crate::e2e::harness::repository;
use crate::e2e::support::namespace::wait_for;

const DEADLINE: Duration = Duration::from_secs(30);

/// The Collector of `make collector`.
pub fn find() -> Option<PathBuf> {
    let script = repository().join("tests/collector/build.sh");
    let output = Command::new(script).arg("--cached").output().expect("tests/collector/build.sh");
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end()))
}

/// A Collector that forwards to a sink.
pub struct Collector {
    process: Background,
    pub port: u16,
    /// CPU seconds until it was ready.
    start: f64,
}

impl Collector {
    /// Starts it on a free port, and waits until it listens. It ends when this process ends, in any way.
    pub fn start(binary: &PathBuf, sink: u16) -> Collector {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let folder = TempDir::new().expect("a folder");
        fs::copy(repository().join("benches/end_to_end/collector.yaml"), folder.path().join("config.yaml"))
            .expect("its configuration");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(binary).args(["--config", "config.yaml"]);
        command.env_clear().env("OTLP_PORT", port.to_string()).env("SINK_PORT", sink.to_string());
        let mut process = Background::start("the Collector", &mut command, folder);
        process.wait_until("ready", |collector| collector.stderr().contains("Everything is ready"));
        let start = cpu::seconds(process.pid());
        Collector { process, port, start }
    }

    /// Ends it in order, so that it forwards what it still has. Returns the CPU seconds since it was ready.
    pub fn finish(mut self) -> f64 {
        self.process.signal(Signal::TERM);
        wait_for("the Collector's end", DEADLINE, || cpu::has_ended(self.process.pid()));
        let seconds = cpu::seconds(self.process.pid()) - self.start;
        assert_eq!(self.process.exit_code(DEADLINE), Some(0), "{}", self.process.stderr());
        seconds
    }
}
