//! What a session has told, by network namespace: the kernel side adds it up in a map.

use std::io;

use libbpf_rs::{MapCore, MapFlags, MapHandle};

use crate::setup::{ScopeSetup, Setup};

/// Segments that a session has told, by namespace. It is there as long as the session runs.
#[derive(Debug)]
pub(crate) struct Told {
    map: MapHandle,
    scope: ScopeSetup,
    synack: bool,
}

impl Told {
    pub(crate) fn new(map: MapHandle, setup: &Setup) -> Told {
        Told { map, scope: setup.scope, synack: setup.synack }
    }

    /// Whether the session tells of all that a namespace sends again.
    pub(crate) fn covers(&self, netns: u32) -> bool {
        self.synack
            && match self.scope {
                ScopeSetup::Host => true,
                ScopeSetup::Netns(own) => own == netns,
                ScopeSetup::Cgroup(_) => false,
            }
    }

    /// Segments told of a namespace. `None` where the map has no entry for it: nothing was told, or there was no room.
    ///
    /// # Errors
    /// The kernel does not let this process read the map.
    pub(crate) fn segments(&self, netns: u32) -> io::Result<Option<u64>> {
        let value = self.map.lookup(&netns.to_ne_bytes(), MapFlags::ANY).map_err(of_libbpf)?;
        let number = |value: Vec<u8>| {
            let value = value.try_into().map_err(|_| io::Error::other("a value of another size"))?;
            Ok(u64::from_ne_bytes(value))
        };
        value.map(number).transpose()
    }

    /// The namespaces of which something was told.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = u32> {
        self.map.keys().filter_map(|key| Some(u32::from_ne_bytes(key.try_into().ok()?)))
    }

    /// So many namespaces the map has room for.
    pub(crate) fn room(&self) -> usize {
        self.map.max_entries() as usize
    }

    /// Forgets a namespace, which makes room for another one.
    ///
    /// # Errors
    /// The kernel does not let this process change the map.
    pub(crate) fn forget(&self, netns: u32) -> io::Result<()> {
        self.map.delete(&netns.to_ne_bytes()).map_err(of_libbpf)
    }
}

fn of_libbpf(error: libbpf_rs::Error) -> io::Error {
    io::Error::other(error)
}
