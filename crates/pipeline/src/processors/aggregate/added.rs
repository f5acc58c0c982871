//! The key of a series that has added attributes.

use hashbrown::Equivalent;

use super::base::Base;
use crate::attribute::OwnedValue;

/// The default attributes, and the values of the added ones in their configured order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Added {
    pub(super) base: Base,
    values: Box<[Option<OwnedValue>]>,
}

/// The same, borrowed: a record looks up its series with it, without an allocation.
#[derive(Debug, Hash)]
pub(super) struct AddedRef<'v> {
    pub(super) base: Base,
    pub(super) values: &'v [Option<OwnedValue>],
}

impl Equivalent<Added> for AddedRef<'_> {
    fn equivalent(&self, key: &Added) -> bool {
        self.base == key.base && *self.values == *key.values
    }
}

impl From<&AddedRef<'_>> for Added {
    fn from(key: &AddedRef<'_>) -> Added {
        Added { base: key.base, values: key.values.into() }
    }
}
