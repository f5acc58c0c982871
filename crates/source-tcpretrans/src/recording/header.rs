//! A recording's header: where and when it was made, and by which wire.

use std::fs;

use crate::wall_clock::WallClock;
use crate::wire;

/// Written in the recorder's byte order: 01 02 03 04 where that is little-endian.
const BYTE_ORDER: u32 = 0x0403_0201;

/// What is needed to decode a recording's events elsewhere, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`wire::VERSION`] of the recorder.
    pub wire_version: u32,
    /// [`wire::EVENT_SIZE`] of the recorder, in bytes.
    pub event_size: u32,
    /// In the recorder's byte order; [`Header::is_native`].
    pub(super) byte_order: [u8; 4],
    /// Wall time minus boot time when the recording began, in ns.
    pub wall_offset_ns: i64,
    /// Boot time when the recording began, in ns.
    pub boot_time_ns: u64,
    /// The host's boot id; a boot-time stamp means something only beside it.
    pub boot_id: String,
    /// The kernel's release, as `uname -r` prints it.
    pub kernel_release: String,
}

impl Header {
    /// The header of a recording that begins here and now.
    pub fn here() -> Header {
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let clock = WallClock::sample();
        Header {
            wire_version: wire::VERSION,
            event_size: wire::EVENT_SIZE as u32,
            byte_order: BYTE_ORDER.to_ne_bytes(),
            wall_offset_ns: clock.offset_ns(),
            boot_time_ns: clock.boot_time_ns(),
            boot_id: boot_id.trim().to_owned(),
            kernel_release: rustix::system::uname().release().to_string_lossy().into_owned(),
        }
    }

    /// Whether its events are in this machine's byte order.
    pub fn is_native(&self) -> bool {
        self.byte_order == BYTE_ORDER.to_ne_bytes()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.wire_version.to_le_bytes());
        bytes.extend(self.event_size.to_le_bytes());
        bytes.extend(self.byte_order);
        bytes.extend(self.wall_offset_ns.to_le_bytes());
        bytes.extend(self.boot_time_ns.to_le_bytes());
        for text in [&self.boot_id, &self.kernel_release] {
            // The kernel's own are shorter than 65 bytes.
            let text = &text.as_bytes()[..text.len().min(usize::from(u8::MAX))];
            bytes.extend((text.len() as u16).to_le_bytes());
            bytes.extend(text);
        }
        bytes
    }

    /// `None` where the bytes are something else.
    pub(super) fn from_bytes(mut bytes: &[u8]) -> Option<Header> {
        let rest = &mut bytes;
        let header = Header {
            wire_version: u32::from_le_bytes(take(rest)?),
            event_size: u32::from_le_bytes(take(rest)?),
            byte_order: take(rest)?,
            wall_offset_ns: i64::from_le_bytes(take(rest)?),
            boot_time_ns: u64::from_le_bytes(take(rest)?),
            boot_id: text(rest)?,
            kernel_release: text(rest)?,
        };
        rest.is_empty().then_some(header)
    }
}

/// Takes so many bytes off the front.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = u16::from_le_bytes(take(bytes)?);
    let (text, rest) = bytes.split_at_checked(length.into())?;
    *bytes = rest;
    Some(String::from_utf8_lossy(text).into_owned())
}
