//! The configuration of `networks`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::attribute::{Attribute, Described, Kind};
use crate::config::Problem;

/// `networks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworksConfig {
    /// The networks. If several contain an address, the one with the longest prefix names it.
    pub networks: Vec<Network>,
    /// A YAML file with more networks, in the same form. It is read again when it changes. A network that is in the
    /// configuration, too, is taken from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// What the names of the local side's attributes begin with.
    pub local_prefix: String,
    /// What the names of the peer side's attributes begin with.
    pub peer_prefix: String,
}

/// A network and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Such as `10.1.0.0/16`.
    pub cidr: IpNet,
    /// Attributes by name, such as `name: office`.
    pub attributes: BTreeMap<String, String>,
}

impl Default for NetworksConfig {
    fn default() -> Self {
        NetworksConfig {
            networks: Vec::new(),
            file: None,
            local_prefix: "network.local.".to_owned(),
            peer_prefix: "network.peer.".to_owned(),
        }
    }
}

impl NetworksConfig {
    /// The attributes that it finds with its default prefixes, for the reference.
    pub fn described() -> Vec<Described> {
        let NetworksConfig { local_prefix, peer_prefix, .. } = NetworksConfig::default();
        let described = |prefix, text| Described { name: format!("{prefix}KEY"), kind: Kind::String, text };
        vec![
            described(
                local_prefix,
                "What the configuration says of the network of the local address: any KEY, such as `name`.",
            ),
            described(peer_prefix, "The same of the peer's address."),
        ]
    }

    /// What is wrong with it, and with its file.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.networks.is_empty() && self.file.is_none() {
            problems.push(Problem::at("", "has neither networks nor a file; expected at least one network"));
        }
        if self.local_prefix == self.peer_prefix {
            let message = "is the same as local_prefix, so that the names of both sides would be the same";
            problems.push(Problem::at("peer_prefix", message));
        }
        for (index, network) in self.networks.iter().enumerate() {
            for message in self.unfit(network, &self.networks[..index]) {
                problems.push(Problem::at(format!("networks.{index}"), message));
            }
        }
        if let Some(file) = &self.file {
            match read(file) {
                Ok(networks) => {
                    for (index, network) in networks.iter().enumerate() {
                        let unfit = self.unfit(network, &networks[..index]);
                        let of_file =
                            |message| format!("{}: network {}: {message}", file.display(), index + 1);
                        problems
                            .extend(unfit.into_iter().map(|message| Problem::at("file", of_file(message))));
                    }
                }
                Err(error) => problems.push(Problem::at("file", error)),
            }
        }
        problems
    }

    /// What is wrong with a network, if `before` are before it in the same list.
    fn unfit(&self, network: &Network, before: &[Network]) -> Vec<String> {
        let mut messages = Vec::new();
        let cidr = network.cidr;
        if cidr.trunc() != cidr {
            messages.push(format!("{cidr} has bits behind its prefix; did you mean {}?", cidr.trunc()));
        }
        if before.iter().any(|other| other.cidr == cidr) {
            messages.push(format!("{cidr} is there twice"));
        }
        if network.attributes.is_empty() {
            messages.push(format!("{cidr} has no attributes; expected some, such as name: office"));
        }
        for name in self.names(network) {
            if name.parse::<Attribute>().is_ok() {
                messages.push(format!("the name {name} is taken: receivers set this attribute"));
            }
        }
        messages
    }

    /// The names of the attributes that it finds, also by its file as it is now.
    pub(crate) fn finds(&self) -> Vec<String> {
        let in_file = self.file.as_deref().and_then(|file| read(file).ok()).unwrap_or_default();
        let names: BTreeSet<String> =
            self.networks.iter().chain(&in_file).flat_map(|network| self.names(network)).collect();
        names.into_iter().collect()
    }

    fn names(&self, network: &Network) -> impl Iterator<Item = String> {
        let prefixes = [&self.local_prefix, &self.peer_prefix];
        network.attributes.keys().flat_map(move |name| prefixes.map(|prefix| format!("{prefix}{name}")))
    }
}

/// Reads the networks of a file.
///
/// # Errors
/// The file can't be read, or is no list of networks. The message names it.
pub(super) fn read(file: &Path) -> Result<Vec<Network>, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| named(&error))?;
    serde_yaml::from_str(&text).map_err(|error| named(&error))
}
