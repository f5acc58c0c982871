//! The real binary at work: `run` with the tests' base configuration and a test's own configuration over it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::background::Background;
use super::books::Books;
use super::debug_output;
use super::harness::BINARY;
use super::support::hidden::{Hidden, Recorder};
use super::telemetry::Telemetry;

/// How long a drain may take if nothing delays it.
const DRAIN: Duration = Duration::from_secs(20);

/// The base configuration for this kernel.
const LIVE: &str = include_str!("base.yaml");
/// The base configuration for a recording. The overlay names its file.
const REPLAY: &str = include_str!("replay.yaml");

/// A running agent, and the recorder of the events that this machine hides from it.
pub struct Agent(pub Background, Option<Recorder>);

/// What an agent has left after it ended in order.
pub struct Finished {
    /// Its last books, which balance.
    pub books: Books,
    /// What its `debug` exporters printed.
    pub printed: Telemetry,
}

impl Agent {
    /// Starts it and waits until it is ready.
    pub fn start(overlay: &str) -> Agent {
        Agent::starting(overlay).ready()
    }

    /// Starts it.
    pub fn starting(overlay: &str) -> Agent {
        let recorder = Recorder::start().ok();
        let (mut command, folder) = prepared(LIVE, overlay);
        Agent(Background::start("the agent", &mut command, folder), recorder)
    }

    /// Starts it with another configuration than the tests' base, and waits until it is ready.
    pub fn start_on(base: &str, overlay: &str) -> Agent {
        let recorder = Recorder::start().ok();
        let (mut command, folder) = prepared(base, overlay);
        Agent(Background::start("the agent", &mut command, folder), recorder).ready()
    }

    /// Starts it on a recording; it ends by itself.
    pub fn replaying(overlay: &str) -> Agent {
        let (mut command, folder) = prepared(REPLAY, overlay);
        Agent(Background::start("the replaying agent", &mut command, folder), None)
    }

    /// The same with an environment variable.
    pub fn replaying_under(name: &str, value: &str, overlay: &str) -> Agent {
        let (mut command, folder) = prepared(REPLAY, overlay);
        command.env(name, value);
        Agent(Background::start("the replaying agent", &mut command, folder), None)
    }

    /// Starts it with its stdout in a pipe, and waits until it is ready.
    pub fn start_piped(overlay: &str) -> Agent {
        let recorder = Recorder::start().ok();
        let (mut command, folder) = prepared(LIVE, overlay);
        Agent(Background::start_into("the agent", &mut command, folder, Stdio::piped()), recorder).ready()
    }

    /// Starts the binary in `folder` by another program, which replaces itself with the binary.
    pub fn start_by(program: &[&str], folder: TempDir) -> Agent {
        Agent::start_with(&[program, &["./binary"]].concat(), folder)
    }

    /// Starts a command in `folder` that takes the agent's arguments.
    pub fn start_with(program: &[&str], folder: TempDir) -> Agent {
        let recorder = Recorder::start().ok();
        let mut command = Command::new(program[0]);
        command.env_clear().args(&program[1..]);
        arguments(&mut command, folder.path(), LIVE, "");
        Agent(Background::start("the agent", &mut command, folder), recorder).ready()
    }

    fn ready(mut self) -> Agent {
        self.0.wait_until("ready", |agent| said(agent, "ready"));
        self
    }

    /// Waits until it logs a message that contains `part`.
    pub fn wait_until_said(&mut self, part: &str) {
        self.0.wait_until(part, |agent| said(agent, part));
    }

    /// Replaces the test's own configuration and asks for a reload.
    pub fn reload(&mut self, overlay: &str) {
        self.0.write("config.yaml", overlay);
        self.0.signal(Signal::HUP);
    }

    /// How many messages of its log contain `part`.
    pub fn times_said(&self, part: &str) -> usize {
        let log = log(&self.0);
        log.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.contains(part))).count()
    }

    /// Ends it with `signal`. Fails unless its exit code is 0 and its books balance.
    pub fn finish_by(mut self, signal: Signal) -> Finished {
        let books = self.stop(signal);
        Finished { books, printed: debug_output::parse(&self.0.stdout()) }
    }

    /// Ends it with SIGTERM, as a service manager does.
    pub fn finish(self) -> Finished {
        self.finish_by(Signal::TERM)
    }

    /// Ends it with `signal`, and returns its last books, which balance. Does not read what it printed.
    pub fn stop(&mut self, signal: Signal) -> Books {
        self.0.signal(signal);
        self.ended()
    }

    /// Waits until it ends, and returns its last books. Fails unless its exit code is 0 and the books balance.
    pub fn ended(&mut self) -> Books {
        assert_eq!(self.0.exit_code(DRAIN), Some(0));
        let books = Books::of(&log(&self.0), self.hidden());
        books.assert_balanced();
        books
    }

    /// The events that the machine has hidden from it until now.
    pub fn hidden(&self) -> Hidden {
        let recorder = self.1.as_ref();
        recorder.map(|recorder| recorder.hidden().expect("the recorded trace")).unwrap_or_default()
    }
}

fn prepared(base: &str, overlay: &str) -> (Command, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(BINARY);
    command.env_clear();
    arguments(&mut command, folder.path(), base, overlay);
    (command, folder)
}

fn arguments(command: &mut Command, folder: &Path, base: &str, overlay: &str) {
    fs::write(folder.join("base.yaml"), base).expect("writing a file");
    fs::write(folder.join("config.yaml"), overlay).expect("writing a file");
    let files = ["--config", "base.yaml", "--config", "config.yaml"];
    command.arg("run").args(files).args(["--log-format", "json"]);
}

/// Its log. A line that is still being written is left out.
pub fn log(agent: &Background) -> Vec<Value> {
    agent.stderr().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn said(agent: &Background, part: &str) -> bool {
    log(agent).iter().any(|line| line["message"].as_str().is_some_and(|message| message.contains(part)))
}
