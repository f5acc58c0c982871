//! The limits of the graph: how many items can wait in each of its channels.

/// The largest number of records, or of metric points, that wait at the entrance of a pipeline.
pub(super) const PIPELINE_CAPACITY: usize = 16_384;
/// The largest number of log records or metric points that wait in an outlet. A metrics pipeline whose reports may be
/// large has larger outlets. A larger batch gets in if the outlet is empty.
pub(super) const OUTLET_CAPACITY: usize = 16_384;
