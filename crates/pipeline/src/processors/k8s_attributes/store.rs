//! What is known of a cluster: pods, nodes and services by UID, and the owners of addresses. Pure: the caller says what time
//! it is, in ns since the Unix epoch by this machine's clock.

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use super::addresses::{Addresses, CLOCKS, SLACK, Whose};
use super::entry::Entry;
use super::facts::{Facts, Kind};
use super::jobs::Jobs;
use super::known::Known;
use super::metadata::Metadata;
use super::names::{Names, Side};
use super::objects::{Job, Node, Pod, Service};
use super::workload::chain;
use crate::record::Bundle;

/// At most so many are known that have ended. If there are more, the oldest are forgotten before their time.
const MOST_ENDED: usize = 4096;
/// After so many were forgotten, shared texts that nobody uses any more are removed.
const SWEEP: usize = 1024;

/// What is known of a cluster.
pub(super) struct Store {
    names: Names,
    /// The name of this node. Containers of pods on other nodes are not kept.
    node: Option<String>,
    entries: HashMap<Arc<str>, Entry>,
    /// The UIDs of static pods, by the hashes of their manifests.
    aliases: HashMap<Box<str>, Arc<str>>,
    addresses: Addresses,
    /// Those that have ended, and when that was seen.
    ended: VecDeque<(u64, Arc<str>)>,
    jobs: Jobs,
    /// Texts that many have in common.
    texts: HashSet<Arc<str>>,
    forgotten: usize,
    no_ports: Arc<[u16]>,
}

/// Addresses and ports, and since when something has them: maybe and certainly.
struct Place {
    addresses: Vec<IpAddr>,
    ports: Arc<[u16]>,
    since: (u64, u64),
}

impl Store {
    pub(super) fn new(names: Names, node: Option<String>) -> Store {
        Store {
            names,
            node,
            entries: HashMap::new(),
            aliases: HashMap::new(),
            addresses: Addresses::default(),
            ended: VecDeque::new(),
            jobs: Jobs::default(),
            texts: HashSet::new(),
            forgotten: 0,
            no_ports: Arc::new([]),
        }
    }

    /// What the local side is: the pod that the cgroup names, else the pod that has the address.
    pub(super) fn local(
        &self,
        pod: Option<&str>,
        container: Option<&str>,
        address: IpAddr,
        time: u64,
    ) -> Option<&Arc<Bundle>> {
        let Some(uid) = pod else {
            let owner = self.addresses.owner(address, 0, time, Whose::Pods)?;
            return owner.bundle(Side::Local, &self.names);
        };
        let entry = self.entries.get(uid).or_else(|| self.entries.get(self.aliases.get(uid)?))?;
        let container =
            container.and_then(|id| entry.containers.iter().find(|container| *container.id == *id));
        match container {
            Some(container) => container.bundle(&entry.known, &self.names),
            None => entry.known.bundle(Side::Local, &self.names),
        }
    }

    /// What the peer is that has this address at this time.
    pub(super) fn peer(&self, address: IpAddr, port: u16, time: u64) -> Option<&Arc<Bundle>> {
        let owner = self.addresses.owner(address, port, time, Whose::All)?;
        owner.bundle(Side::Peer, &self.names)
    }

