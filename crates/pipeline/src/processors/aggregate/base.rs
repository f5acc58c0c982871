//! The default attributes of a record, as a key that is cheap to make, to compare and to hash.

use std::hash::{Hash, Hasher};

use crate::attribute::{Attribute, Key, OwnedValue};
use crate::record::{HandshakeRole, NetworkType, Record, RetransmitType, TcpState};

/// The values of [`DEFAULT_ATTRIBUTES`](super::DEFAULT_ATTRIBUTES) of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) network_type: NetworkType,
    pub(super) retransmit_type: RetransmitType,
    pub(super) handshake_role: Option<HandshakeRole>,
    pub(super) state: Option<TcpState>,
    pub(super) errno: Option<i32>,
}

impl Base {
    pub(super) fn of(record: &Record) -> Base {
        let class = record.class;
        Base {
            network_type: class.network_type,
            retransmit_type: class.retransmit_type,
            handshake_role: class.handshake_role,
            state: record.flow.map(|flow| flow.state),
            errno: record.errno(),
        }
    }

    /// The attributes, in the order of the default ones.
    pub(super) fn attributes(self) -> impl Iterator<Item = (Key, OwnedValue)> {
        let word = OwnedValue::Word;
        let values = [
            (Attribute::NetworkTransport, Some(word("tcp"))),
            (Attribute::NetworkType, Some(word(self.network_type.into()))),
            (Attribute::RetransmitType, Some(word(self.retransmit_type.into()))),
            (Attribute::HandshakeRole, self.handshake_role.map(|role| word(role.into()))),
            (Attribute::ConnectionState, self.state.map(|state| word(state.into()))),
            (Attribute::ErrorType, self.errno.map(OwnedValue::Errno)),
        ];
        values.into_iter().filter_map(|(attribute, value)| Some((attribute.into(), value?)))
    }

    /// All fields in one number. Two keys have the same number only if they are equal.
    fn packed(self) -> u64 {
        let [role, state] = [self.handshake_role.map(|role| role as u8), self.state.map(|state| state as u8)]
            .map(|value| value.map_or(0, |value| value + 1));
        let bytes = [self.network_type as u8, self.retransmit_type as u8, role, state];
        // An errno is above 0.
        u64::from(u32::from_ne_bytes(bytes)) << 32 | u64::from(self.errno.unwrap_or(0).cast_unsigned())
    }
}

impl Hash for Base {
    /// One write instead of one per field.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.packed());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use strum::VariantNames;

    use super::super::DEFAULT_ATTRIBUTES;
    use super::*;
    use crate::fixtures::record;
    use crate::record::{Class, Flow, Segment};

    /// Records of all combinations, with few errnos.
    fn records() -> impl Iterator<Item = Record> {
        let reasons = || RetransmitType::VARIANTS.iter().map(|name| name.parse::<RetransmitType>().unwrap());
        let states = || TcpState::VARIANTS.iter().map(|name| Some(name.parse().unwrap())).chain([None]);
        let errnos = [None, Some(1), Some(16), Some(4095)];
        let classes =
            [NetworkType::Ipv4, NetworkType::Ipv6].into_iter().flat_map(move |network_type| {
                reasons().flat_map(move |retransmit_type| {
                    [None, Some(HandshakeRole::Client), Some(HandshakeRole::Server)].map(|handshake_role| {
                        Class { network_type, retransmit_type, handshake_role, slow_start: None }
                    })
                })
            });
        classes.flat_map(move |class| {
            states().flat_map(move |state| {
                errnos.map(|errno| {
                    let record = record();
                    Record {
                        class,
                        flow: state.and_then(|state| record.flow.map(|flow| Flow { state, ..flow })),
                        segment: record.segment.map(|segment| Segment { errno, ..segment }),
                        ..record
                    }
                })
            })
        })
    }

    #[test]
    fn it_has_the_attributes_that_the_record_shows() {
        for record in records() {
            let shown =
                DEFAULT_ATTRIBUTES.iter().filter_map(|key| Some((key.clone(), record.get(key)?.into())));
            assert!(Base::of(&record).attributes().eq(shown), "{record:?}");
        }
    }

    #[test]
    fn different_keys_have_different_numbers() {
        let numbers: BTreeMap<_, _> =
            records().map(|record| Base::of(&record)).map(|base| (base.packed(), base)).collect();
        assert_eq!(numbers.len(), records().count());
    }
}
