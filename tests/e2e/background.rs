//! A process in the background with its output in files. It is ended by its pid, also if the test fails.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::support::namespace::wait_for;

/// Lines of stderr that a failed test shows.
const SHOWN: usize = 30;

/// A running process and the folder that it runs in.
pub struct Background {
    name: &'static str,
    child: Child,
    folder: TempDir,
}

impl Background {
    /// Starts it in `folder`, in the namespaces of this thread.
    pub fn start(name: &'static str, command: &mut Command, folder: TempDir) -> Background {
        let stdout = File::create(folder.path().join("stdout")).expect("a file");
        Background::start_into(name, command, folder, stdout.into())
    }

    /// The same, with another place for its stdout.
    pub fn start_into(
        name: &'static str,
        command: &mut Command,
        folder: TempDir,
        stdout: Stdio,
    ) -> Background {
        let stderr = File::create(folder.path().join("stderr")).expect("a file");
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env("PATH", path).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let child = command.spawn().unwrap_or_else(|error| panic!("starting {name}: {error}"));
        Background { name, child, folder }
    }

    /// What it has written to stdout so far.
    pub fn stdout(&self) -> String {
        read(&self.folder.path().join("stdout"))
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        read(&self.folder.path().join("stderr"))
    }

    /// Writes a file into the folder that it runs in.
    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).expect("writing a file");
    }

    /// What is in a file in the folder that it runs in.
    pub fn read(&self, name: &str) -> String {
        read(&self.folder.path().join(name))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it is still running.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("waiting").is_none()
    }

    /// Waits until `condition` holds. Fails if the process ends before that.
    pub fn wait_until(&mut self, what: &str, mut condition: impl FnMut(&Background) -> bool) {
        wait_for(&format!("{}: {what}", self.name), Duration::from_secs(30), || {
            let running = self.is_running(); // asked first, so that the output before its end counts
            let holds = condition(self);
            assert!(holds || running, "{} ended before this held: {what}", self.name);
            holds
        });
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        assert!(self.is_running(), "{} has ended already", self.name);
        kill_process(Pid::from_child(&self.child), signal).expect("kill");
    }

    /// Waits until it ends, and returns its exit code: `None` if a signal ended it.
    pub fn exit_code(&mut self, within: Duration) -> Option<i32> {
        wait_for(&format!("the end of {}", self.name), within, || !self.is_running());
        self.child.wait().expect("waiting").code()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let stderr = self.stderr();
            let lines: Vec<_> = stderr.lines().collect();
            let last = &lines[lines.len().saturating_sub(SHOWN)..];
            eprintln!("--- the last lines of {}:\n{}", self.name, last.join("\n"));
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
