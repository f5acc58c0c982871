//! `networks`: names the networks of both sides of a connection, by the longest prefix that an address is in.

mod config;
mod table;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;

use tokio::sync::watch::Receiver;
use tokio::time::Instant;

pub use config::{Network, NetworksConfig};
use table::{Side, Table};

use super::merge::{Merge, Sides};
use crate::chunk::Chunk;
use crate::component::FlowProcessor;
use crate::record::{Flow, Record};

/// The processor. Its table is replaced when its file changes.
pub struct Networks {
    table: Receiver<Arc<Table>>,
    merge: Merge,
}

impl NetworksConfig {
    /// Starts the processor. If it has a file, a task reads that again when it changes, until the processor is dropped.
    ///
    /// # Panics
    /// Panics outside a tokio runtime if it has a file.
    pub(super) fn start(&self) -> Networks {
        Networks { table: watch::start(self), merge: Merge::default() }
    }
}

impl FlowProcessor for Networks {
    fn push(&mut self, records: Chunk<Record>, _now: Instant) -> Chunk<Record> {
        let table = Arc::clone(&self.table.borrow());
        self.merge.attach(records, |_, Flow { local, peer, .. }| Sides {
            local: table.find(local.ip(), Side::Local),
            peer: table.find(peer.ip(), Side::Peer),
        })
    }
}
