//! What travels from a receiver into the pipelines.

use crate::metric::MetricPoint;
use crate::record::Record;

/// A record or a metric point, as far as a receiver's numbers are concerned.
pub(super) trait Item: Clone + Send + Sync + 'static {
    /// How many of the receiver's events it is: a gap is none, since nobody saw the events in it.
    fn events(&self) -> u64;
    /// How many segments it stands for.
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
