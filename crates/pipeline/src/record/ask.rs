//! The one way to ask a record for an attribute.

use std::sync::Arc;

use strum::IntoEnumIterator;

use super::bundle::Bundle;
use super::model::Record;
use crate::attribute::{Attribute, Key, Value};

impl Record {
    /// The value of an attribute; `None` if the record has none. Allocates nothing.
    ///
    /// If a name was found for both sides, this gives the local side's value.
    pub fn get(&self, key: &Key) -> Option<Value<'_>> {
        match key {
            Key::Own(attribute) => self.own(*attribute),
            Key::Found(name) => self.bundles().find_map(|bundle| bundle.get(name)),
        }
    }

    /// All attributes that the record has, with their values: its own in the enum's order, then what was found for the
    /// local side, then what was found for the peer side.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let own = Attribute::iter().filter_map(|attribute| Some((attribute.name(), self.own(attribute)?)));
        own.chain(self.bundles().flat_map(|bundle| bundle.iter()))
    }

    /// What was found for the local side, then what was found for the peer side.
    fn bundles(&self) -> impl Iterator<Item = &Bundle> {
        [&self.local_attributes, &self.peer_attributes].into_iter().flatten().map(Arc::as_ref)
    }

    /// The value of an attribute that receivers set; `None` if the record has none. Allocates nothing.
    pub fn own(&self, attribute: Attribute) -> Option<Value<'_>> {
        use Value::{Address, Bool, Command, Errno, Flags, Int, Seconds, Word};
        let Record { class, amounts, flow, segment, tcp, owner, .. } = self;
        Some(match attribute {
            Attribute::NetworkTransport => Word("tcp"),
            Attribute::NetworkType => Word(class.network_type.into()),
            Attribute::RetransmitType => Word(class.retransmit_type.into()),
            Attribute::HandshakeRole => Word(class.handshake_role?.into()),
            Attribute::ConnectionState => Word((*flow)?.state.into()),
            Attribute::LocalAddress => Address((*flow)?.local.ip()),
            Attribute::LocalPort => Int((*flow)?.local.port().into()),
            Attribute::PeerAddress => Address((*flow)?.peer.ip()),
            Attribute::PeerPort => Int((*flow)?.peer.port().into()),
            Attribute::SlowStart => Bool(class.slow_start?),
            Attribute::Flags => Flags((*segment)?.flags),
            // A record with a flow is about one retransmission at most.
            Attribute::Events if flow.is_some() => return None,
            Attribute::Events => Int(whole(amounts.events)),
            // One retransmission has an error type instead.
            Attribute::Failures if flow.is_some() || amounts.failures == 0 => return None,
            Attribute::Failures => Int(whole(amounts.failures)),
            Attribute::Segments => Int(whole(amounts.segments)),
            // This shows the payload of a failed attempt, too, which is not in the amounts.
            Attribute::Bytes if flow.is_some() => Int((*segment)?.payload_bytes.into()),
            Attribute::Bytes => Int(whole(amounts.bytes)),
            Attribute::Sequence => Int((*segment)?.sequence.into()),
            Attribute::Rtt => Seconds((*tcp)?.rtt?),
            Attribute::Cwnd => Int((*tcp)?.cwnd.into()),
            Attribute::Mss => Int((*tcp)?.mss.into()),
            Attribute::TotalRetransmits => Int((*tcp)?.total_retransmits.into()),
            Attribute::SegmentsSent => Int((*tcp)?.segments_sent.into()),
            Attribute::DsackDups => Int((*tcp)?.dsack_dups.into()),
            Attribute::NetnsInode => Int((*flow)?.netns_inode?.into()),
            Attribute::ProcessPid => Int((*owner)?.pid.into()),
            Attribute::ProcessCommand => Command(&owner.as_ref()?.command),
            Attribute::ErrorType => Errno(self.errno()?),
            Attribute::MetricOverflow => return None,
        })
    }
}

/// A count as OTLP's signed integer.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
