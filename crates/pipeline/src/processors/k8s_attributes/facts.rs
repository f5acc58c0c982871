//! What is known of one pod, node or service, apart from its addresses and its times.

use std::sync::Arc;

use strum::IntoStaticStr;

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
pub(super) enum Kind {
    Pod,
    Node,
    Service,
}

/// The names of something. Texts that many have in common are shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) kind: Kind,
    pub(super) uid: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) namespace: Option<Arc<str>>,
    /// The node that a pod is on.
    pub(super) node: Option<Arc<str>>,
    /// The kinds and the names of what has made it: its owner first.
    pub(super) owners: Vec<(Arc<str>, Arc<str>)>,
    /// The values of labels and annotations that are asked for, in the order of the configuration.
    pub(super) extras: Vec<Option<Arc<str>>>,
    /// Whether it is never named. Its addresses are its own all the same.
    pub(super) is_excluded: bool,
}
