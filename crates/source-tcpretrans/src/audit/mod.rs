//! The audit: compares what the `tcpretrans` receiver told with the kernel's own RetransSegs, namespace by namespace, while
//! both run. The `tcp_stats` receiver does it after each of its reports.

mod offset;
mod told;

use std::sync::{Arc, Mutex, PoisonError, Weak};

pub(crate) use offset::{Offset, Readings};
pub(crate) use told::Told;

/// The sessions that can be audited. The receivers of a process share it; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Audit(Arc<Mutex<Vec<Weak<Told>>>>);

impl Audit {
    /// A session begins. It can be audited until what this returns is dropped.
    pub(crate) fn begin(&self, told: Told) -> Arc<Told> {
        let told = Arc::new(told);
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(&told));
        told
    }

    /// The sessions that run.
    pub(crate) fn sessions(&self) -> Vec<Arc<Told>> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().filter_map(Weak::upgrade).collect()
    }
}
