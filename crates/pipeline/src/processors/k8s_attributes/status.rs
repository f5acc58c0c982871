//! How the watches of the API are: what of them is listed, connected, and what went wrong.

use std::collections::BTreeMap;

use strum::{EnumIter, IntoStaticStr};

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "lowercase")]
#[allow(missing_docs)] // the API's words
pub enum Resource {
    Pods,
    Nodes,
    Services,
    Jobs,
}

/// Why a watch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// There was no answer: the server is away, or its name or its certificate is wrong.
    Unreachable,
    /// A watch was cut off.
    Interrupted,
    /// The server does not know who asks (401).
    Unauthorized,
    /// Who asks may not do so (403): a role is missing.
    Forbidden,
    /// The server has forgotten the version from which a watch goes on (410). Everything is listed again.
    Expired,
    /// The server has too much to do (429).
    TooManyRequests,
    /// Any other error that the server answers with.
    Refused,
    /// The answer could not be read.
    Malformed,
}

/// The state of the watch of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// Whether a list was complete once.
    pub(super) is_listed: bool,
    /// Whether the last thing that came from the server was no failure.
    pub(super) is_connected: bool,
    /// When the server last sent something about an object, in ns since the Unix epoch.
    pub(super) last_event: u64,
    /// The last failure.
    pub(super) failure: Option<String>,
}

/// The states of all resources that are watched.
pub(super) type Statuses = BTreeMap<Resource, Status>;

/// What a start has waited for in vain: the resources that are not listed, and their last failures.
pub(super) fn missing(statuses: &Statuses) -> String {
    let missing = statuses.iter().filter(|(_, status)| !status.is_listed).map(|(resource, status)| {
        let resource: &str = resource.into();
        match &status.failure {
            Some(failure) => format!("{resource} ({failure})"),
            None => resource.to_owned(),
        }
    });
    missing.collect::<Vec<_>>().join(", ")
}
