//! Tests of the gaps: what the kernel side counted and the reader did not get.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use proptest::prelude::*;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use super::*;

const SLOT: usize = KINDS; // CPU 1, segments
const SIZE: usize = size_of::<wire_counters>();

/// A kernel of one slot: counters in memory that is mapped as the kernel's are, and a buffer.
struct Kernel {
    memory: OwnedFd,
    counters: Counters,
    slot: wire_counters,
    buffer: VecDeque<wire_event>,
}

impl Kernel {
    fn new() -> Kernel {
        let memory = memfd_create("counters", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&memory, (2 * KINDS * SIZE).next_multiple_of(rustix::param::page_size()) as u64).unwrap();
        let counters = Counters::map(&memory, 2 * KINDS).unwrap();
        Kernel { memory, counters, slot: wire_counters::default(), buffer: VecDeque::new() }
    }

    fn publish(&self) {
        let start = std::ptr::from_ref(&self.slot).cast::<u8>();
        // SAFETY: wire_counters has no padding (asserted by its size), so all of its bytes are initialised.
        let bytes = unsafe { std::slice::from_raw_parts(start, SIZE) };
        rustix::io::pwrite(&self.memory, bytes, (SLOT * SIZE) as u64).unwrap();
    }

    /// What bpf/output.h does for an event, whose output succeeds or not.
    fn event(&mut self, reason: u8, segments: u32, failed: bool, is_sent: bool) {
        let event = wire_event {
            cpu: 1,
            sequence: self.slot.events,
            reason,
            segments,
            payload_bytes: 100,
            err: if failed { -16 } else { 0 },
            ..wire_event::default()
        };
        self.slot.events += 1;
        let class = &mut self.slot.classes[usize::from(reason)];
        class.events += 1;
        class.segments += u64::from(segments);
        if failed {
            class.failures += 1;
        } else {
            class.payload_bytes += 100;
        }
        if is_sent {
            self.buffer.push_back(event);
        } else {
            self.slot.lost[0].events += 1;
            self.slot.lost[0].segments += u64::from(segments);
        }
        self.slot.finished += 1;
        self.publish();
    }

    fn classes(&self) -> Classes {
        std::array::from_fn(|class| amounts(&self.slot.classes[class]))
    }
}

/// The reader, and what came of it: handed over, and what is in gaps.
struct Reader {
    gaps: Gaps,
    sums: Classes,
}

impl Reader {
    fn new() -> Reader {
        Reader { gaps: Gaps::new(2 * KINDS), sums: Classes::default() }
    }

    fn read(&mut self, kernel: &mut Kernel, handed: bool) {
        let Some(event) = kernel.buffer.pop_front() else { return };
        self.gaps.read(&event, handed);
        if handed {
            let failed = event.err != 0;
            self.sums[class_of(&event)] += Amounts {
                events: 1,
                segments: event.segments.into(),
                bytes: if failed { 0 } else { 100 },
                failures: failed.into(),
            };
        }
    }

    fn deliver_one(&mut self) {
        let gap = self.gaps.gap();
        if let Some(class) = gap.iter().position(|amounts| *amounts != Amounts::default()) {
            self.sums[class] += gap[class];
            self.gaps.delivered(class);
        }
    }

    fn deliver(&mut self) -> Classes {
        let gap = self.gaps.gap();
        for (class, amounts) in
            gap.into_iter().enumerate().filter(|(_, amounts)| *amounts != Amounts::default())
        {
            self.sums[class] += amounts;
            self.gaps.delivered(class);
        }
        self.gaps.close();
        gap
    }
}

#[test]
fn what_found_no_room_comes_back_once_all_before_it_is_read() {
    let (mut kernel, mut reader) = (Kernel::new(), Reader::new());
    kernel.event(1, 3, false, true);
    kernel.event(3, 20, false, false);
    kernel.event(3, 5, true, false);
    reader.gaps.look(&kernel.counters);
    assert_eq!(reader.gaps.gap(), Classes::default(), "one event is still in the buffer");

    kernel.event(1, 7, false, true); // after the snapshot
    reader.read(&mut kernel, true);
    reader.read(&mut kernel, true);
    let gap = reader.deliver();
    assert_eq!(gap[3], Amounts { events: 2, segments: 25, bytes: 100, failures: 1 });
    assert_eq!(gap.iter().filter(|amounts| **amounts != Amounts::default()).count(), 1);
    assert_eq!(reader.deliver(), Classes::default(), "once");
    assert!(!reader.gaps.look(&kernel.counters));
    assert_eq!(reader.deliver(), Classes::default());
    assert_eq!(reader.sums, kernel.classes());
}