    /// Number of those of a kind that exist.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.entries.values().filter(|entry| entry.is_live(kind)).count()
    }

    /// Number of all that are known, also of those that have ended.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Number of addresses and of those who have or had them.
    #[cfg(test)]
    pub(super) fn addresses(&self) -> usize {
        self.addresses.len()
    }

    /// A pod is as it is here.
    pub(super) fn pod(&mut self, pod: &Pod, now: u64) {
        let facts = self.facts_of(pod);
        let is_new = !self.entries.contains_key(&facts.uid);
        let is_here = self.node.is_none() || self.node == pod.node;
        let is_over = pod.is_over || pod.deletion_asked.is_some() && pod.finished.is_some();
        let uid = self.name(facts, now);
        if let Some(hash) = &pod.manifest_hash {
            self.aliases.insert(hash.as_str().into(), Arc::clone(&uid));
        }
        let Some(entry) = self.entries.get_mut(&uid) else { return };
        if is_here {
            for container in &pod.containers {
                entry.add_container(&container.id, &container.name);
            }
        }
        entry.alias = pod.manifest_hash.as_deref().map(Box::from);
        if is_over {
            // One that was over when it was first seen may have lost its addresses to others long ago. It gets none.
            return self.end(&uid, pod.finished, now);
        }
        let possible_from = pod.started.unwrap_or(pod.created).saturating_sub(SLACK);
        // If it was seen without the address before, its containers may have been started with another one.
        let running = pod.running_since.filter(|_| is_new);
        let certain_from = running.map_or(now, |since| now.min(since.saturating_add(SLACK)));
        let place = Place {
            addresses: if pod.host_network { Vec::new() } else { pod.addresses.clone() },
            ports: Arc::clone(&self.no_ports),
            since: (possible_from, certain_from),
        };
        self.place(&uid, place, now);
    }

    /// A node is as it is here.
    pub(super) fn node(&mut self, node: &Node, now: u64) {
        let facts = self.simple(Kind::Node, &node.uid, &node.name, None);
        let place = Place {
            addresses: node.addresses.clone(),
            ports: Arc::clone(&self.no_ports),
            since: since_created(node.created, now),
        };
        let uid = self.name(facts, now);
        self.place(&uid, place, now);
    }

    /// A service is as it is here.
    pub(super) fn service(&mut self, service: &Service, now: u64) {
        let namespace = Some(self.text(&service.namespace));
        let facts = self.simple(Kind::Service, &service.uid, &service.name, namespace);
        let place = Place {
            addresses: service.addresses.clone(),
            ports: service.ports.as_slice().into(),
            since: since_created(service.created, now),
        };
        let uid = self.name(facts, now);
        self.place(&uid, place, now);
    }

    /// A job is as it is here. Pods that it has made and that are known already get the name of its CronJob.
    pub(super) fn job(&mut self, job: &Job) {
        for uid in self.jobs.add(job) {
            let (Some(entry), Some(cron_job)) = (self.entries.get(&uid), self.jobs.cron_job(&job.uid)) else {
                continue;
            };
            let (mut facts, cron_job) = (entry.known.facts.clone(), Arc::clone(cron_job));
            facts.owners.push((self.text("CronJob"), cron_job));
            self.rename(&uid, facts);
        }
    }

    /// A job was deleted.
    pub(super) fn job_deleted(&mut self, uid: &str) {
        self.jobs.delete(uid);
    }

    /// All jobs were listed: any other one is gone.
    pub(super) fn jobs_listed(&mut self, listed: &HashSet<String>) {
        self.jobs.delete_others(listed);
    }

    /// A pod was deleted. `pod` is its last state.
    pub(super) fn pod_deleted(&mut self, pod: &Pod, now: u64) {
        self.end(&pod.uid, pod.finished.or(pod.deletion_asked), now);
    }

    /// A node or a service was deleted.
    pub(super) fn deleted(&mut self, uid: &str, now: u64) {
        self.end(uid, None, now);
    }

    /// All of a kind were listed: any other one is gone. At the time `before` it was there still.
    pub(super) fn listed(&mut self, kind: Kind, listed: &HashSet<String>, before: u64, now: u64) {
        let others =
            self.entries.iter().filter(|(uid, entry)| entry.is_live(kind) && !listed.contains(&***uid));
        let gone: Vec<Arc<str>> = others.map(|(uid, _)| Arc::clone(uid)).collect();
        for uid in gone {
            self.end(&uid, Some(before), now);
        }
    }

    /// Forgets those that ended before `before`, and the oldest of too many.
    pub(super) fn forget(&mut self, before: u64) {
        while let Some((ended, uid)) = self.ended.front() {
            if *ended > before && self.ended.len() <= MOST_ENDED {
                break;
            }
            // It may live again, or have ended again since.
            if self.entries.get(uid).is_some_and(|entry| entry.ended == Some(*ended))
                && let Some(entry) = self.entries.remove(uid)
            {
                for address in entry.all_addresses() {
                    self.addresses.forget(address, uid);
                }
                if let Some(alias) = &entry.alias
                    && self.aliases.get(alias) == Some(uid)
                {
                    self.aliases.remove(alias);
                }
                self.forgotten += 1;
            }
            self.ended.pop_front();
        }
        if self.forgotten >= SWEEP {
            self.forgotten = 0;
            self.texts.retain(|text| Arc::strong_count(text) > 1);
        }
    }

    /// Takes over the names of something. Returns its UID.
    fn name(&mut self, facts: Facts, now: u64) -> Arc<str> {
        let uid = Arc::clone(&facts.uid);
        match self.entries.get(&uid) {
            Some(entry) if entry.known.facts == facts => {} // what was made of its names stays
            Some(_) => self.rename(&uid, facts),
            None => {
                self.entries.insert(Arc::clone(&uid), Entry::new(Known::new(facts), now));
            }
        }
        uid
    }

    /// Gives other names to an entry.
    fn rename(&mut self, uid: &str, facts: Facts) {
        if let Some(entry) = self.entries.get_mut(uid) {
            entry.rename(Known::new(facts));
            for address in &entry.addresses {
                self.addresses.rename(*address, &entry.known);
            }
        }
    }

    /// Something has these addresses and no others.
    fn place(&mut self, uid: &str, Place { addresses, ports, since }: Place, now: u64) {
        let Some(entry) = self.entries.get_mut(uid) else { return };
        let before = mem::replace(&mut entry.seen, now);
        entry.ended = None;
        let had_some = entry.has_had_addresses();
        for gone in entry.give_up(&addresses) {
            self.addresses.end(gone, uid, before.saturating_sub(SLACK), now.saturating_add(SLACK));
        }
        for address in addresses {
            // One that comes later was not its own before.
            let certain_from = if had_some { now } else { since.1 };
            self.addresses.claim(address, &entry.known, &ports, (since.0, certain_from));
            entry.take(address);
        }
        while let Some(address) = entry.outdated() {
            if !entry.addresses.contains(&address) {
                self.addresses.forget(address, uid);
            }
        }
    }

    /// Something has ended; it is known until it is forgotten. It had its addresses certainly until `until`, a time of the
    /// API, or until it was last seen. Its addresses may have been its own until now.
    fn end(&mut self, uid: &str, until: Option<u64>, now: u64) {
        let Some(entry) = self.entries.get_mut(uid) else { return };
        if entry.ended.is_some() {
            return;
        }
        let certain_to =
            until.map_or(entry.seen.saturating_sub(SLACK), |until| until.saturating_sub(CLOCKS)).min(now);
        for address in entry.give_up(&[]) {
            self.addresses.end(address, uid, certain_to, now.saturating_add(SLACK));
        }
        entry.ended = Some(now);
        self.ended.push_back((now, Arc::clone(&entry.known.facts.uid)));
    }

    fn facts_of(&mut self, pod: &Pod) -> Facts {
        let uid = self.uid(&pod.uid);
        let job =
            pod.owner.as_ref().filter(|owner| owner.kind == "Job" && self.names.want(Metadata::CronJob));
        let cron_job = job.and_then(|job| self.jobs.of_pod(&job.uid, &uid).cloned());
        let owners = chain(pod.owner.as_ref(), &pod.labels, cron_job.as_deref());
        Facts {
            kind: Kind::Pod,
            uid,
            name: pod.name.as_str().into(),
            namespace: Some(self.text(&pod.namespace)),
            node: pod.node.as_deref().map(|node| self.text(node)),
            owners: owners.iter().map(|(kind, name)| (self.text(kind), self.text(name))).collect(),
            extras: self.names.extras(pod),
            is_excluded: self.names.excludes(&pod.name),
        }
    }

    fn simple(&mut self, kind: Kind, uid: &str, name: &str, namespace: Option<Arc<str>>) -> Facts {
        Facts {
            kind,
            uid: self.uid(uid),
            name: name.into(),
            namespace,
            node: None,
            owners: Vec::new(),
            extras: Vec::new(),
            is_excluded: false,
        }
    }

    fn uid(&self, uid: &str) -> Arc<str> {
        self.entries.get_key_value(uid).map_or_else(|| uid.into(), |(uid, _)| Arc::clone(uid))
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(text) = self.texts.get(text) {
            return Arc::clone(text);
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }
}

/// Since when a node or a service has its addresses: from its creation on, and certainly a little later.
fn since_created(created: u64, now: u64) -> (u64, u64) {
    (created.saturating_sub(SLACK), now.min(created.saturating_add(SLACK)))
}
