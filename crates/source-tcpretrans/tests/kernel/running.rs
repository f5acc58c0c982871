//! A receiver that runs during a test, and all that it said when it has stopped.

use std::thread;
use std::time::Duration;

use otel_tcpretrans_pipeline::books::ReceiverCounts;
use otel_tcpretrans_pipeline::chunk;
use otel_tcpretrans_pipeline::component::Receiver;
use otel_tcpretrans_pipeline::record::{Class, Flow, Record, RetransmitType, Segment, TcpSample};
use otel_tcpretrans_source::Tcpretrans;
use otel_tcpretrans_source::config::{Config, Hook, Scope, Transport};

use crate::support::hidden::{Hidden, MOST_SEGMENTS, Recorder};
use crate::support::namespace::{is_locked_down, netstat, wait_for};

/// For this thread's network namespace alone, with a channel that takes everything.
pub fn own(hook: Hook, transport: Transport) -> Config {
    Config { hook, transport, scope: Scope::Netns, channel_capacity: 1 << 20, ..Config::default() }
}

/// The hooks that this kernel has: all, unless it is locked down.
pub fn hooks() -> &'static [Hook] {
    if is_locked_down() { &[Hook::TpBtf] } else { &[Hook::TpBtf, Hook::Tracepoint] }
}

/// A receiver that runs, and the other end of its channel.
pub struct Running {
    pub receiver: Tcpretrans,
    pub out: chunk::Receiver<Record>,
    taken: Taken,
    recorder: Option<Recorder>,
}

/// What came out of the channel.
#[derive(Default)]
struct Taken {
    records: Vec<Record>,
    gaps: Vec<Record>,
}

impl Taken {
    fn take(&mut self, chunk: &[Record]) {
        for record in chunk {
            let of = if record.identity.is_some() { &mut self.records } else { &mut self.gaps };
            of.push(record.clone());
        }
    }
}

impl Running {
    pub fn start(config: Config) -> Running {
        let recorder =
            Recorder::start().inspect_err(|error| println!("    nothing is taken for hidden: {error}")).ok();
        let mut receiver = Tcpretrans::new(config);
        let (sender, out) = chunk::channel(receiver.channel_capacity());
        receiver.start(sender).expect("start");
        Running { receiver, out, taken: Taken::default(), recorder }
    }

    pub fn counts(&self) -> ReceiverCounts {
        self.receiver.probe()()
    }

    /// Waits until what it has reported is `enough`.
    pub fn wait_until(&mut self, what: &str, within: Duration, enough: impl Fn(&[Record]) -> bool) {
        wait_for(what, within, || {
            while let Some(chunk) = self.out.try_recv() {
                self.taken.take(&chunk);
            }
            enough(&self.taken.records)
        });
    }

    /// Stops it.
    pub fn finish(mut self) -> Finished {
        thread::scope(|scope| {
            scope.spawn(|| self.receiver.stop());
            // Read during the stop, because the last gap may have to wait for room.
            while let Some(chunk) = self.out.blocking_recv() {
                self.taken.take(&chunk);
            }
        });
        let counts = self.counts();
        let Taken { records, gaps } = self.taken;
        let hidden = self.recorder.as_ref().map(|recorder| recorder.hidden().expect("the recorded trace"));
        Finished { records, gaps, counts, hidden: hidden.unwrap_or_default() }
    }
}

/// The connection of a record that is no gap.
pub fn flow(record: &Record) -> Flow {
    record.flow.expect("a flow")
}

/// What the socket's state was at a record that is no gap.
pub fn tcp(record: &Record) -> TcpSample {
    record.tcp.expect("a sample of the socket")
}

/// The skb of a record that was seen.
pub fn segment(record: &Record) -> Segment {
    record.segment.expect("a segment")
}

/// What a receiver reported, its numbers, and what the machine kept from it.
pub struct Finished {
    /// One of each event.
    pub records: Vec<Record>,
    /// What came in place of what was lost.
    pub gaps: Vec<Record>,
    pub counts: ReceiverCounts,
    pub hidden: Hidden,
}

impl Finished {
    pub fn unobserved(&self) -> u64 {
        self.counts.unobserved.iter().map(|unobserved| unobserved.events).sum()
    }

    /// Of those, hits that found their program running on the CPU. The kernel skips these. Where sockets have storage, a
    /// second program tells of them, and then they are not among these.
    pub fn recursions(&self) -> u64 {
        let recursions = self.counts.unobserved.iter().filter(|unobserved| unobserved.reason == "recursion");
        recursions.map(|unobserved| unobserved.events).sum()
    }

