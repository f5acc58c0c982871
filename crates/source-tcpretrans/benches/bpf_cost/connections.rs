//! What knowing the owners costs: each connection, with a receiver and without, and the pass at the start over the sockets
//! that exist.

use std::error::Error;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::time::Instant;

use otel_tcpretrans_source::config::{Hook, Transport};

use crate::candidate::Candidate;
use crate::programs::cost_of;
use crate::support::traffic::allow_descriptors;

/// Connections that are opened, accepted and closed, in each round.
const CONNECTIONS: usize = 5000;
/// Sockets that exist when the receiver starts.
const SOCKETS: usize = 10_000;
/// So many listeners they are connected to: the namespace gives out 1,000 local ports.
const LISTENERS: usize = 20;
/// Parts of the programs' names.
const STATE: &str = "btf_set_state";
const PASS: &str = "btf_tag_files";

const RECEIVER: Candidate =
    Candidate::Ours { hook: Hook::TpBtf, transport: Transport::Ringbuf, wakes_for_each: false };

/// Times of a connection in us, without a receiver and with one, which take turns. One number of each per round.
pub fn measure(rounds: usize) -> Result<(Vec<f64>, Vec<f64>), Box<dyn Error>> {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        without.push(a_connection()?);
        let _attached = RECEIVER.attach()?;
        with.push(a_connection()?);
    }
    Ok((without, with))
}

/// Time that the programs on changes of state take in a connection, in ns. One number per round.
pub fn in_programs(rounds: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut measured = Vec::new();
    for _ in 0..rounds {
        let attached = RECEIVER.attach()?;
        connect_and_close(CONNECTIONS)?;
        measured.push(cost_of(attached.pid(), STATE)?.nanoseconds as f64 / CONNECTIONS as f64);
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
    let started = Instant::now();
    connect_and_close(CONNECTIONS)?;
    Ok(started.elapsed().as_secs_f64() * 1e6 / CONNECTIONS as f64)
}

/// Opens, accepts and closes so many connections, one after the other.
pub fn connect_and_close(connections: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    for _ in 0..connections {
        let client = TcpStream::connect(listener.local_addr()?)?;
        let (server, _) = listener.accept()?;
        server.shutdown(Shutdown::Both)?; // first, so that the client's port is free again
        drop((client, server));
    }
    Ok(())
}