#[test]
fn what_the_channel_refused_comes_back_too() {
    let (mut kernel, mut reader) = (Kernel::new(), Reader::new());
    kernel.event(2, 4, false, true);
    reader.read(&mut kernel, false);
    reader.gaps.look(&kernel.counters);
    assert_eq!(reader.deliver()[2].segments, 4);
    assert_eq!(reader.sums, kernel.classes());
}

#[test]
fn an_event_under_way_makes_no_snapshot() {
    let (mut kernel, mut reader) = (Kernel::new(), Reader::new());
    kernel.event(1, 1, false, false);
    kernel.slot.events += 1; // begun, and nothing else yet
    kernel.publish();
    assert!(reader.gaps.look(&kernel.counters), "it is known all the same");
    assert_eq!(reader.deliver(), Classes::default());
    kernel.slot.finished += 1;
    kernel.slot.lost[1].events += 1;
    kernel.publish();
    reader.gaps.look(&kernel.counters);
    assert_eq!(reader.deliver()[1].segments, 1);
}

#[test]
fn the_last_look_takes_what_never_came() {
    let (mut kernel, mut reader) = (Kernel::new(), Reader::new());
    kernel.event(1, 2, false, true);
    kernel.event(1, 3, false, true);
    reader.read(&mut kernel, true);
    kernel.buffer.clear();
    reader.gaps.look_last(&kernel.counters);
    assert_eq!(reader.deliver()[1].segments, 3);
}

#[test]
fn the_end_of_a_socket_is_no_event() {
    let (kernel, mut reader) = (Kernel::new(), Reader::new());
    let mut slot = wire_counters { events: 1, finished: 1, ..wire_counters::default() };
    slot.classes[0] = wire_class { events: 1, segments: 6, ..wire_class::default() };
    slot.lost[0].events = 1;
    let start = std::ptr::from_ref(&slot).cast::<u8>();
    // SAFETY: as in Kernel::publish.
    let bytes = unsafe { std::slice::from_raw_parts(start, SIZE) };
    let unseen = wire_kind::KIND_UNSEEN.0 as usize;
    rustix::io::pwrite(&kernel.memory, bytes, (unseen * SIZE) as u64).unwrap();
    reader.gaps.look(&kernel.counters);
    assert_eq!(reader.deliver()[0], Amounts { segments: 6, ..Amounts::default() });
}

#[derive(Clone, Debug)]
enum Step {
    Event {
        reason: u8,
        segments: u32,
        failed: bool,
        is_sent: bool,
    },
    Read {
        handed: bool,
    },
    Look,
    Deliver,
    /// There is room for one class.
    DeliverOne,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..7u8, 0..30u32, any::<bool>(), any::<bool>())
            .prop_map(|(reason, segments, failed, is_sent)| Step::Event { reason, segments, failed, is_sent }),
        4 => any::<bool>().prop_map(|handed| Step::Read { handed }),
        1 => Just(Step::Look),
        1 => Just(Step::Deliver),
        1 => Just(Step::DeliverOne),
    ]
}

proptest! {
    /// In whatever order it happens: never more than the kernel counted, and in the end exactly that.
    #[test]
    fn the_sums_are_the_kernels(steps in proptest::collection::vec(step(), 0..200)) {
        let (mut kernel, mut reader) = (Kernel::new(), Reader::new());
        for step in steps {
            match step {
                Step::Event { reason, segments, failed, is_sent } => kernel.event(reason, segments, failed, is_sent),
                Step::Read { handed } => reader.read(&mut kernel, handed),
                Step::Look => {
                    let is_missing = reader.gaps.look(&kernel.counters);
                    let has_all = kernel.buffer.is_empty() && reader.sums == kernel.classes();
                    prop_assert!(is_missing || !kernel.buffer.is_empty() || has_all, "it would sleep over a gap");
                }
                Step::Deliver => drop(reader.deliver()),
                Step::DeliverOne => reader.deliver_one(),
            }
            for (sum, counted) in reader.sums.iter().zip(kernel.classes()) {
                prop_assert!(sum.events <= counted.events && sum.segments <= counted.segments, "{sum:?} {counted:?}");
            }
        }
        while !kernel.buffer.is_empty() {
            reader.read(&mut kernel, true);
        }
        reader.gaps.look_last(&kernel.counters);
        reader.deliver();
        prop_assert_eq!(reader.sums, kernel.classes());
    }
}
