//! A running Collector.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::output::{self, Received};
use crate::e2e::background::Background;
use crate::e2e::harness::repository;

/// The ports it listens on, OTLP's own for gRPC and for HTTP; each test has a namespace of its own.
pub const PORT: u16 = 4317;
pub const HTTP_PORT: u16 = 4318;

/// A Collector on `tests/collector/config.yaml`.
pub struct Collector(Background);

impl Collector {
    /// Starts it and waits until it listens.
    pub fn start() -> Collector {
        let mut command = Command::new(binary());
        command.env_clear().env("OTLP_PORT", PORT.to_string()).env("OTLP_HTTP_PORT", HTTP_PORT.to_string());
        command.arg("--config").arg(folder().join("config.yaml"));
        let place = tempfile::tempdir().expect("a folder");
        let mut collector = Background::start("the Collector", &mut command, place);
        collector.wait_until("ready", |collector| collector.stderr().contains("Everything is ready"));
        Collector(collector)
    }

    /// Waits until it has received something of each signal.
    pub fn wait_until_received(&mut self) {
        self.0.wait_until("logs and metrics", |collector| {
            let stderr = collector.stderr();
            stderr.contains("LogRecord #") && stderr.contains("NumberDataPoints #")
        });
    }

    /// Ends it in order, and returns what it received.
    pub fn finish(mut self) -> Received {
        self.0.signal(Signal::TERM);
        assert_eq!(self.0.exit_code(Duration::from_secs(20)), Some(0));
        output::parse(&self.0.stderr())
    }
}

fn folder() -> PathBuf {
    repository().join("tests/collector")
}

/// The path of the cached binary. It is built if there is none yet.
fn binary() -> PathBuf {
    let build = |arguments: &[&str]| {
        let mut command = Command::new(folder().join("build.sh"));
        let output = command.args(arguments).stdin(Stdio::null()).output().expect("tests/collector/build.sh");
        let path = String::from_utf8(output.stdout).expect("UTF-8");
        match output.status.success() {
            true => Ok(PathBuf::from(path.trim_end())),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    };
    let path = build(&["--cached"]).or_else(|_| build(&[]));
    let path = path.unwrap_or_else(|why| panic!("no Collector to test with; run `make collector`:\n{why}"));
    assert!(Path::new(&path).is_file(), "{}", path.display());
    path
}
