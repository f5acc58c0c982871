//! How much waits where.

/// Items that a task takes out of its channel at once, at most.
pub(super) const CHUNK: usize = 1024;
/// Records, or metric points, that wait at the entrance of a pipeline, at most.
pub(super) const PIPELINE_CAPACITY: usize = 16_384;
// A stage may wait until there is room for all that it has taken.
const _: () = assert!(CHUNK <= PIPELINE_CAPACITY);
/// Log records or metric points that wait for an exporter, at most. A larger batch is let in alone.
pub(super) const OUTLET_CAPACITY: usize = 16_384;
