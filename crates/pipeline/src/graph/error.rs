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
        /// The reason.
        source: ReceiverError,
    },
    /// A processor did not start.
    #[error("processor `{id}`: {reason}")]
    Processor {
        /// The processor.
        id: String,
        /// The reason.
        reason: String,
    },
    /// An exporter did not start. The message is that of the exporter.
    #[error("{0}")]
    Exporter(#[source] ExporterError),
    /// A pipeline is not valid. [`check_pipeline`](super::check_pipeline) finds this without a graph.
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
    /// A receiver closed its channel although it was not stopped and had not finished.
    #[error("receiver `{0}` ended by itself")]
    Receiver(String),
    /// The task of a pipeline panicked (a bug). The items that it held are counted as dropped.
    #[error("pipeline `{0}` ended by itself")]
    Pipeline(String),
    /// An exporter panicked (a bug) while it took over a batch of a pipeline. The items on their way from that pipeline
    /// to that exporter are counted as dropped.
    #[error("exporter `{exporter}` of pipeline `{pipeline}` ended by itself")]
    Outlet {
        /// The pipeline.
        pipeline: String,
        /// The exporter.
        exporter: String,
    },
}
