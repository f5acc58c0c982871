//! What a row stands for: a process, a peer, a workload, a connection or a reason.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use otel_tcpretrans_pipeline::attribute::Value;
use otel_tcpretrans_pipeline::record::{Owner, Record, RetransmitType};

/// By what the records are added up.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    strum::EnumCount,
    strum::EnumIter,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// The address of the other side.
    #[default]
    Peer,
    /// The process that owns the socket.
    Owner,
    /// The Kubernetes workload, container or systemd unit of the socket's owner.
    Workload,
    /// The connection.
    Connection,
    /// Why the kernel retransmitted.
    Reason,
}

/// What a row stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Peer(IpAddr),
    Owner(Owner),
    Workload(Arc<str>),
    /// Its two ends, and the inode of its network namespace.
    Connection(SocketAddr, SocketAddr, Option<u32>),
    Reason(RetransmitType),
    /// Records that do not say it. A gap says only its reason.
    Unknown,
}

/// Attributes that name a workload. The first that a record has is shown.
const WORKLOADS: [&str; 4] = ["k8s.workload.name", "container.name", "container.id", "systemd.unit.name"];

impl Key {
    /// The row to which a record belongs.
    pub(crate) fn of(record: &Record, by: By) -> Key {
        let key = match by {
            By::Peer => record.flow.map(|flow| Key::Peer(flow.peer.ip())),
            By::Owner => record.owner.map(Key::Owner),
            By::Workload => workload(record).map(Key::Workload),
            By::Connection => {
                record.flow.map(|flow| Key::Connection(flow.local, flow.peer, flow.netns_inode))
            }
            By::Reason => Some(Key::Reason(record.class.retransmit_type)),
        };
        key.unwrap_or(Key::Unknown)
    }
}

fn workload(record: &Record) -> Option<Arc<str>> {
    let found = record.local_attributes.as_ref()?;
    WORKLOADS.iter().find_map(|name| match found.get(name)? {
        Value::Text(text) => Some(Arc::clone(text)),
        _ => None,
    })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Peer(address) => address.fmt(f),
            Key::Owner(owner) => write!(f, "{} {}", owner.pid, owner.command),
            Key::Workload(name) => f.write_str(name),
            Key::Connection(local, peer, _) => write!(f, "{local} > {peer}"),
            Key::Reason(reason) => f.write_str(reason.into()),
            Key::Unknown => f.write_str("(not known)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{bundle, gap, record};

    #[test]
    fn a_record_belongs_to_one_row_each_way() {
        let of = |record: &Record, by| Key::of(record, by).to_string();
        let mut record = record();
        assert_eq!(of(&record, By::Peer), "192.0.2.7");
        assert_eq!(of(&record, By::Owner), "321 curl");
        assert_eq!(of(&record, By::Connection), "10.0.0.1:43210 > 192.0.2.7:443");
        assert_eq!(of(&record, By::Reason), "fast");
        assert_eq!(of(&record, By::Workload), "(not known)");
        record.local_attributes =
            Some(bundle([("systemd.unit.name", "ssh.service"), ("k8s.workload.name", "shop")]));
        assert_eq!(of(&record, By::Workload), "shop");
    }

    #[test]
    fn a_gap_says_its_reason_alone() {
        let gap = gap();
        assert_eq!(Key::of(&gap, By::Reason), Key::Reason(RetransmitType::Timeout));
        for by in [By::Peer, By::Owner, By::Workload, By::Connection] {
            assert_eq!(Key::of(&gap, by), Key::Unknown);
        }
    }
}
