//! The receiver without a graph: what comes out of its channel, when, and how it ends.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::mem::offset_of;
use std::path::Path;
use std::time::{Duration, Instant};

use otel_tcpretrans_pipeline::chunk;

use super::*;
use crate::recording::{Header, Writer};
use crate::skeleton::types::wire_event;
use crate::wire;

/// Bytes of an IPv4 event at a boot time, with zeros otherwise.
fn event(boot_time_ns: u64) -> Vec<u8> {
    of_family(2, boot_time_ns, 0)
}

fn of_family(family: u16, boot_time_ns: u64, segments: u32) -> Vec<u8> {
    let mut bytes = vec![0; wire::EVENT_SIZE];
    let mut set = |offset: usize, value: &[u8]| bytes[offset..][..value.len()].copy_from_slice(value);
    set(offset_of!(wire_event, boot_time_ns), &boot_time_ns.to_ne_bytes());
    set(offset_of!(wire_event, family), &family.to_ne_bytes());
    set(offset_of!(wire_event, segments), &segments.to_ne_bytes());
    bytes
}

/// Writes a recording and says how the events' offsets are: the number of the event.
fn record(path: &Path, events: &[Vec<u8>], lost: u64) {
    let mut writer = Writer::new(fs::File::create(path).unwrap(), &Header::here());
    for (number, bytes) in events.iter().enumerate() {
        writer.event(bytes, number as i64).unwrap();
    }
    writer.finish(events.len() as u64 + lost).unwrap();
}

fn config(path: &Path) -> Config {
    Config { file: path.to_owned(), speed: Speed::Max, repeat: false }
}

fn start(config: Config, capacity: usize) -> (Replay, Events) {
    let mut replay = Replay::new(config);
    let (out, chunks) = chunk::channel(capacity);
    replay.start(out).unwrap();
    (replay, Events { chunks, begun: Vec::new().into_iter() })
}

/// The records that come out of the channel, one by one.
struct Events {
    chunks: chunk::Receiver<Record>,
    /// What is left of the chunk that came last.
    begun: std::vec::IntoIter<Record>,
}

impl Iterator for Events {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if let Some(record) = self.begun.next() {
            return Some(record);
        }
        self.begun = self.chunks.blocking_recv()?.to_vec().into_iter();
        self.next()
    }
}

/// The wall-clock time of the next record.
fn next(events: &mut Events) -> Option<u64> {
    events.next().map(|record| record.time_unix_nano)
}

fn unobserved(counts: &ReceiverCounts) -> Vec<(&str, &str, u64)> {
    counts.unobserved.iter().map(|u| (u.place, u.reason, u.events)).collect()
}

#[test]
fn everything_comes_through_a_channel_for_one_and_then_it_has_finished() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let mut recorded: Vec<_> = (0..100).map(event).collect();
    recorded.push(vec![1; 7]);
    recorded.push(vec![0xff; wire::EVENT_SIZE]);
    recorded.extend([of_family(1, 0, 20), of_family(1, 0, 1)]);
    record(&file, &recorded, 5);
    let (replay, mut events) = start(config(&file), 1);
    for number in 0..100 {
        assert_eq!(next(&mut events), Some(2 * number), "boot time and offset");
    }
    assert_eq!(events.next(), None);
    assert!(replay.has_finished());
    let counts = replay.probe()();
    assert_eq!(counts.seen, 109);
    let lost = [
        ("recording", "lost", 5),
        ("decode", "truncated", 1),
        ("decode", "unknown_kind", 1),
        ("flow", "unknown_family", 2),
    ];
    assert_eq!(unobserved(&counts), lost);
    assert_eq!(counts.unobserved[3].segments, Some(21));
}

#[test]
fn a_torn_file_is_played_to_its_tear_and_that_is_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    record(&file, &[event(1), event(2)], 0);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 29]).unwrap();
    let (replay, mut events) = start(config(&file), 8);
    assert_eq!(next(&mut events), Some(1));
    assert_eq!(events.next(), None);
    assert!(replay.has_finished());
    assert_eq!(replay.probe()().seen, 1);
}

#[test]
fn a_stop_ends_it_wherever_it_waits_and_it_has_not_finished() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let year = Duration::from_secs(365 * 86400).as_nanos() as u64;
    record(&file, &[event(1), event(year)], 0);
    // For room, for ever; for the second event's moment; in the middle of an endless loop.
    for (speed, repeat, capacity) in
        [(Speed::Max, true, 1), (Speed::Realtime, false, 8), (Speed::Max, true, 8)]
    {
        let (mut replay, mut events) = start(Config { speed, repeat, ..config(&file) }, capacity);
        assert!(events.next().is_some());
        replay.stop();
        replay.stop();
        assert!(!replay.has_finished());
        let mut received = 1;
        while events.next().is_some() {
            received += 1;
        }
        assert_eq!(replay.probe()().seen, received);
    }
}

#[test]
fn in_real_time_the_pauses_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let ms = 1_000_000;
    // The second is of another CPU and a little older.
    record(&file, &[event(500 * ms), event(499 * ms), event(560 * ms)], 0);
    let began = Instant::now();
    let (replay, mut events) = start(Config { speed: Speed::Realtime, ..config(&file) }, 8);
    while events.next().is_some() {}
    assert!(began.elapsed() >= Duration::from_millis(60), "{:?}", began.elapsed());
    assert!(replay.has_finished());
}

#[test]
fn it_loops_and_an_empty_recording_ends_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    record(&file, &[event(1), event(2)], 1);
    let (replay, mut events) = start(Config { repeat: true, ..config(&file) }, 1);
    for number in [1, 2 + 1, 1, 2 + 1, 1] {
        assert_eq!(next(&mut events), Some(number));
    }
    drop(replay);
    record(&file, &[], 0);
    let (replay, mut events) = start(Config { repeat: true, ..config(&file) }, 1);
    assert_eq!(events.next(), None);
    assert!(replay.has_finished());
}

#[test]
fn what_is_no_recording_is_a_matter_of_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let refusal = || match Replay::new(config(&file)).start(chunk::channel(1).0) {
        Err(ReceiverError::Configuration(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(), format!("file: {}: No such file or directory (os error 2)", file.display()));
    fs::write(&file, "foreign").unwrap();
    assert!(refusal().contains("not a recording: expected"));
    assert!(
        Config { file: "".into(), ..config(&file) }.validate().iter().any(|problem| problem.path == "file")
    );
}
