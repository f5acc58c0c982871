//! Keys of the Collector's processor that make no sense here. Each is refused by its name, with the reason.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::Problem;

/// A key that is refused, whatever its value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Refused(bool);

impl Refused {
    /// Whether the configuration has the key.
    pub(super) fn is_set(self) -> bool {
        self.0
    }
}

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Refused(true))
    }
}

/// The last part of a key, and why it is refused.
const REASONS: [(&str, &str); 5] = [
    (
        "passthrough",
        "the Collector's key for an agent that leaves the names to a gateway; here each agent names its own records, so leave \
         it out",
    ),
    (
        "pod_association",
        "the Collector's key for finding the pod of data that others have sent; here it is found by the socket's cgroup and \
         by the addresses of the connection, so leave it out",
    ),
    (
        "otel_annotations",
        "the Collector's key for names from annotations that only it knows; name the annotations under extract.annotations",
    ),
    (
        "deployment_name_from_replicaset",
        "the Collector's key for a name without a look-up; here the name of a deployment never needs one, so leave it out",
    ),
    (
        "key_regex",
        "the names of attributes must be known before the start, so that filter and aggregate can ask for them; name each \
         key with `key`",
    ),
];

/// The problems of those of the keys that are set. A key is named by its path.
pub(super) fn refusals(keys: &[(&str, &Refused)]) -> Vec<Problem> {
    let set = keys.iter().filter(|(_, key)| key.is_set());
    let problems = set.filter_map(|(path, _)| {
        let (_, reason) = REASONS.iter().find(|(key, _)| path.rsplit('.').next() == Some(*key))?;
        Some(Problem::at(*path, *reason))
    });
    problems.collect()
}
