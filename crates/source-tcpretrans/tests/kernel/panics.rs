//! A bug inside a callback of libbpf: the process goes on, and the books say what is missing.

use std::io::{self, Write};
use std::time::Duration;

use otel_tcpretrans_pipeline::chunk;
use otel_tcpretrans_pipeline::component::Receiver;
use otel_tcpretrans_source::Recorder;
use otel_tcpretrans_source::config::{Hook, Transport};

use crate::running::own;
use crate::support::namespace::{isolated, wait_for};
use crate::support::traffic::{Stuck, loopback};

/// Bytes that the recorder gathers before it writes them in the callback. Once per second it writes what there is, outside
/// of the callback.
const GATHERED: usize = 64 << 10;
/// Each of them sends one segment again, of which a recording holds 140 bytes.
const CONNECTIONS: usize = 600;

/// A file that is a bug, when the callback writes to it.
struct Bug;

impl Write for Bug {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(bytes.len() < GATHERED, "as a bug would");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub fn leave_balanced_books(transport: Transport) {
    isolated(move || {
        let (mut recorder, recording) = Recorder::new(own(Hook::Auto, transport), Bug);
        let (out, events) = chunk::channel(recorder.channel_capacity());
        recorder.start(out).expect("start");
        // Their timers strike together: more than is gathered comes within one second, on a slow machine too.
        let stuck = Stuck::new(loopback(false), CONNECTIONS);
        wait_for("the end of the reader's thread", Duration::from_secs(60), || events.is_closed());
        drop(stuck);
        recorder.stop();
        let recorded = recording.recorded();
        let (counts, failed) = (recorded.counts, recorded.failed.expect("a failure"));
        assert_eq!(failed.to_string(), "writing panicked");
        let unobserved: u64 = counts.unobserved.iter().map(|unobserved| unobserved.events).sum();
        println!("    {} seen, {unobserved} of them unobserved", counts.seen);
        assert!(unobserved > 0, "{counts:?}");
        assert_eq!(counts.seen, counts.received + unobserved, "{counts:?}");
    });
}
