//! What a machine hides from BPF. On some sandboxes no BPF program runs at a tracepoint that is hit while a thread of
//! PID 1 is the current task, and no counter tells. ftrace sees those hits, so that a test can say by how much its counts
//! may be short; elsewhere BPF sees them as well, or there are none.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::namespace::own_ports;

const INSTANCES: &str = "/sys/kernel/tracing/instances";
/// Names are this, the process's id, and a number.
const PREFIX: &str = "otel-tcpretrans-test-";

const SYNACK: &str = "tcp_retransmit_synack";
const SEGMENT: &str = "tcp_retransmit_skb";

/// Most segments of one skb: 64 KiB over IPv6 at an Ethernet's MTU.
pub const MOST_SEGMENTS: u64 = (1 << 16) / 1428;

/// Records the retransmissions that happen while a thread of PID 1 is the current task, until it is dropped.
pub struct Recorder {
    instance: PathBuf,
}

/// What was recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hidden {
    /// Hits of the tracepoints.
    pub hits: u64,
    /// Segments that they can have been at most.
    pub segments: u64,
}

impl Recorder {
    /// Begins, by an ftrace instance of its own, for this thread's network namespace. Needs tracefs mounted.
    pub fn start() -> io::Result<Recorder> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        remove_left_over();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let instance = Path::new(INSTANCES).join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&instance)?;
        let recorder = Recorder { instance };
        let (first, last) = own_ports()?;
        let threads = threads_of_pid_1()?.join(" || ");
        let filter = format!("sport >= {first} && sport <= {last} && ({threads})");
        for event in [SEGMENT, SYNACK] {
            let event = recorder.instance.join("events/tcp").join(event);
            fs::write(event.join("filter"), &filter)?;
            fs::write(event.join("enable"), "1")?;
        }
        Ok(recorder)
    }

    /// What was recorded until now.
    pub fn hidden(&self) -> io::Result<Hidden> {
        let trace = fs::read_to_string(self.instance.join("trace"))?;
        let mut hidden = Hidden::default();
        for hit in trace.lines().filter(|line| !line.starts_with('#')) {
            let one = hit.contains(SYNACK) || hit.contains("state=TCP_SYN_SENT");
            hidden.hits += 1;
            hidden.segments += if one { 1 } else { MOST_SEGMENTS };
        }
        Ok(hidden)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.instance) {
            eprintln!("removing {}: {error}", self.instance.display());
        }
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hidden hits {}", self.hits)
    }
}

fn threads_of_pid_1() -> io::Result<Vec<String>> {
    fs::read_dir("/proc/1/task")?
        .map(|thread| Ok(format!("common_pid == {}", thread?.file_name().display())))
        .collect()
}

/// Removes the instances of processes that were killed.
fn remove_left_over() {
    let instances = fs::read_dir(INSTANCES).into_iter().flatten().flatten();
    for instance in instances {
        let name = instance.file_name();
        let process = name.to_string_lossy().strip_prefix(PREFIX).and_then(|rest| {
            let (process, _) = rest.split_once('-')?;
            Some(Path::new("/proc").join(process))
        });
        if process.is_some_and(|process| !process.exists()) {
            drop(fs::remove_dir(instance.path())); // somebody else may have been faster
        }
    }
}
