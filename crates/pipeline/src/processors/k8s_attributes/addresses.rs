//! To whom an address belonged at a time.
//!
//! The API says when an address was given and taken only roughly: its times have seconds, several clocks are involved, and its
//! news come late. So each owner has two spans of time: one in which it certainly had the address, and a longer one in which it
//! may have had it. An owner is named only inside its certain span, and only if no other owner may have had the address
//! then. The wrong name would be worse than none.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::facts::Kind;
use super::known::Known;

/// How far the clocks of the cluster may be apart, in ns.
pub(super) const CLOCKS: u64 = 1_000_000_000;
/// How far the API's times may be from those of the records, in ns: its times are rounded down to a second, and come from other
/// clocks. The same is allowed for the delay of its news.
pub(super) const SLACK: u64 = CLOCKS + 1_000_000_000;
/// So many spans of one owner and one address are kept.
const MOST_SPANS: usize = 8;
/// The end of a span that has not ended.
const OPEN: u64 = u64::MAX;

/// The owners of addresses.
#[derive(Default)]
pub(super) struct Addresses(HashMap<IpAddr, Vec<Claim>>);

/// The spans in which an owner has an address, in ns since the Unix epoch.
struct Claim {
    owner: Arc<Known>,
    /// The TCP ports of a service. Others have all ports.
    ports: Arc<[u16]>,
    possible_from: u64,
    certain_from: u64,
    certain_to: u64,
    possible_to: u64,
}

/// Whose address is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A pod's.
    Pods,
    /// Anyone's.
    All,
}

impl Claim {
    fn may_be_at(&self, time: u64) -> bool {
        (self.possible_from..=self.possible_to).contains(&time)
    }

    fn is_at(&self, time: u64) -> bool {
        (self.certain_from..=self.certain_to).contains(&time)
    }

    fn is_of(&self, uid: &str) -> bool {
        *self.owner.facts.uid == *uid
    }

    fn is_open(&self) -> bool {
        self.possible_to == OPEN
    }
}

impl Addresses {
    /// An owner has an address: certainly since `certain_from`, and maybe since `possible_from`. If it has the address
    /// already, only its ports are taken over.
    pub(super) fn claim(
        &mut self,
        address: IpAddr,
        owner: &Arc<Known>,
        ports: &Arc<[u16]>,
        (possible_from, certain_from): (u64, u64),
    ) {
        let claims = self.0.entry(address).or_default();
        let of_owner = |claim: &&mut Claim| claim.is_open() && claim.is_of(&owner.facts.uid);
        if let Some(claim) = claims.iter_mut().find(of_owner) {
            claim.ports = Arc::clone(ports);
            return;
        }
        // One that loses and gets the same address again and again has its last spans only.
        if claims.iter().filter(|claim| claim.is_of(&owner.facts.uid)).count() >= MOST_SPANS
            && let Some(oldest) = claims.iter().position(|claim| claim.is_of(&owner.facts.uid))
        {
            claims.remove(oldest);
        }
        let (owner, ports) = (Arc::clone(owner), Arc::clone(ports));
        claims.push(Claim {
            owner,
            ports,
            possible_from: possible_from.min(certain_from),
            certain_from,
            certain_to: OPEN,
            possible_to: OPEN,
        });
        claims.shrink_to_fit();
    }

    /// The owner of an address has other names now.
    pub(super) fn rename(&mut self, address: IpAddr, owner: &Arc<Known>) {
        for claim in self.0.get_mut(&address).into_iter().flatten() {
            if claim.is_of(&owner.facts.uid) {
                claim.owner = Arc::clone(owner);
            }
        }
    }

    /// An owner has an address no more: certainly until `certain_to`, and maybe until `possible_to`.
    pub(super) fn end(&mut self, address: IpAddr, uid: &str, certain_to: u64, possible_to: u64) {
        let claims = self.0.get_mut(&address).into_iter().flatten();
        for claim in claims.filter(|claim| claim.is_open() && claim.is_of(uid)) {
            claim.certain_to = certain_to;
            claim.possible_to = possible_to.max(certain_to);
        }
    }

    /// Forgets an owner.
    pub(super) fn forget(&mut self, address: IpAddr, uid: &str) {
        if let Some(claims) = self.0.get_mut(&address) {
            claims.retain(|claim| !claim.is_of(uid));
            if claims.is_empty() {
                self.0.remove(&address);
            }
        }
    }

    /// The one who certainly had an address at a time, if no other one may have had it then.
    pub(super) fn owner(&self, address: IpAddr, port: u16, time: u64, whose: Whose) -> Option<&Arc<Known>> {
        let mut found: Option<&Claim> = None;
        for claim in self.0.get(&address)?.iter().filter(|claim| claim.may_be_at(time)) {
            match claim.owner.facts.kind {
                Kind::Service if whose == Whose::Pods || !claim.ports.contains(&port) => continue,
                Kind::Node if whose == Whose::Pods => continue,
                Kind::Pod | Kind::Node | Kind::Service => {}
            }
            match found {
                None => found = Some(claim),
                Some(before) if is_in_front(claim, before) => found = Some(claim),
                Some(before) if is_in_front(before, claim) => {}
                Some(_) => return None,
            }
        }
        found.filter(|claim| claim.is_at(time)).map(|claim| &claim.owner)
    }

    /// Number of addresses and owners, also of those of before.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

/// Whether the first one wins. The address of a node can be one of a service, too: what comes in at the service's ports
/// goes to the service.
fn is_in_front(claim: &Claim, other: &Claim) -> bool {
    (claim.owner.facts.kind, other.owner.facts.kind) == (Kind::Service, Kind::Node)
}
