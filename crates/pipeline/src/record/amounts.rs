//! The amounts of a record, which the sums add up.

use std::ops::AddAssign;

/// How much one record stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Number of retransmissions, each of one skb. Includes those that the kernel failed to send. It is 0 for segments
    /// that were found without their skb.
    pub events: u64,
    /// Number of segments, as the kernel counts them (RetransSegs): under GSO one skb is many segments. Includes
    /// segments of the socket's earlier retransmissions that were not seen. It is 0 for an attempt that the kernel did
    /// not count.
    pub segments: u64,
    /// TCP payload that was sent, in bytes. Failed attempts add nothing.
    pub bytes: u64,
    /// Number of retransmissions that the kernel failed to send.
    pub failures: u64,
}

impl Amounts {
    /// Number of skbs that were sent.
    pub fn sent(&self) -> u64 {
        self.events.saturating_sub(self.failures)
    }

    /// What is left after `other` has been taken away. Nothing falls below 0.
    pub fn saturating_sub(self, other: Amounts) -> Amounts {
        Amounts {
            events: self.events.saturating_sub(other.events),
            segments: self.segments.saturating_sub(other.segments),
            bytes: self.bytes.saturating_sub(other.bytes),
            failures: self.failures.saturating_sub(other.failures),
        }
    }
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, other: Amounts) {
        self.events += other.events;
        self.segments += other.segments;
        self.bytes += other.bytes;
        self.failures += other.failures;
    }
}
