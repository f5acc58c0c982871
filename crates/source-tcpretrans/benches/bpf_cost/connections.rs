//! What knowing the owners costs: each connection, with a receiver and without, and the pass at the start over the sockets
//! that exist.

use std::error::Error;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::time::Instant;

use otel_tcpretrans_source::config::{Hook, Transport};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::candidate::Candidate;
use crate::programs::cost_of;

/// Connections that are opened, accepted and closed, in each round.
const CONNECTIONS: usize = 5000;
/// Sockets that exist when the receiver starts.
const SOCKETS: usize = 10_000;
/// So many listeners they are connected to: the namespace gives out 1,000 local ports.
const LISTENERS: usize = 20;
/// Parts of the programs' names.
const STATE: &str = "btf_set_state";
const PASS: &str = "btf_tag_files";

/// One number per round.
#[derive(Default)]
pub struct Measured {
    /// Time of a connection without a receiver, in us.
    pub without: Vec<f64>,
    /// Time of a connection with one, in us.
    pub with: Vec<f64>,
    /// Time that the programs take in a connection, in ns.
    pub in_programs: Vec<f64>,
}

const RECEIVER: Candidate =
    Candidate::Ours { hook: Hook::TpBtf, transport: Transport::Ringbuf, wakes_for_each: false };

/// Rounds without a receiver and with one take turns.
pub fn measure(rounds: usize) -> Result<Measured, Box<dyn Error>> {
    let mut measured = Measured::default();
    for _ in 0..rounds {
        measured.without.push(a_connection()?);
        let attached = RECEIVER.attach()?;
        measured.with.push(a_connection()?);
        let cost = cost_of(attached.pid(), STATE)?;
        measured.in_programs.push(cost.nanoseconds as f64 / CONNECTIONS as f64);
    }
    Ok(measured)
}

/// The pass's time for all sockets in ms, and for one file in ns. One number of each per round.
pub fn pass(rounds: usize) -> Result<(Vec<f64>, Vec<f64>), Box<dyn Error>> {
    allow_descriptors(SOCKETS as u64 + 1000);
    let mut sockets = Vec::new();
    for _ in 0..LISTENERS {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        for _ in 0..SOCKETS / LISTENERS / 2 {
            sockets.push(TcpStream::connect(listener.local_addr()?)?);
            sockets.push(listener.accept()?.0);
        }
    }
    let (mut whole, mut one) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let cost = cost_of(RECEIVER.attach()?.pid(), PASS)?;
        whole.push(cost.nanoseconds as f64 / 1e6);
        one.push(cost.a_run());
    }
    Ok((whole, one))
}

/// Time of one, in us.
fn a_connection() -> std::io::Result<f64> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let started = Instant::now();
    for _ in 0..CONNECTIONS {
        let client = TcpStream::connect(listener.local_addr()?)?;
        let (server, _) = listener.accept()?;
        server.shutdown(Shutdown::Both)?; // first, so that the client's port is free again
        drop((client, server));
    }
    Ok(started.elapsed().as_secs_f64() * 1e6 / CONNECTIONS as f64)
}

/// Raises this process's limit of descriptors to `needed`, if it is lower.
fn allow_descriptors(needed: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let at_least = |limit: Option<u64>| limit.map(|limit| limit.max(needed));
    let raised = Rlimit { current: at_least(current), maximum: at_least(maximum) };
    setrlimit(Resource::Nofile, raised).expect("RLIMIT_NOFILE");
}
