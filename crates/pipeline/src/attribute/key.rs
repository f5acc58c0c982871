//! The key of an attribute: filters, sums and exporters use it to ask a record for the value.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::own::{Attribute, UnknownAttribute};

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

/// A configuration can name only the attributes that receivers set, since no processor finds others yet.
impl FromStr for Key {
    type Err = UnknownAttribute;

    fn from_str(name: &str) -> Result<Key, UnknownAttribute> {
        name.parse().map(Key::Own)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_configuration_can_name_only_the_attributes_that_receivers_set() {
        assert_eq!("tcp.flags".parse(), Ok(Key::Own(Attribute::Flags)));
        let error = "service.name".parse::<Key>().unwrap_err().to_string();
        assert_eq!(error, "service.name".parse::<Attribute>().unwrap_err().to_string());
        assert_eq!(Key::Found("service.name".into()).to_string(), "service.name");
    }
}
