//! The counters: their names in the kernel's files, and the metrics that they become.

use std::path::Path;
use std::{fs, io};

use otel_tcpretrans_pipeline::metric::{Descriptor, Kind};

/// A counter of a namespace: the file in `/proc/PID/net`, the group of lines, the name in it.
type Source = (&'static str, &'static str, &'static str);

const fn descriptor(name: &'static str, unit: &'static str, description: &'static str) -> Descriptor {
    Descriptor { name, unit, kind: Kind::MonotonicSum, description }
}

const SEGMENT: &str = "{segment}";
const CONNECTION: &str = "{connection}";
const EVENT: &str = "{event}";

macro_rules! counters {
    ($($file:literal $group:literal $counter:literal => $name:literal, $unit:expr, $description:literal;)*) => {
        const SOURCES: [Source; COUNT] = [$(($file, $group, $counter)),*];
        /// The metrics.
        pub static METRICS: [Descriptor; COUNT] = [$(descriptor($name, $unit, $description)),*];
    };
}

/// How many counters there are.
pub(super) const COUNT: usize = 15;

// Meanings: RFC 4022, and net/ipv4/proc.c of Linux 6.18.
counters! {
    "snmp" "Tcp" "OutSegs" => "system.network.tcp.segments.sent", SEGMENT,
        "TCP segments sent for the first time (OutSegs)";
    "snmp" "Tcp" "InSegs" => "system.network.tcp.segments.received", SEGMENT,
        "TCP segments received (InSegs)";
    "snmp" "Tcp" "RetransSegs" => "system.network.tcp.segments.retransmitted", SEGMENT,
        "TCP segments sent again, by the kernel's own counter (RetransSegs)";
    "snmp" "Tcp" "ActiveOpens" => "system.network.tcp.connections.opened", CONNECTION,
        "TCP connections that this side began (ActiveOpens)";
    "snmp" "Tcp" "PassiveOpens" => "system.network.tcp.connections.accepted", CONNECTION,
        "TCP connections that the other side began (PassiveOpens)";
    "snmp" "Tcp" "AttemptFails" => "system.network.tcp.connections.failed", CONNECTION,
        "TCP connections that failed before they were established (AttemptFails)";
    "snmp" "Tcp" "EstabResets" => "system.network.tcp.connections.reset", CONNECTION,
        "TCP connections that ended by a reset (EstabResets)";
    "netstat" "TcpExt" "TCPLostRetransmit" => "system.network.tcp.retransmissions.lost", SEGMENT,
        "TCP retransmissions that were lost, too (TCPLostRetransmit)";
    "netstat" "TcpExt" "TCPTimeouts" => "system.network.tcp.timeouts", EVENT,
        "retransmission timers of TCP that have expired (TCPTimeouts)";
    "netstat" "TcpExt" "TCPSpuriousRTOs" => "system.network.tcp.timeouts.spurious", EVENT,
        "TCP timeouts after which nothing was lost, as F-RTO found (TCPSpuriousRTOs)";
    "netstat" "TcpExt" "TCPLossProbes" => "system.network.tcp.loss_probes", EVENT,
        "tail loss probes of TCP (TCPLossProbes)";
    "netstat" "TcpExt" "TCPDSACKRecv" => "system.network.tcp.duplicates.reported", EVENT,
        "duplicate segments of which the other side has told (TCPDSACKRecv)";
    "netstat" "TcpExt" "TCPSynRetrans" => "system.network.tcp.handshakes.retransmitted", SEGMENT,
        "SYN and SYN-ACK segments of TCP sent again (TCPSynRetrans)";
    "netstat" "TcpExt" "ListenDrops" => "system.network.tcp.listen.drops", CONNECTION,
        "connection attempts that a TCP listener has dropped (ListenDrops)";
    "netstat" "TcpExt" "ListenOverflows" => "system.network.tcp.listen.overflows", CONNECTION,
        "connection attempts for which a TCP listener's queue had no room (ListenOverflows)";
}

/// The counters of one namespace, in the order of [`METRICS`]. `None` if the kernel has no such counter.
pub(super) type Counters = [Option<u64>; COUNT];

/// Reads the counters below a folder such as `/proc/42/net`.
///
/// # Errors
/// A file can't be read: the process has ended, or this process may not.
pub(super) fn read(folder: &Path) -> io::Result<Counters> {
    let text = |file: &str| fs::read_to_string(folder.join(file));
    let (snmp, netstat) = (text("snmp")?, text("netstat")?);
    Ok(SOURCES.map(|(file, group, name)| {
        let text = if file == "snmp" { &snmp } else { &netstat };
        counter(text, group, name)
    }))
}

/// One counter. A group has two lines that begin with its name: the names of its counters, and their values.
pub(super) fn counter(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(group)?.strip_prefix(':'));
    let (names, values) = (lines.next()?, lines.next()?);
    let index = names.split_whitespace().position(|known| known == name)?;
    values.split_whitespace().nth(index)?.parse().ok()
}
