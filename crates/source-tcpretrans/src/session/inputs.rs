//! What a session is made of.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use otel_tcpretrans_pipeline::chunk::Sender;
use otel_tcpretrans_pipeline::component::Confinement;
use otel_tcpretrans_pipeline::record::Record;

use crate::audit::Audit;
use crate::config::Wakeup;
use crate::counts::LiveCounts;
use crate::facts::Facts;
use crate::setup::Setup;
use crate::tap::Tap;

/// What a session is made of.
pub(crate) struct Inputs {
    pub(crate) facts: Facts,
    pub(crate) setup: Setup,
    pub(crate) wakeup: Wakeup,
    pub(crate) out: Sender<Record>,
    pub(crate) counts: Arc<LiveCounts>,
    /// Who may compare what was told with the kernel's counts.
    pub(crate) audit: Audit,
    /// Takes the events in place of `out`.
    pub(crate) tap: Option<Arc<Tap>>,
    /// Takes the thread's privileges once the programs are attached.
    pub(crate) confinement: Confinement,
    /// Becomes readable when the session is to stop.
    pub(crate) stop: OwnedFd,
}
