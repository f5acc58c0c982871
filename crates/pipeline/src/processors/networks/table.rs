//! The networks, and the bundles of attributes that they give to each side.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use prefix_trie::joint::JointPrefixMap;

use super::config::{Network, NetworksConfig};
use crate::record::Bundle;

/// The side of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Local,
    Peer,
}

/// Networks by prefix.
#[derive(Default)]
pub(super) struct Table(JointPrefixMap<IpNet, Found>);

struct Found {
    local: Arc<Bundle>,
    peer: Arc<Bundle>,
}

impl Table {
    /// A table of the configuration's networks, and of those in its file.
    pub(super) fn new(config: &NetworksConfig, in_file: &[Network]) -> Table {
        let mut map = JointPrefixMap::new();
        // The configuration's own come last, and replace others.
        for network in in_file.iter().chain(&config.networks) {
            let bundle = |prefix: &str| {
                let attributes = network.attributes.iter();
                let named = attributes
                    .map(|(name, value)| (Arc::from(format!("{prefix}{name}")), value.as_str().into()));
                Arc::new(named.collect::<Bundle>())
            };
            let found = Found { local: bundle(&config.local_prefix), peer: bundle(&config.peer_prefix) };
            map.insert(network.cidr, found);
        }
        Table(map)
    }

    /// What is known of the network of an address.
    pub(super) fn find(&self, address: IpAddr, side: Side) -> Option<&Arc<Bundle>> {
        let (_, found) = self.0.get_lpm(&IpNet::from(address))?;
        Some(match side {
            Side::Local => &found.local,
            Side::Peer => &found.peer,
        })
    }
}
