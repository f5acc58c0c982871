//! The wire's bytes -> the wire's event. The layout is that of bpf/wire.h, seen through the skeleton: it is written down
//! there only.

use std::mem::{offset_of, size_of};

use crate::skeleton::types::{wire_config, wire_counters, wire_event, wire_version};

// The same assertions as in bpf/wire.h: both compilers see the same layout.
const _: () = assert!(size_of::<wire_event>() == 160);
const _: () = assert!(size_of::<wire_counters>() == 616);
const _: () = assert!(size_of::<wire_config>() == 24);
const _: () = assert!(offset_of!(wire_event, unknown) == 148);

/// The wire's event and the words for its numbers, for benches and tests.
#[doc(hidden)]
pub use crate::skeleton::types::{wire_event as Event, wire_kind as Kind, wire_reason as Reason};

/// Version of the wire. An event of another version can't be decoded.
pub const VERSION: u32 = wire_version::WIRE_VERSION.0;
/// Size of an event, in bytes.
pub const EVENT_SIZE: usize = size_of::<wire_event>();

/// Copies an event out of a buffer; `None` if there are too few bytes. The event may start at any address, and more bytes
/// than it has may follow: perf pads its records to 8 bytes.
pub(crate) fn read(bytes: &[u8]) -> Option<wire_event> {
    if bytes.len() < EVENT_SIZE {
        return None;
    }
    // SAFETY: the slice is at least as long as wire_event, which holds integers only, so that any bytes are a valid
    // value; read_unaligned asks for no alignment.
    Some(unsafe { bytes.as_ptr().cast::<wire_event>().read_unaligned() })
}

/// The bytes of an event, as the kernel sends them. For benches and tests, which make events of their own.
#[doc(hidden)]
pub fn to_bytes(event: &Event) -> &[u8] {
    let start = std::ptr::from_ref(event).cast::<u8>();
    // SAFETY: wire_event has no padding (asserted by its size), so all of its bytes are initialised. They live as long as
    // the event that they are borrowed from.
    unsafe { std::slice::from_raw_parts(start, EVENT_SIZE) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn event() -> wire_event {
        wire_event { segments: 3, err: -16, cgroup_id: 5, netns_inode: 7, ..wire_event::default() }
    }

    #[test]
    fn reads_at_any_alignment_and_with_padding() {
        let mut padded = vec![0xff; 3];
        padded.extend(to_bytes(&event()));
        padded.extend([0xff; 8]);
        let event = read(&padded[3..]).unwrap();
        assert_eq!((event.segments, event.err, event.cgroup_id, event.netns_inode), (3, -16, 5, 7));
    }

    #[test]
    fn fewer_bytes_are_no_event() {
        let event = event();
        let whole = to_bytes(&event);
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_none(), "{length}");
        }
    }
}
