//! The key of an attribute: filters, sums and exporters use it to ask a record for the value.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::own::Attribute;

/// The key of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, SerializeDisplay, DeserializeFromStr)]
pub enum Key {
    /// An attribute that receivers set.
    Own(Attribute),
    /// The name of an attribute that a processor finds.
    Found(Arc<str>),
}

impl Key {
    /// The OTLP name.
    pub fn name(&self) -> &str {
        match self {
            Key::Own(attribute) => attribute.name(),
            Key::Found(name) => name,
        }
    }
}

impl From<Attribute> for Key {
    fn from(attribute: Attribute) -> Key {
        Key::Own(attribute)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no receiver sets is one that a processor finds. The check of a configuration refuses those that none of its
/// processors finds.
impl FromStr for Key {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Key, Infallible> {
        Ok(name.parse().map_or_else(|_| Key::Found(name.into()), Key::Own))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_of_receivers_are_told_from_those_that_processors_find() {
        assert_eq!("tcp.flags".parse(), Ok(Key::Own(Attribute::Flags)));
        assert_eq!("service.name".parse(), Ok(Key::Found("service.name".into())));
        assert_eq!(Key::Found("service.name".into()).to_string(), "service.name");
    }
}
