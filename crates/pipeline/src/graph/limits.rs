//! The limits of the graph: how many items can wait in each of its channels.

/// The largest number of items that a task takes out of its channel at once.
pub(super) const CHUNK: usize = 1024;
/// The largest number of records, or of metric points, that wait at the entrance of a pipeline.
pub(super) const PIPELINE_CAPACITY: usize = 16_384;
// A stage waits until there is room for a whole chunk, so a chunk must fit.
const _: () = assert!(CHUNK <= PIPELINE_CAPACITY);
/// The largest number of log records or metric points that wait in an outlet. A metrics pipeline whose reports may be
/// large has larger outlets. A larger batch gets in if the outlet is empty.
pub(super) const OUTLET_CAPACITY: usize = 16_384;
