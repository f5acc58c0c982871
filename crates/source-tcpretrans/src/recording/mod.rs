//! Recordings: events in a file, as the kernel sent them, with what decoding them elsewhere takes.
//!
//! ```text
//! file     magic      8 bytes   89 'O' 'T' 'R' 0d 0a 1a 0a
//!          version    u32       of this format, 1
//!          record     the header
//!          record …   events and clocks
//!          record     the end
//!
//! record   length     u32       of the payload, in bytes, at most 65535
//!          kind       u8        1 header, 2 event, 3 clock, 4 end
//!          reserved   3 bytes   0
//!          checksum   u32       CRC-32 (IEEE 802.3) of the 8 bytes before and of the payload
//!          payload    length
//!
//! header   u32 wire version, u32 bytes of an event, 4 bytes 0x04030201 in the byte order of the events,
//!          i64 wall time minus boot time in ns, u64 boot time in ns when the recording began,
//!          string boot id (/proc/sys/kernel/random/boot_id), string kernel release; a string is u16 bytes, UTF-8
//! event    what the kernel sent: a `struct wire_event` (bpf/wire.h) and what a perf buffer pads it with
//! clock    i64 wall time minus boot time in ns, of the events from here on
//! end      u64 events in the file, u64 events that the kernel counted meanwhile: the rest was lost
//! ```
//!
//! All numbers but those inside an event are little-endian. Every change raises the version, also an additional kind
//! of record. A file is only ever appended to, so that it is whole up to its first record that is not: the tear. One
//! without its end record was cut off.

mod format;
mod header;
mod reader;
mod writer;

pub use header::Header;
pub use reader::{Damage, OpenError, Reader, Tear, Unfit, WireEvent};
pub use writer::Writer;

#[cfg(test)]
mod tests;
