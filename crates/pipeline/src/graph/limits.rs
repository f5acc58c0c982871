//! The limits of the graph: how many items can wait in each of its channels.

/// The largest number of records, or of metric points, that wait at the entrance of a pipeline.
pub(super) const PIPELINE_CAPACITY: usize = 8192;
/// The largest number of log records or metric points that wait in an outlet. A metrics pipeline whose reports may be
/// large has larger outlets. A batch gets in while there is any room, and may exceed the limit.
pub(super) const OUTLET_CAPACITY: usize = 8192;
