//! A receiver that runs during a test, and all that it said when it has stopped.

use std::thread;
use std::time::Duration;

use otel_tcpretrans_pipeline::books::ReceiverCounts;
use otel_tcpretrans_pipeline::component::Receiver;
use otel_tcpretrans_pipeline::flow::{FlowRecord, RetransmitType, flow_record};
use otel_tcpretrans_pipeline::raw::{Raw, RawEvent, RawGap, RawKind, RawReason};
use otel_tcpretrans_source::Tcpretrans;
use otel_tcpretrans_source::config::{Config, Hook, Scope, Transport};
use tokio::sync::mpsc;

use crate::support::hidden::{Hidden, MOST_SEGMENTS, Recorder};
use crate::support::namespace::{netstat, wait_for};

/// For this thread's network namespace alone, with a channel that takes everything.
pub fn own(hook: Hook, transport: Transport) -> Config {
    Config { hook, transport, scope: Scope::Netns, channel_capacity: 1 << 20, ..Config::default() }
}

/// A receiver that runs, and the other end of its channel.
pub struct Running {
    pub receiver: Tcpretrans,
    pub events: mpsc::Receiver<Raw>,
    taken: Vec<RawEvent>,
    gaps: Vec<RawGap>,
    recorder: Option<Recorder>,
}

impl Running {
    pub fn start(config: Config) -> Running {
        let recorder =
            Recorder::start().inspect_err(|error| println!("    nothing is taken for hidden: {error}")).ok();
        let mut receiver = Tcpretrans::new(config);
        let (out, events) = mpsc::channel(receiver.channel_capacity());
        receiver.start(out).expect("start");
        Running { receiver, events, taken: Vec::new(), gaps: Vec::new(), recorder }
    }

    pub fn counts(&self) -> ReceiverCounts {
        self.receiver.probe()()
    }

    /// Waits until what it has reported is `enough`.
    pub fn wait_until(&mut self, what: &str, within: Duration, enough: impl Fn(&[FlowRecord]) -> bool) {
        let mut records = Vec::new();
        wait_for(what, within, || {
            self.take();
            let new = self.taken[records.len()..].iter();
            records.extend(new.map(|event| flow_record(event).expect("IPv4 or IPv6")));
            enough(&records)
        });
    }

    /// Stops it.
    pub fn finish(mut self) -> Finished {
        thread::scope(|scope| {
            scope.spawn(|| self.receiver.stop());
            // Meanwhile, for the last gap may have to wait for room.
            while let Some(raw) = self.events.blocking_recv() {
                match raw {
                    Raw::Event(event) => self.taken.push(event),
                    Raw::Gap(gap) => self.gaps.push(gap),
                }
            }
        });
        let counts = self.counts();
        let (events, gaps) = (self.taken, self.gaps);
        let records = events.iter().map(|event| flow_record(event).expect("IPv4 or IPv6")).collect();
        let hidden = self.recorder.as_ref().map(|recorder| recorder.hidden().expect("the recorded trace"));
        Finished { events, records, gaps, counts, hidden: hidden.unwrap_or_default() }
    }

    fn take(&mut self) {
        while let Ok(raw) = self.events.try_recv() {
            match raw {
                Raw::Event(event) => self.taken.push(event),
                Raw::Gap(gap) => self.gaps.push(gap),
            }
        }
    }
}

/// What a receiver reported, its numbers, and what the machine kept from it.
pub struct Finished {
    pub events: Vec<RawEvent>,
    /// Made of `events`, one of each.
    pub records: Vec<FlowRecord>,
    /// What came in place of what was lost.
    pub gaps: Vec<RawGap>,
    pub counts: ReceiverCounts,
    pub hidden: Hidden,
}

impl Finished {
    pub fn unobserved(&self) -> u64 {
        self.counts.unobserved.iter().map(|unobserved| unobserved.events).sum()
    }

    /// Of those, hits that found a program running on their CPU. It is the kernel that skips them: nobody can avoid it, and
    /// as a rule the socket's next event makes them good.
    pub fn recursions(&self) -> u64 {
        let recursions = self.counts.unobserved.iter().filter(|unobserved| unobserved.reason == "recursion");
        recursions.map(|unobserved| unobserved.events).sum()
    }

    /// By how many segments the counts can be short with nothing wrong.
    pub fn shortage(&self) -> u64 {
        self.hidden.segments + self.recursions() * MOST_SEGMENTS
    }

    /// The books: every event is a record or is unobserved, and the segments of records and gaps are RetransSegs, to the
    /// last one that the kernel showed.
    pub fn assert_balanced(&self, retrans_segs: u64) {
        let Finished { records, counts, hidden, .. } = self;
        let lost = self.unobserved();
        assert_eq!(counts.seen, records.len() as u64 + lost, "{counts:?}");
        let in_gaps: u64 = self.gaps.iter().map(|gap| gap.segments).sum();
        assert_eq!((counts.healed.records, counts.healed.segments), (self.gaps.len() as u64, in_gaps));
        let segments = records.iter().map(|record| u64::from(record.segments)).sum::<u64>() + in_gaps;
        let failed = records.iter().filter(|record| record.errno.is_some()).count();
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
        use RawReason::{Fast, SlowStart, Syn, SynAck, Unknown};
        let gauges = &self.counts.gauges;
        let healed = gauges.iter().find(|(name, ..)| *name == "healed_segments").map_or(0, |gauge| gauge.2);
        let failed: u64 = self.gaps.iter().filter(|gap| gap.failures > 0).map(|gap| gap.segments).sum();
        let of = |reasons: &[RawReason]| {
            let in_gaps = self.gaps.iter().filter(|gap| reasons.contains(&gap.reason));
            self.segments(|event, _| reasons.contains(&event.reason))
                + in_gaps.map(|gap| gap.segments).sum::<u64>()
        };
        let unknown = of(&[Unknown]);
        let shortage = self.shortage();
        let without = self.events.iter().filter(|e| e.reason == Unknown && e.kind != RawKind::Unseen).count();
        assert!(without * 100 <= self.records.len(), "{without} of {} records", self.records.len());
        let reasons = [
            ("TCPFastRetrans", of(&[Fast])),
            ("TCPSlowStartRetrans", of(&[SlowStart])),
            ("TCPSynRetrans", of(&[Syn, SynAck])),
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

    /// What was reported, but for what has no reason where some was missed: it may be found later, without one.
    pub fn told(&self) -> impl Iterator<Item = (&RawEvent, &FlowRecord)> {
        let missed = self.shortage() > 0;
        let all = self.events.iter().zip(&self.records);
        all.filter(move |(_, record)| !missed || record.retransmit_type != RetransmitType::Unknown)
    }

    /// Segments of the retransmissions that were sent, and that `which` chooses.
    pub fn segments(&self, which: impl Fn(&RawEvent, &FlowRecord) -> bool) -> u64 {
        let all = self.events.iter().zip(&self.records);
        let chosen = all.filter(|(event, record)| record.errno.is_none() && which(event, record));
        chosen.map(|(_, record)| u64::from(record.segments)).sum()
    }
}
