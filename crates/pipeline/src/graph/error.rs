//! What can go wrong with a graph.

use crate::component::{ExporterError, ReceiverError};
use crate::config::Problem;

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A receiver did not start.
    #[error("receiver `{id}`: {source}")]
    Receiver {
        /// The receiver.
        id: String,
        /// Why.
        source: ReceiverError,
    },
    /// An exporter did not start. The text is its own.
    #[error("{0}")]
    Exporter(#[source] ExporterError),
    /// A pipeline makes no sense. [`check_pipeline`](super::check_pipeline) says so beforehand.
    #[error("pipeline `{id}`: {}", .problem.message)]
    Pipeline {
        /// The pipeline.
        id: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What ended by itself and should not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A receiver closed its channel without being asked to, and had not finished.
    #[error("receiver `{0}` ended by itself")]
    Receiver(String),
    /// The task of a pipeline panicked (a bug). What it held is counted as dropped.
    #[error("pipeline `{0}` ended by itself")]
    Pipeline(String),
    /// An exporter panicked (a bug) while it took over a batch of a pipeline. What was on the way from that pipeline to
    /// that exporter is counted as dropped.
    #[error("exporter `{exporter}` of pipeline `{pipeline}` ended by itself")]
    Outlet {
        /// The pipeline.
        pipeline: String,
        /// The exporter.
        exporter: String,
    },
}
