//! What the end of a socket costs that never sent anything again: most of them, on a server with many short connections.

use std::error::Error;

use otel_tcpretrans_source::config::{Hook, Transport};

use crate::candidate::Candidate;
use crate::connections::connect_and_close;
use crate::programs::{END_OF_A_SOCKET, cost_of};

/// Short connections, in each round.
const CONNECTIONS: usize = 5000;

/// The program's ns a socket, one number a round.
pub fn measure(rounds: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let receiver =
        Candidate::Ours { hook: Hook::TpBtf, transport: Transport::Ringbuf, wakes_for_each: false };
    let attached = receiver.attach()?;
    let mut measured = Vec::new();
    for _ in 0..rounds {
        let before = cost_of(attached.pid(), END_OF_A_SOCKET)?;
        connect_and_close(CONNECTIONS)?;
        let after = cost_of(attached.pid(), END_OF_A_SOCKET)?;
        measured.push((after.nanoseconds - before.nanoseconds) as f64 / (after.runs - before.runs) as f64);
    }
    Ok(measured)
}
