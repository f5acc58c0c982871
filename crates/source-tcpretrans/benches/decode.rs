//! How many events per second one core makes records of, and how many allocations that takes.
//!
//! The events are those of the tests' recording, repeated in memory so often that they do not fit into the nearest caches.

#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[path = "../tests/support/counting.rs"]
mod counting;
#[path = "../../../benches/report/mod.rs"]
mod report;

use std::hint::black_box;
use std::time::Duration;

use counting::allocations_in;
use otel_tcpretrans_source::recording::{Reader, Writer};
use otel_tcpretrans_source::{decode, wire};
use report::{Limit, Section, median};
use rustix::time::{ClockId, clock_gettime};

const RECORDING: &[u8] = include_bytes!("../../../tests/replay/retransmits.otr");
const EVENTS: usize = 500_000;
const ROUNDS: usize = 15;

/// Events as they come from the kernel, each with its clock offset.
type Events = Vec<(Vec<u8>, i64)>;

fn main() -> std::io::Result<()> {
    let few = events();
    // One after the other, as in a ring buffer.
    let bytes: Vec<u8> =
        few.iter().flat_map(|(bytes, _)| bytes).copied().cycle().take(EVENTS * wire::EVENT_SIZE).collect();
    let offset = few[0].1;
    let mut recording = Vec::new();
    let mut writer = Writer::new(&mut recording, Reader::new(RECORDING).unwrap().header());
    for (bytes, offset) in few.iter().cycle().take(EVENTS) {
        writer.event(bytes, *offset)?;
    }
    writer.finish(EVENTS as u64)?;

    let mut section = Section::new("Decoding and converting, one core", &["allocations/event"]);
    let mut row = |name: &str, pass: &dyn Fn()| {
        let allocations = allocations_in(pass) as f64 / EVENTS as f64;
        let rounds: Vec<_> = (0..ROUNDS).map(|_| millions_a_second(pass)).collect();
        section.row(name, "million/s", &rounds, &[Some(allocations)]);
        (median(&rounds), allocations)
    };
    row("wire -> record", &|| {
        let (events, _) = bytes.as_chunks::<{ wire::EVENT_SIZE }>();
        events.iter().for_each(|event| to_record(event, offset));
    });
    let (speed, allocations) = row("recording (checksums too) -> record", &|| {
        let mut reader = Reader::new(recording.as_slice()).unwrap();
        while let Some(event) = reader.next_event().unwrap() {
            to_record(event.bytes, event.wall_offset_ns);
        }
    });
    section.bound("recording -> record", speed, Limit::AtLeast(5.0), "million events/s");
    // A reader allocates its buffers once.
    section.bound("allocations per event", allocations.round(), Limit::AtMost(0.0), "");
    section.finish("decode")
}

fn events() -> Events {
    let mut reader = Reader::new(RECORDING).unwrap();
    let mut events = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        assert_eq!(event.bytes.len(), wire::EVENT_SIZE, "recorded from a ring buffer, without padding");
        events.push((event.bytes.to_vec(), event.wall_offset_ns));
    }
    events
}

fn to_record(event: &[u8], wall_offset_ns: i64) {
    black_box(decode(black_box(event), wall_offset_ns).unwrap());
}

fn millions_a_second(pass: impl Fn()) -> f64 {
    let start = core_time();
    pass();
    EVENTS as f64 / 1e6 / (core_time() - start).as_secs_f64()
}

/// Time that this thread had a core, without the time that other programs had it.
fn core_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
