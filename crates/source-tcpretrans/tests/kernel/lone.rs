//! Events that come alone: each wakes the reader, and none waits for the next.

use std::hint::spin_loop;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use otel_tcpretrans_pipeline::chunk;
use otel_tcpretrans_pipeline::component::Receiver;
use otel_tcpretrans_pipeline::config::Interval;
use otel_tcpretrans_source::Tcpretrans;
use otel_tcpretrans_source::config::{Config, Hook, Transport, Wakeup};

use crate::running::own;
use crate::support::namespace::{isolated, retrans_segs};
use crate::support::syns::Syns;
use crate::support::traffic::scaled;

/// The shortest that the configuration allows. After so long without an event the reader decides to sleep.
const INTERVAL: Duration = Duration::from_millis(1);
/// Nothing else would wake the reader before the listener sends its SYN-ACK by itself, which it does after a second.
const AT_LATEST: Duration = Duration::from_millis(900);

/// Thousands of single events, half of them about when the reader decides to sleep. There is no timer that would show one
/// whose wakeup is lost.
pub fn each_wakes_the_reader() {
    isolated(|| {
        let wakeup = Wakeup { interval: Some(Interval::from(INTERVAL)), ..Wakeup::default() };
        let mut receiver = Tcpretrans::new(Config { wakeup, ..own(Hook::Auto, Transport::Ringbuf) });
        let (sender, mut out) = chunk::channel(receiver.channel_capacity());
        receiver.start(sender).expect("start");
        let (shown, records) = mpsc::channel();
        let taker = thread::spawn(move || {
            while let Some(records) = out.blocking_recv() {
                for _ in records.iter() {
                    let _ = shown.send(Instant::now()); // after a failure nobody takes it
                }
            }
        });

        let syns = Syns::new();
        let before = retrans_segs();
        let mut distances = Distances(0x9e37_79b9_7f4a_7c15);
        let mut times = Vec::new();
        let mut taken = 0;
        for number in 0..scaled(6000) {
            let next = Instant::now() + distances.next();
            while Instant::now() < next {
                spin_loop();
            }
            let sent = Instant::now();
            syns.send();
            let Ok(at) = records.recv_timeout(AT_LATEST) else {
                panic!("event {number} woke nobody: {:?}", receiver.probe()());
            };
            taken += 1 + records.try_iter().count() as u64; // the listener's own timer may have made another
            times.push(at.saturating_duration_since(sent));
        }
        receiver.stop();
        taker.join().expect("the taker");
        taken += records.try_iter().count() as u64;
        assert_eq!(taken, retrans_segs() - before);
        times.sort();
        let [median, last] = [times[times.len() / 2], times[times.len() - 1]];
        println!(
            "    {} events, in the channel after {median:?} (median), {last:?} at the latest",
            times.len()
        );
        assert!(median < Duration::from_millis(100), "{median:?}");
    });
}

/// Pseudo-random times until the next event (xorshift, Marsaglia 2003).
struct Distances(u64);

impl Distances {
    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let part = |of: Duration| of.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64);
        // The decision comes a little after the interval: waking up twice takes its time, too.
        if self.0 & 1 == 0 { INTERVAL * 9 / 10 + part(INTERVAL * 6 / 10) } else { part(INTERVAL * 3) }
    }
}
