//! The hierarchies that processors share.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::config::CgroupConfig;
use super::hierarchy::Hierarchy;
use super::watch;

/// The hierarchies that this process watches, by their configuration.
#[derive(Clone, Default)]
pub struct Hierarchies(Arc<Mutex<Vec<Open>>>);

type Open = (CgroupConfig, Weak<Hierarchy>);

impl Hierarchies {
    /// The hierarchy of a configuration. The first one to ask reads it as it is now.
    pub(super) fn open(&self, config: &CgroupConfig) -> Arc<Hierarchy> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, hierarchy)| hierarchy.strong_count() > 0);
        let known = open.iter().find(|(known, _)| known == config);
        if let Some(hierarchy) = known.and_then(|(_, hierarchy)| hierarchy.upgrade()) {
            return hierarchy;
        }
        let hierarchy = Arc::new(Hierarchy::default());
        watch::start(config, &hierarchy);
        open.push((config.clone(), Arc::downgrade(&hierarchy)));
        hierarchy
    }
}
