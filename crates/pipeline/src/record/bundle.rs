//! Attributes that a processor found for one side of a connection. All records with that side share them.

use std::sync::Arc;

use crate::attribute::{OwnedValue, Value};

/// Names and values in a fixed order, each name once.
///
/// The configuration can set the names, and some of them come from users, so they are not in the list of [`Attribute`].
///
/// [`Attribute`]: crate::attribute::Attribute
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle(Vec<(Arc<str>, OwnedValue)>);

impl Bundle {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        // A bundle has few names, so a linear search is faster than a map.
        self.iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    /// This bundle, and behind it what `other` has and this one has not.
    pub fn with(&self, other: &Bundle) -> Bundle {
        self.0.iter().chain(&other.0).cloned().collect()
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.0.iter().map(|(name, value)| (&**name, value.value()))
    }
}

/// Keeps the order. If a name comes twice, its first value stays.
impl FromIterator<(Arc<str>, OwnedValue)> for Bundle {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, OwnedValue)>>(attributes: I) -> Bundle {
        let mut bundle = Bundle::default();
        for (name, value) in attributes {
            if bundle.get(&name).is_none() {
                bundle.0.push((name, value));
            }
        }
        bundle
    }
}

#[cfg(test)]
mod tests {
    //! Order and repeated names.

    use super::*;

    #[test]
    fn each_name_appears_once_and_the_order_stays() {
        let found = [("service.name", "shop"), ("k8s.pod.name", "shop-1"), ("service.name", "other")];
        let bundle: Bundle = found.map(|(name, value)| (name.into(), value.into())).into_iter().collect();
        let shown: Vec<_> = bundle.iter().map(|(name, value)| (name, value.to_string())).collect();
        let expected = [("service.name", "shop".to_owned()), ("k8s.pod.name", "shop-1".to_owned())];
        assert_eq!(shown, expected);
        assert_eq!(bundle.get("service.name").map(|value| value.to_string()).as_deref(), Some("shop"));
        assert_eq!(bundle.get("service"), None);
    }
}
