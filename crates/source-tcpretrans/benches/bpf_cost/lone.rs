//! How long a lone retransmission takes to the flow stage: from the call that makes the kernel send it until it is taken out
//! of the receiver's channel. The reader sleeps before each.

use std::error::Error;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use otel_tcpretrans_pipeline::chunk;
use otel_tcpretrans_pipeline::component::Receiver;
use otel_tcpretrans_source::Tcpretrans;
use otel_tcpretrans_source::config::{Config, Scope, Transport};

use crate::support::syns::Syns;

/// Retransmissions in each round.
const EVENTS: usize = 20;
/// Between two of them: the reader looks for an interval, and then it sleeps.
const APART: Duration = Duration::from_millis(25);
const DEADLINE: Duration = Duration::from_secs(5);

/// The median in microseconds, one number a round.
pub fn measure(rounds: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let config = Config { transport: Transport::Ringbuf, scope: Scope::Netns, ..Config::default() };
    let mut receiver = Tcpretrans::new(config);
    let (sender, mut events) = chunk::channel(receiver.channel_capacity());
    receiver.start(sender)?;
    let (taken, times) = mpsc::channel();
    let taker = thread::spawn(move || {
        while events.blocking_recv().is_some() {
            let _ = taken.send(Instant::now());
        }
    });
    let syns = Syns::new();
    let mut medians = Vec::new();
    for _ in 0..rounds {
        let mut microseconds = Vec::new();
        for _ in 0..EVENTS {
            thread::sleep(APART);
            let sent = Instant::now();
            syns.send();
            let taken = times.recv_timeout(DEADLINE)?;
            microseconds.push(taken.saturating_duration_since(sent).as_secs_f64() * 1e6);
        }
        medians.push(crate::report::median(&microseconds));
    }
    receiver.stop();
    taker.join().map_err(|_| "the taker panicked")?;
    Ok(medians)
}
