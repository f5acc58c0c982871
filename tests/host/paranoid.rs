//! Changes kernel.perf_event_paranoid of this machine for the time of a test.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::fs::{FlockOperation, flock};

const FILE: &str = "/proc/sys/kernel/perf_event_paranoid";

/// Restores the former level when dropped, also if this process is killed. A shell in a process group of its own does
/// that: it waits for the end of its stdin, and only this process has the other end. Both hold a lock, so that another
/// run of the tests waits until the level is restored.
pub struct Paranoid {
    restorer: Child,
    former: String,
    _lock: File,
}

impl Paranoid {
    /// Sets the level.
    pub fn set(level: u8) -> Paranoid {
        let lock = File::open(FILE).expect(FILE);
        flock(&lock, FlockOperation::LockExclusive).expect("the lock");
        let former = fs::read_to_string(FILE).expect(FILE).trim().to_owned();
        let restorer = Command::new("sh")
            .args(["-c", r#"read -r _; echo "$1" >"$2""#, "sh", &former, FILE])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(lock.try_clone().expect("a descriptor"))
            .spawn()
            .expect("sh");
        let paranoid = Paranoid { restorer, former, _lock: lock };
        fs::write(FILE, level.to_string()).expect(FILE);
        assert_eq!(fs::read_to_string(FILE).expect(FILE).trim(), level.to_string());
        paranoid
    }
}

impl Drop for Paranoid {
    fn drop(&mut self) {
        drop(self.restorer.stdin.take());
        self.restorer.wait().expect("the restoring shell");
        assert_eq!(fs::read_to_string(FILE).expect(FILE).trim(), self.former);
    }
}
