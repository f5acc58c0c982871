//! The trait of receivers, from which telemetry comes.

use crate::books::ReceiverCounts;
use crate::chunk::Sender;
use crate::metric::MetricPoint;
use crate::pulses;
use crate::record::Record;

/// A source of items of one kind: records, or metric points of its own.
///
/// It runs on threads of its own. It never blocks on the pipelines, unless it [can wait](Receiver::can_wait).
pub trait Receiver<T = Record>: Send {
    /// Starts the receiver and returns when it is ready. It sends its items to `out`, in chunks of at most
    /// [`CHUNK`](crate::chunk::CHUNK), and counts the items for which `out` has no room. No item waits for a chunk to fill.
    ///
    /// # Errors
    /// The error says what is missing or what failed. Everything that was acquired until then is released.
    fn start(&mut self, out: Sender<T>) -> Result<(), ReceiverError>;

    /// Stops the receiver: it hands over what is still in its buffers and closes `out`. Does nothing when it is not
    /// running.
    ///
    /// Blocks for at most one poll of the kernel.
    fn stop(&mut self);

    /// A function that reads its numbers. It stays valid after a stop. `received` is left at 0, since the graph counts
    /// that.
    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync>;

    /// Number of items that the channel `out` has to hold.
    fn channel_capacity(&self) -> usize;

    /// Whether its source can wait until the pipelines have room. If it can't, a logs pipeline without room drops
    /// records.
    fn can_wait(&self) -> bool {
        false
    }

    /// Whether it has handed over everything and will send nothing more. A receiver that closes `out` by itself before
    /// that has failed.
    fn has_finished(&self) -> bool {
        false
    }

    /// Whether its start needs privileges. It then starts where the process still has them.
    fn needs_privileges(&self) -> bool {
        false
    }

    /// Looks whether its reader goes on, over stops and starts. `None` if nothing tells.
    fn pulse(&self) -> Option<pulses::Probe> {
        None
    }
}

/// A receiver of either kind.
pub enum AnyReceiver {
    /// It makes records, which enter pipelines of both signals at their beginning.
    Records(Box<dyn Receiver<Record>>),
    /// It makes metric points, which enter metrics pipelines behind `aggregate`.
    Points(Box<dyn Receiver<MetricPoint>>),
}

impl AnyReceiver {
    /// What it makes.
    pub fn produces(&self) -> Produces {
        match self {
            AnyReceiver::Records(_) => Produces::Records,
            AnyReceiver::Points(_) => Produces::Points,
        }
    }

    /// Whether its source can wait until the pipelines have room.
    pub fn can_wait(&self) -> bool {
        match self {
            AnyReceiver::Records(receiver) => receiver.can_wait(),
            AnyReceiver::Points(receiver) => receiver.can_wait(),
        }
    }

    /// Whether it has handed over everything and will send nothing more.
    pub fn has_finished(&self) -> bool {
        match self {
            AnyReceiver::Records(receiver) => receiver.has_finished(),
            AnyReceiver::Points(receiver) => receiver.has_finished(),
        }
    }

    /// Stops it, as [`Receiver::stop`] does.
    pub fn stop(&mut self) {
        match self {
            AnyReceiver::Records(receiver) => receiver.stop(),
            AnyReceiver::Points(receiver) => receiver.stop(),
        }
    }
}

/// What a receiver makes. This decides which pipelines may name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Produces {
    /// Records.
    Records,
    /// Metric points.
    Points,
}

/// Why a receiver did not start.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    /// This user or this kernel does not offer what it needs.
    #[error("{0}")]
    Unsupported(String),
    /// Its configuration names something that is missing or unfit.
    #[error("{0}")]
    Configuration(String),
    /// Something failed that should have worked.
    #[error("{0}")]
    Failed(String),
}
