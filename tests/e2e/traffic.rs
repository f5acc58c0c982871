//! Lossy transfers over both IP versions, and what the kernel counted of them.

use std::thread;

use super::support::namespace::{retrans_segs, wait_until_quiet_beside};
use super::support::traffic::{Connection, loopback, lossy_transfer};

/// What was sent, and what was retransmitted.
pub struct Traffic {
    /// One over IPv4, one over IPv6.
    pub connections: [Connection; 2],
    /// RetransSegs of this namespace. It began at 0.
    pub retrans_segs: u64,
}

/// Sends `mib` MiB over each IP version. Returns when all connections have ended, except those of the ports `beside`.
pub fn lossy_transfers(mib: usize, beside: &[u16]) -> Traffic {
    let connections = [false, true].map(|v6| lossy_transfer(loopback(v6), loopback(v6), mib << 20));
    wait_until_quiet_beside(beside);
    Traffic { connections, retrans_segs: retrans_segs() }
}

/// The number of flows in a storm.
const FLOWS: usize = 8;

/// Sends `mib` MiB in each of eight flows at once, half of them over IPv6.
pub fn storm(mib: usize) -> Vec<Connection> {
    let flows: Vec<_> = (0..FLOWS)
        .map(|flow| loopback(flow % 2 == 1))
        .map(|address| thread::spawn(move || lossy_transfer(address, address, mib << 20)))
        .collect();
    let connections = flows.into_iter().map(|flow| flow.join().expect("a flow")).collect();
    wait_until_quiet_beside(&[]);
    connections
}
