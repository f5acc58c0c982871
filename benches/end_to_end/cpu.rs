//! What the kernel says of a process: its CPU time, its wakeups, its memory, and whether it has ended.

use std::fs;

use nix::time::ClockId;
use nix::unistd::Pid;

/// User and system time of all threads of a process, in seconds. A zombie still tells it.
pub fn seconds(pid: u32) -> f64 {
    let pid = Pid::from_raw(pid.try_into().expect("a process id"));
    let clock = ClockId::pid_cpu_clock_id(pid).expect("the process's clock");
    let time = clock.now().expect("the process's time");
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}

/// Whether a process has ended. It is a zombie then, until its parent asks for its exit code.
pub fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("its stat");
    let (_, fields) = stat.rsplit_once(')').expect("a name"); // the name may contain any character
    fields.trim_start().starts_with('Z')
}

/// How often the threads that a process has now gave up their CPU because they had nothing to do. Each of these times
/// is followed by a wakeup.
pub fn waits(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").flatten();
    threads.filter_map(|thread| number(&thread.path().join("status"), "voluntary_ctxt_switches")).sum()
}

/// The largest resident memory that a process has had, in bytes. A zombie has none.
pub fn peak_memory(pid: u32) -> Option<u64> {
    number(format!("/proc/{pid}/status").as_ref(), "VmHWM").map(|kib| kib << 10)
}

/// A number of a status file: `name: 42 kB`.
fn number(file: &std::path::Path, name: &str) -> Option<u64> {
    let status = fs::read_to_string(file).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}
