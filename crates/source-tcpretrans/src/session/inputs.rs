//! What a session is made of.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use otel_tcpretrans_pipeline::record::Record;
use tokio::sync::mpsc::Sender;

use crate::config::Wakeup;
use crate::facts::Facts;
use crate::plan::Plan;
use crate::stats::Stats;
use crate::tap::Tap;

/// What a session is made of.
pub(crate) struct Inputs {
    pub(crate) facts: Facts,
    pub(crate) plan: Plan,
    pub(crate) wakeup: Wakeup,
    pub(crate) out: Sender<Record>,
    pub(crate) stats: Arc<Stats>,
    /// Takes the events in place of `out`.
    pub(crate) tap: Option<Arc<Tap>>,
    /// Becomes readable when the session is to stop.
    pub(crate) stop: OwnedFd,
}