    /// By how many segments the counts can be short with nothing wrong. Where sockets have storage, only by what the machine
    /// hides: what no program told of when it was sent is told of at the socket's next event or end.
    pub fn shortage(&self) -> u64 {
        let has_storage = !self.counts.info.contains(&("owner", "unknown".to_owned()));
        self.hidden.segments + if has_storage { 0 } else { self.recursions() * MOST_SEGMENTS }
    }

    /// The books: every event is a record or is unobserved, and the segments of records and gaps are RetransSegs, to the
    /// last one that the kernel showed.
    pub fn assert_balanced(&self, retrans_segs: u64) {
        let Finished { records, counts, hidden, .. } = self;
        let lost = self.unobserved();
        assert_eq!(counts.seen, records.len() as u64 + lost, "{counts:?}");
        let in_gaps: u64 = self.gaps.iter().map(|gap| gap.amounts.segments).sum();
        assert_eq!((counts.gaps.records, counts.gaps.segments), (self.gaps.len() as u64, in_gaps));
        let segments = records.iter().map(|record| record.amounts.segments).sum::<u64>() + in_gaps;
        let failed = records.iter().filter(|record| record.errno().is_some()).count();
        println!(
            "    RetransSegs {retrans_segs}, segments {segments}, {in_gaps} of them in gaps, failed attempts {failed}, \
             lost {lost}, {hidden}"
        );
        assert!(segments <= retrans_segs, "{counts:?}");
        assert!(segments + self.shortage() >= retrans_segs, "{counts:?}");
    }

    /// By reason, against the kernel's own counters of it in this namespace, which began with the test. What was healed
    /// is in the socket's next record, whose reason may be another; what is unknown is somewhere in the kernel's. A gap
    /// can't tell the segments of attempts that the kernel counted and could not send, which is in none of its reasons.
    pub fn assert_reasons(&self) {
        let is_fast = |class: &Class| class.retransmit_type == RetransmitType::Fast;
        let is_slow_start = |class: &Class| class.slow_start == Some(true);
        let is_handshake = |class: &Class| class.retransmit_type == RetransmitType::Handshake;
        let is_unknown = |class: &Class| class.retransmit_type == RetransmitType::Unknown;
        let gauges = &self.counts.gauges;
        let healed =
            gauges.iter().find(|(gauge, _)| gauge.name == "healed_segments").map_or(0, |gauge| gauge.1);
        let failed: u64 = self
            .gaps
            .iter()
            .map(|gap| gap.amounts)
            .filter(|gap| gap.failures > 0)
            .map(|gap| gap.segments)
            .sum();
        let of = |is: fn(&Class) -> bool| {
            let in_gaps = self.gaps.iter().filter(|gap| is(&gap.class));
            self.segments(|record| is(&record.class)) + in_gaps.map(|gap| gap.amounts.segments).sum::<u64>()
        };
        let unknown = of(is_unknown);
        let shortage = self.shortage();
        let without = self.records.iter().filter(|r| is_unknown(&r.class) && !r.is_gap()).count();
        assert!(without * 100 <= self.records.len(), "{without} of {} records", self.records.len());
        let reasons = [
            ("TCPFastRetrans", of(is_fast)),
            ("TCPSlowStartRetrans", of(is_slow_start)),
            ("TCPSynRetrans", of(is_handshake)),
        ]
        .map(|(name, ours)| (name, netstat(name), ours));
        let compared =
            reasons.map(|(name, kernels, ours)| format!("{name} {kernels}, ours {ours}")).join("; ");
        println!("    {compared}; healed {healed}, unknown {unknown}, with failures {failed}");
        let bound = healed + unknown + failed + shortage;
        for (name, kernels, ours) in reasons {
            assert!(ours.abs_diff(kernels) <= bound, "{name}; {shortage} not shown");
        }
    }

    /// What was reported. Where some was missed, records without a reason are left out: what is found later has none.
    pub fn told(&self) -> impl Iterator<Item = &Record> {
        let missed = self.shortage() > 0;
        self.records
            .iter()
            .filter(move |record| !missed || record.class.retransmit_type != RetransmitType::Unknown)
    }

    /// Segments of the retransmissions that were sent, and that `which` chooses.
    pub fn segments(&self, which: impl Fn(&Record) -> bool) -> u64 {
        let chosen = self.records.iter().filter(|record| record.errno().is_none() && which(record));
        chosen.map(|record| record.amounts.segments).sum()
    }
}
