//! One thing that is known, and the attributes of its names. They are made when they are first asked for.

use std::sync::{Arc, OnceLock};

use super::facts::Facts;
use super::names::{Names, Side};
use crate::record::Bundle;

/// A pod, a node or a service. If its names change, it is replaced by another one.
pub(super) struct Known {
    pub(super) facts: Facts,
    local: OnceLock<Option<Arc<Bundle>>>,
    peer: OnceLock<Option<Arc<Bundle>>>,
}

impl Known {
    pub(super) fn new(facts: Facts) -> Arc<Known> {
        Arc::new(Known { facts, local: OnceLock::new(), peer: OnceLock::new() })
    }

    /// The attributes of one side; `None` if it is never named.
    pub(super) fn bundle(&self, side: Side, names: &Names) -> Option<&Arc<Bundle>> {
        let cell = match side {
            Side::Local => &self.local,
            Side::Peer => &self.peer,
        };
        made(cell, &self.facts, None, side, names)
    }
}

/// A container of a pod that is known.
pub(super) struct KnownContainer {
    pub(super) id: Box<str>,
    pub(super) name: Arc<str>,
    bundle: OnceLock<Option<Arc<Bundle>>>,
}

impl KnownContainer {
    pub(super) fn new(id: &str, name: Arc<str>) -> KnownContainer {
        KnownContainer { id: id.into(), name, bundle: OnceLock::new() }
    }

    /// Another one of the same id and name, for a pod whose names have changed.
    pub(super) fn renewed(&self) -> KnownContainer {
        KnownContainer::new(&self.id, Arc::clone(&self.name))
    }

    /// The attributes of the local side; `None` if the pod is never named.
    pub(super) fn bundle(&self, pod: &Known, names: &Names) -> Option<&Arc<Bundle>> {
        made(&self.bundle, &pod.facts, Some(&self.name), Side::Local, names)
    }
}

fn made<'c>(
    cell: &'c OnceLock<Option<Arc<Bundle>>>,
    facts: &Facts,
    container: Option<&Arc<str>>,
    side: Side,
    names: &Names,
) -> Option<&'c Arc<Bundle>> {
    let make = || (!facts.is_excluded).then(|| Arc::new(names.bundle(facts, container, side)));
    cell.get_or_init(make).as_ref()
}
