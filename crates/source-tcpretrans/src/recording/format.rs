//! The format's numbers, which reader and writer share.

/// What every recording begins with. It is no text, and a transfer that changes line ends damages it.
pub(super) const MAGIC: [u8; 8] = *b"\x89OTR\r\n\x1a\n";
/// Version of the format.
pub(super) const VERSION: u32 = 1;
/// Bytes of a record before its payload.
pub(super) const HEAD: usize = 12;
/// Bytes of those that the checksum covers.
pub(super) const HEAD_SUMMED: usize = 8;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Header = 1,
    Event = 2,
    Clock = 3,
    End = 4,
}

impl Kind {
    pub(super) fn of(number: u8) -> Option<Kind> {
        [Kind::Header, Kind::Event, Kind::Clock, Kind::End].into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A record's checksum.
pub(super) fn checksum(head: &[u8; HEAD_SUMMED], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}
