//! How much a record stands for: what the sums add up.

/// Numbers of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Retransmissions, each of one skb. Includes those that the kernel failed to send. 0 for segments that were found
    /// without their skb.
    pub events: u64,
    /// Segments, as the kernel counts them (RetransSegs): under GSO one skb is many segments. Includes segments of the
    /// socket's earlier retransmissions that were not seen. 0 for an attempt that the kernel did not count.
    pub segments: u64,
    /// TCP payload of what was sent, in bytes. Failed attempts add nothing.
    pub bytes: u64,
    /// Retransmissions that the kernel failed to send.
    pub failures: u64,
}

impl Amounts {
    /// skbs that were sent.
    pub fn sent(&self) -> u64 {
        self.events.saturating_sub(self.failures)
    }
}
