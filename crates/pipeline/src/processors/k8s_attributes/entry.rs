//! One pod, node or service in the store: its names, its containers, and the addresses that it has and had.

use std::net::IpAddr;
use std::sync::Arc;

use super::facts::Kind;
use super::known::{Known, KnownContainer};

/// So many containers of a pod are kept. A container that was started again has another id, and the one before may still have
/// records on their way.
const MOST_CONTAINERS: usize = 32;

/// So many addresses are kept that something had and has no more.
const MOST_FORMER: usize = 16;

/// Something that is known.
pub(super) struct Entry {
    pub(super) known: Arc<Known>,
    pub(super) containers: Vec<KnownContainer>,
    /// The addresses that it has.
    pub(super) addresses: Vec<IpAddr>,
    /// Those that it had.
    former: Vec<IpAddr>,
    /// When it was last seen, in ns since the Unix epoch.
    pub(super) seen: u64,
    /// When its end was seen.
    pub(super) ended: Option<u64>,
    /// The hash of a static pod's manifest.
    pub(super) alias: Option<Box<str>>,
}

impl Entry {
    pub(super) fn new(known: Arc<Known>, seen: u64) -> Entry {
        Entry {
            known,
            containers: Vec::new(),
            addresses: Vec::new(),
            former: Vec::new(),
            seen,
            ended: None,
            alias: None,
        }
    }

    /// Whether it is of this kind and exists.
    pub(super) fn is_live(&self, kind: Kind) -> bool {
        self.ended.is_none() && self.known.facts.kind == kind
    }

    /// Takes over other names.
    pub(super) fn rename(&mut self, known: Arc<Known>) {
        self.containers = self.containers.iter().map(KnownContainer::renewed).collect();
        self.known = known;
    }

    /// Adds a container that is not known yet. Those before stay, also if the API shows them no more.
    pub(super) fn add_container(&mut self, id: &str, name: &str) {
        if self.containers.iter().any(|known| *known.id == *id) {
            return;
        }
        if self.containers.len() >= MOST_CONTAINERS {
            self.containers.remove(0);
        }
        self.containers.push(KnownContainer::new(id, name.into()));
        self.containers.shrink_to_fit();
    }

    /// Whether it ever had an address.
    pub(super) fn has_had_addresses(&self) -> bool {
        !self.addresses.is_empty() || !self.former.is_empty()
    }

    /// Takes an address.
    pub(super) fn take(&mut self, address: IpAddr) {
        if !self.addresses.contains(&address) {
            self.addresses.push(address);
            self.addresses.shrink_to_fit();
        }
    }

    /// Gives up all addresses but `kept`, and returns them.
    pub(super) fn give_up(&mut self, kept: &[IpAddr]) -> Vec<IpAddr> {
        let (kept, gone): (Vec<_>, Vec<_>) =
            self.addresses.iter().copied().partition(|address| kept.contains(address));
        self.addresses = kept;
        self.former.retain(|address| !gone.contains(address));
        self.former.extend(&gone);
        gone
    }

    /// Takes out the oldest of too many addresses that it had and has no more.
    pub(super) fn outdated(&mut self) -> Option<IpAddr> {
        (self.former.len() > MOST_FORMER).then(|| self.former.remove(0))
    }

    /// All addresses that it has or had.
    pub(super) fn all_addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().chain(&self.former).copied()
    }
}
