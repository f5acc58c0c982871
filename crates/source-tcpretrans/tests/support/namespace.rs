//! A network and a mount namespace for one test, and the kernel's counts in it.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::link::{loopback_drops_all, loopback_drops_nothing, loopback_up, loopback_without_gso};

/// Runs `test` on a thread in namespaces of its own, with loopback up at an Ethernet's MTU, so that GSO has work to do,
/// and with tracefs mounted unless the kernel is locked down. Threads that it starts are in them too; they end with it.
pub fn isolated<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).expect("unshare");
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("making mounts private");
        if !is_locked_down() && !Path::new("/sys/kernel/tracing/events").exists() {
            mount(Some("tracefs"), "/sys/kernel/tracing", Some("tracefs"), MsFlags::empty(), none)
                .expect("tracefs");
        }
        loopback_up().expect("loopback up");
        use_own_ports();
        test()
    });
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Whether the kernel lets nobody read its memory (lockdown=confidentiality): it has no tracefs then, and its programs can't
/// use `bpf_probe_read_kernel`.
pub fn is_locked_down() -> bool {
    let level = fs::read_to_string("/sys/kernel/security/lockdown");
    level.is_ok_and(|level| level.contains("[confidentiality]"))
}

const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// This thread's network namespace gives out local ports that hardly any other does at the same time, so that what shows
/// ports but no namespace shows whose it is.
fn use_own_ports() {
    // Below 32768, where the usual range begins, there is room for so many.
    const FIRST: u32 = 10_000;
    const PORTS: u32 = 1_000;
    const RANGES: u32 = 22;
    let first = FIRST + netns_inode() % RANGES * PORTS;
    fs::write(PORT_RANGE, format!("{first} {}", first + PORTS - 1)).expect(PORT_RANGE);
}

/// The first and the last local port that this thread's network namespace gives out.
pub fn own_ports() -> io::Result<(u16, u16)> {
    let range = fs::read_to_string(PORT_RANGE)?;
    let mut ports = range.split_whitespace().map_while(|port| port.parse().ok());
    ports.next().zip(ports.next()).ok_or_else(|| io::Error::other(range.clone()))
}

/// From here on this namespace's loopback takes one segment at a time.
pub fn without_gso() {
    loopback_without_gso().expect("gso_max_segs of loopback");
}

/// While `work` runs this namespace's loopback drops all that is sent, and says so to the sender.
pub fn while_nothing_is_sent<T>(work: impl FnOnce() -> T) -> T {
    loopback_drops_all().expect("a queueing discipline of loopback");
    let result = work();
    loopback_drops_nothing().expect("no queueing discipline of loopback");
    result
}

/// Inode of this thread's network namespace.
pub fn netns_inode() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/thread-self/ns/net").expect("namespace").ino().try_into().expect("32 bits")
}

/// A counter of /proc/net/snmp or /proc/net/netstat of this thread's network namespace.
pub fn mib(file: &str, protocol: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/thread-self/net/{file}")).expect(file);
    let mut rows = text.lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(": "));
    let (names, values) = (rows.next().expect(protocol), rows.next().expect(protocol));
    let position = names.split(' ').position(|other| other == name).expect(name);
    values.split(' ').nth(position).expect(name).parse().expect(name)
}

/// The kernel's `RetransSegs` of this thread's network namespace.
pub fn retrans_segs() -> u64 {
    mib("snmp", "Tcp", "RetransSegs")
}

/// One of the kernel's `TcpExt` counters of this thread's network namespace.
pub fn netstat(name: &str) -> u64 {
    mib("netstat", "TcpExt", name)
}

/// The longest time that TCP waits before it sends a segment again (TCP_RTO_MAX, include/net/tcp.h). The time doubles with
/// each attempt, so a connection that lost its packets while a test was slow goes on as late as this.
const TCP_RTO_MAX: Duration = Duration::from_secs(120);

/// Waits until every connection of this namespace is over, so that its counts stand still.
pub fn wait_until_quiet() {
    wait_until_quiet_beside(&[]);
}

/// The same, beside the connections of these ports, which may stay open.
pub fn wait_until_quiet_beside(ports: &[u16]) {
    wait_for("every connection to end", TCP_RTO_MAX, || {
        ["tcp", "tcp6"].iter().all(|file| {
            let sockets = fs::read_to_string(format!("/proc/thread-self/net/{file}")).expect(file);
            sockets.lines().skip(1).all(|line| {
                let columns: Vec<_> = line.split_whitespace().collect();
                let port = |column: &str| u16::from_str_radix(column.rsplit_once(':')?.1, 16).ok();
                let ends = [columns[1], columns[2]].map(|end| port(end).expect("a port"));
                // Column 4 is the state: 06 TIME_WAIT and 0A LISTEN send nothing.
                matches!(columns[3], "06" | "0A") || ends.iter().any(|port| ports.contains(port))
            })
        })
    });
}

/// Waits for a condition.
pub fn wait_for(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {within:?} for {what}");
        thread::sleep(Duration::from_millis(5)); // between looks, not instead of one
    }
}
