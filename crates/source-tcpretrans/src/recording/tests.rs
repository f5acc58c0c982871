//! Round trips, and whatever can happen to a file.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::format::{HEAD, MAGIC};
use super::*;
use crate::convert::decode;
use crate::skeleton::types::{wire_event, wire_kind};
use crate::wire;

const SIZE: usize = wire::EVENT_SIZE;

/// Bytes and offsets.
type Events = Vec<(Vec<u8>, i64)>;

fn header() -> Header {
    Header { wall_offset_ns: 1000, boot_time_ns: 77, ..Header::here() }
}

/// A recording of these events, each with its offset.
fn recording(events: &[(Vec<u8>, i64)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, &header());
    for (bytes, wall_offset_ns) in events {
        writer.event(bytes, *wall_offset_ns).unwrap();
    }
    writer.finish(events.len() as u64 + 3).unwrap();
    assert_eq!(writer.written(), events.len() as u64);
    file
}

/// Should the decoder take it?
fn is_event(bytes: &[u8]) -> bool {
    const KIND: usize = std::mem::offset_of!(wire_event, kind);
    const FAMILY: usize = std::mem::offset_of!(wire_event, family);
    bytes.len() >= SIZE
        && u32::from(bytes[KIND]) < wire_kind::KINDS.0
        && matches!(u16::from_ne_bytes([bytes[FAMILY], bytes[FAMILY + 1]]), 2 | 10)
}

/// Reads all that can be read, and decodes it.
fn read(file: &[u8]) -> Result<(Events, Option<Tear>), Unfit> {
    let mut reader = Reader::new(file)?;
    let mut events = Vec::new();
    let tear = loop {
        match reader.next_event() {
            Ok(Some(event)) => {
                let decoded = decode(event.bytes, event.wall_offset_ns);
                assert_eq!(decoded.is_ok(), is_event(event.bytes));
                events.push((event.bytes.to_vec(), event.wall_offset_ns));
            }
            Ok(None) => break None,
            Err(tear) => break Some(tear),
        }
    };
    assert_eq!(reader.events(), events.len() as u64);
    assert!(reader.next_event().unwrap().is_none(), "it goes on behind its end");
    Ok((events, tear))
}

fn three() -> Events {
    vec![(vec![0; SIZE], 1000), (vec![1; SIZE + 4], 1000), (vec![2; 5], -7)]
}

fn problem(file: &[u8]) -> String {
    read(file).unwrap_err().to_string()
}

/// Where each record ends.
fn ends(file: &[u8]) -> Vec<usize> {
    let mut ends = vec![MAGIC.len() + 4];
    while let Some(head) = file.get(*ends.last().unwrap()..).filter(|rest| !rest.is_empty()) {
        let length = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
        ends.push(ends.last().unwrap() + HEAD + length);
    }
    ends
}

#[test]
fn what_was_written_is_read() {
    let file = recording(&three());
    let (events, tear) = read(&file).unwrap();
    assert!(tear.is_none(), "{tear:?}");
    assert_eq!(events, three());
    let mut reader = Reader::new(file.as_slice()).unwrap();
    assert_eq!(*reader.header(), header());
    assert_eq!(reader.header().boot_id.len(), 36, "{:?}", reader.header());
    while reader.next_event().unwrap().is_some() {}
    assert_eq!(reader.lost(), 3);
}

#[test]
fn another_file_or_version_is_refused_with_what_was_expected() {
    assert!(
        problem(b"receivers:\n").starts_with("not a recording: expected it to begin with [89, 4f, 54, 52,")
    );
    assert!(problem(b"").ends_with("found []"));
    let mut file = recording(&three());
    file[8] = 2;
    assert_eq!(problem(&file), "a recording of format version 2; expected version 1");
    let other = |header: &Header| {
        let mut file = Vec::new();
        Writer::new(&mut file, header).finish(0).unwrap();
        problem(&file)
    };
    let (wire, size) = (wire::VERSION, SIZE);
    assert_eq!(
        other(&Header { wire_version: wire + 1, ..header() }),
        format!(
            "a recording of wire version {} with events of {size} bytes; expected version {wire} with {size} bytes",
            wire + 1
        )
    );
    assert!(other(&Header { event_size: 64, ..header() }).contains("with events of 64 bytes"));
    let reversed = Header { byte_order: header().byte_order.map(u8::reverse_bits), ..header() };
    assert_eq!(other(&reversed), "a recording from a machine of the other byte order");
}

#[test]
fn a_file_cut_off_anywhere_is_read_up_to_there() {
    let file = recording(&three());
    let ends = ends(&file);
    assert_eq!(*ends.last().unwrap(), file.len());
    for length in 0..file.len() {
        let Ok((events, tear)) = read(&file[..length]) else {
            assert!(length < ends[1], "refused at {length}");
            continue;
        };
        let tear = tear.unwrap();
        let whole = ends.iter().rfind(|end| **end <= length).unwrap();
        assert_eq!(tear.offset, *whole as u64, "at {length}: {tear}");
        assert_eq!(matches!(tear.damage, Damage::NoEnd), *whole == length, "at {length}: {tear}");
        assert!(matches!(tear.damage, Damage::NoEnd | Damage::Truncated));
        assert_eq!(events, three()[..events.len()]);
        // header, event, event, clock, event, end
        let expected = [3, 4, 6].iter().filter(|&&record| ends[record - 1] <= length).count();
        assert_eq!(events.len(), expected, "at {length}");
    }
}

#[test]
fn what_follows_the_end_is_a_tear() {
    let mut file = recording(&three());
    let length = file.len() as u64;
    file.push(0);
    let (events, tear) = read(&file).unwrap();
    let tear = tear.unwrap();
    assert_eq!(events, three());
    assert!(matches!(tear, Tear { offset, damage: Damage::AfterEnd } if offset == length), "{tear}");
}

fn events() -> impl Strategy<Value = Events> {
    let bytes = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), SIZE..=SIZE + 8),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ];
    prop::collection::vec((bytes, any::<i64>()), 0..20)
}

proptest! {
    #[test]
    fn any_events_come_back(events in events()) {
        let (read, tear) = read(&recording(&events)).unwrap();
        prop_assert!(tear.is_none());
        prop_assert_eq!(read, events);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), offset: i64) {
        prop_assert_eq!(decode(&bytes, offset).is_ok(), is_event(&bytes));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000), behind: bool) {
        let mut file = if behind { recording(&[])[..12].to_vec() } else { Vec::new() };
        file.extend(bytes);
        let _ = read(&file);
    }

    /// What was before the first changed byte is read as it was, and nothing that was not written is.
    #[test]
    fn a_changed_file_is_read_up_to_the_change(
        events in events(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..4),
    ) {
        let whole = recording(&events);
        let mut file = whole.clone();
        for (index, change) in changes {
            file[index.index(whole.len())] ^= change;
        }
        let Some(first) = file.iter().zip(&whole).position(|(a, b)| a != b) else { return Ok(()) };
        if let Ok((read, tear)) = read(&file) {
            let offset = tear.unwrap().offset;
            prop_assert!(offset <= first as u64, "{offset} {first}");
            prop_assert_eq!(&read[..], &events[..read.len()]);
            let before = ends(&whole).into_iter().rfind(|end| *end <= first).unwrap();
            prop_assert_eq!(offset, before as u64);
        }
    }
}
