//! Receivers: where telemetry comes from.

use tokio::sync::mpsc;

use crate::books::ReceiverCounts;
use crate::metric::MetricPoint;
use crate::record::Record;

/// A source of items of one kind: records, or metric points of its own.
///
/// It runs on threads of its own. It never blocks on the pipelines, unless it [can wait](Receiver::can_wait).
pub trait Receiver<T = Record>: Send {
    /// Starts the receiver and returns when it is ready. It sends its items to `out`, and counts what finds no room
    /// there.
    ///
    /// # Errors
    /// Says what is missing or what failed. Everything that was acquired on the way is released.
    fn start(&mut self, out: mpsc::Sender<T>) -> Result<(), ReceiverError>;

    /// Stops the receiver: it hands over what is still in its buffers and closes `out`. Does nothing when it is not
    /// running.
    ///
    /// Blocks for at most one poll of the kernel.
    fn stop(&mut self);

    /// A function that reads its numbers. It stays valid after a stop. `received` is left at 0, since the graph counts
    /// that.
    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync>;

    /// How many items the channel `out` is to hold.
    fn channel_capacity(&self) -> usize;

    /// Can its source wait until the pipelines have room? If not, a logs pipeline without room drops.
    fn can_wait(&self) -> bool {
        false
    }

    /// Has it handed over everything that it ever will? A receiver that closes `out` by itself and has not finished
    /// has failed.
    fn has_finished(&self) -> bool {
        false
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
    /// Can its source wait until the pipelines have room?
    pub fn can_wait(&self) -> bool {
        match self {
            AnyReceiver::Records(receiver) => receiver.can_wait(),
            AnyReceiver::Points(receiver) => receiver.can_wait(),
        }
    }

    /// Has it handed over everything that it ever will?
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

/// What a receiver makes: it decides which pipelines may name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// It should have worked and did not.
    #[error("{0}")]
    Failed(String),
}
