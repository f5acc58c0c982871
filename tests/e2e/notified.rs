//! The service manager's side of the notifications, and threads that hang.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// Waits for a message that begins with `start`, and returns it.
pub fn wait_for_message(manager: &UnixDatagram, start: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let message = next(manager, left).unwrap_or_else(|| panic!("no message {start}"));
        if let Some(line) = message.lines().find(|line| line.starts_with(start)) {
            return line.to_owned();
        }
    }
}

/// All lines of the messages that come within `time`. What came before is left out.
pub fn messages_within(manager: &UnixDatagram, time: Duration) -> Vec<String> {
    manager.set_nonblocking(true).expect("a socket");
    while manager.recv(&mut [0; 4096]).is_ok() {}
    manager.set_nonblocking(false).expect("a socket");
    let deadline = Instant::now() + time;
    let mut lines = Vec::new();
    while let Some(message) = next(manager, deadline.saturating_duration_since(Instant::now())) {
        lines.extend(message.lines().map(str::to_owned));
    }
    lines
}

fn next(manager: &UnixDatagram, within: Duration) -> Option<String> {
    let mut message = [0; 4096];
    manager.set_read_timeout(Some(within.max(Duration::from_millis(1)))).expect("a socket");
    let length = manager.recv(&mut message).ok()?;
    Some(String::from_utf8_lossy(&message[..length]).into_owned())
}

/// Threads of a process that do not run, as a debugger stops them, while the others do. They go on when it is dropped, which
/// must be on the same thread.
pub struct Frozen(Vec<Pid>);

impl Frozen {
    /// Stops the threads whose name begins with `name`.
    pub fn threads(pid: u32, name: &str) -> Frozen {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
        let named = tasks.map(|task| task.expect("a thread").path()).filter(|task| {
            fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim().starts_with(name))
        });
        let ids = named.map(|task| task.file_name().and_then(|id| id.to_str()?.parse().ok()).expect("an id"));
        let threads: Vec<Pid> = ids.map(Pid::from_raw).collect();
        assert!(!threads.is_empty(), "no thread {name}");
        for thread in &threads {
            ptrace::seize(*thread, Options::empty()).expect("seizing a thread");
            ptrace::interrupt(*thread).expect("stopping a thread");
            waitpid(*thread, Some(WaitPidFlag::__WALL)).expect("waiting for a thread");
        }
        Frozen(threads)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for thread in &self.0 {
            let _ = ptrace::detach(*thread, None);
        }
    }
}
