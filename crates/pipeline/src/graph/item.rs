//! What travels from a receiver into the pipelines.

use crate::metric::MetricPoint;
use crate::record::Record;

/// A record or a metric point. It says how it counts in the numbers of its receiver.
pub(super) trait Item: Send + Sync + 'static {
    /// Number of the receiver's events that it is made of. It is 0 for a gap, since the receiver did not see the events
    /// in it.
    fn events(&self) -> u64;
    /// Number of segments that it stands for.
    fn segments(&self) -> u64;
}

impl Item for Record {
    fn events(&self) -> u64 {
        u64::from(self.identity.is_some())
    }

    fn segments(&self) -> u64 {
        self.amounts.segments
    }
}

impl Item for MetricPoint {
    fn events(&self) -> u64 {
        0
    }

    fn segments(&self) -> u64 {
        0
    }
}
