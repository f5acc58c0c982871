//! The cgroups of a hierarchy, by id.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use super::config::{CONTAINER_ID, CONTAINER_NAME, PATH, POD_QOS, POD_UID, RUNTIME, SLICE, UNIT};
use super::path::place;
use crate::record::Bundle;

/// What is known of a hierarchy. A thread watches it until nobody uses it any more.
#[derive(Default)]
pub(super) struct Hierarchy {
    known: RwLock<HashMap<u64, Cgroup>>,
}

/// One cgroup.
pub(super) struct Cgroup {
    pub(super) attributes: Arc<Bundle>,
    /// When it was removed.
    removed: Option<Instant>,
}

impl Hierarchy {
    /// By id.
    pub(super) fn known(&self) -> RwLockReadGuard<'_, HashMap<u64, Cgroup>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, HashMap<u64, Cgroup>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A cgroup is there. `path` is below the root.
    pub(super) fn add(&self, id: u64, path: &str) {
        let cgroup = Cgroup { attributes: Arc::new(attributes(path)), removed: None };
        self.known_mut().insert(id, cgroup);
    }

    /// Cgroups were removed at `now`.
    pub(super) fn remove(&self, ids: &[u64], now: Instant) {
        let mut known = self.known_mut();
        for id in ids {
            if let Some(cgroup) = known.get_mut(id) {
                cgroup.removed.get_or_insert(now);
            }
        }
    }

    /// Forgets those that were removed before `before`. Returns whether others remain that were removed.
    pub(super) fn forget(&self, before: Option<Instant>) -> bool {
        let mut known = self.known_mut();
        known.retain(|_, cgroup| {
            cgroup.removed.is_none_or(|removed| before.is_none_or(|before| removed > before))
        });
        known.values().any(|cgroup| cgroup.removed.is_some())
    }
}

/// What the path says, as attributes.
fn attributes(path: &str) -> Bundle {
    let place = place(path);
    let container = place.container.unwrap_or_default();
    let (uid, qos) = place.pod.map_or((None, None), |pod| (Some(pod.uid), Some(pod.qos.to_owned())));
    let found = [
        (CONTAINER_ID, container.id),
        (CONTAINER_NAME, container.name),
        (RUNTIME, container.runtime.map(str::to_owned)),
        (POD_UID, uid),
        (POD_QOS, qos),
        (UNIT, place.unit),
        (SLICE, place.slice),
        (PATH, Some(path.to_owned())),
    ];
    let found = found.into_iter().filter_map(|(name, value)| Some((Arc::from(name), value?.as_str().into())));
    found.collect()
}

/// Where the cgroup v2 hierarchy is mounted, by `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
pub(super) fn mount_point(mounts: &str) -> Option<PathBuf> {
    let of_cgroup2 = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        (after.split(' ').next()? == "cgroup2").then_some((root, point))
    });
    // One whose root is that of the hierarchy shows all cgroups.
    let by_root: BTreeMap<bool, &str> = of_cgroup2.map(|(root, point)| (root != "/", point)).collect();
    by_root.into_values().next().map(PathBuf::from)
}
