//! Turns values into a typed configuration, or finds all of its problems.
//!
//! serde stops at the first error. Therefore a value that it refuses is reported and removed, and the rest is tried
//! again.

use std::collections::{BTreeMap, BTreeSet};

use figment::error::{Actual, Error, Kind};
use figment::value::{Dict, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_yaml::with::singleton_map_recursive;

use super::diagnostic::{KeyPath, expected};

const A_TEXT: &str = "a text";

/// A value that does not fit its type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) path: KeyPath,
    pub(super) message: String,
    /// A key without a default is not set.
    pub(super) missing: bool,
}

/// Makes a `T` of `value`. `None` if the rest of the value, without what was refused, is not enough for a `T`.
pub(super) fn extract<T: DeserializeOwned + Serialize>(value: Value) -> (Option<T>, Vec<Mismatch>) {
    let mut attempt = Attempt { value, taken: BTreeMap::new(), nulls: BTreeSet::new() };
    let mut found = Vec::new();
    loop {
        match T::deserialize(&attempt.value) {
            Ok(typed) => {
                if let Ok(typed) = singleton_map_recursive::serialize(&typed, serde_yaml::value::Serializer) {
                    find_lists(&attempt.value, &typed, &mut KeyPath::new(), &mut found);
                }
                return (Some(typed), found);
            }
            // An error can hold further errors. Only the first is reported here, since the next attempts find the
            // others.
            Err(error) => {
                let path = error.path.clone();
                // An unknown key is refused even if its value is null.
                let known = !matches!(error.kind, Kind::UnknownField(..));
                if known && attempt.null_means_default(&path) {
                    continue;
                }
                let missing = error.missing();
                found.push(Mismatch {
                    path: attempt.original(&path, &error),
                    message: describe(&error),
                    missing,
                });
                if missing || !attempt.take_out(&path) {
                    return (None, found);
                }
            }
        }
    }
}

/// Finds lists in place of mappings. serde accepts such a list and takes its items for the fields in their order.
fn find_lists(value: &Value, typed: &serde_yaml::Value, path: &mut KeyPath, found: &mut Vec<Mismatch>) {
    match (value, typed) {
        (Value::Array(..), serde_yaml::Value::Mapping(_)) => {
            let message = "found a list; expected a mapping".to_owned();
            found.push(Mismatch { path: path.clone(), message, missing: false });
        }
        (Value::Dict(_, values), serde_yaml::Value::Mapping(typed)) => {
            for (key, value) in values {
                if let Some(typed) = typed.get(key) {
                    path.push(key.clone());
                    find_lists(value, typed, path, found);
                    path.pop();
                }
            }
        }
        _ => {}
    }
}

struct Attempt {
    value: Value,
    /// How many items were removed from each list, so that messages about the others have their original index.
    taken: BTreeMap<KeyPath, usize>,
    /// Nulls that were replaced by an empty mapping.
    nulls: BTreeSet<KeyPath>,
}

impl Attempt {
    /// Replaces a null that a type refuses by an empty mapping. If that is refused too, it removes the key. Returns
    /// whether it changed something.
    fn null_means_default(&mut self, path: &[String]) -> bool {
        let Some((key, parents)) = path.split_last() else {
            let null = matches!(self.value, Value::Empty(..));
            if null {
                self.value = Dict::new().into();
            }
            return null;
        };
        let Some(Value::Dict(_, parent)) = at(&mut self.value, parents) else { return false };
        match parent.get(key) {
            Some(Value::Empty(..)) => {
                parent.insert(key.clone(), Dict::new().into());
                self.nulls.insert(path.to_vec())
            }
            Some(Value::Dict(_, dict)) if dict.is_empty() && self.nulls.contains(path) => {
                parent.remove(key);
                true
            }
            _ => false,
        }
    }

    fn take_out(&mut self, path: &[String]) -> bool {
        let Some((key, parents)) = path.split_last() else { return false };
        match at(&mut self.value, parents) {
            Some(Value::Dict(_, parent)) => parent.remove(key).is_some(),
            Some(Value::Array(_, items)) => {
                let Some(index) = key.parse().ok().filter(|index| *index < items.len()) else { return false };
                items.remove(index);
                *self.taken.entry(parents.to_vec()).or_default() += 1;
                true
            }
            _ => false,
        }
    }

    /// The path of an error in the original value. serde reads items in order, so all removed items came before this
    /// one.
    fn original(&self, path: &[String], error: &Error) -> KeyPath {
        let mut original = KeyPath::new();
        for (depth, part) in path.iter().enumerate() {
            let taken = self.taken.get(&path[..depth]).copied().unwrap_or(0);
            original.push(match part.parse::<usize>() {
                Ok(index) if taken > 0 => (index + taken).to_string(),
                _ => part.clone(),
            });
        }
        if let Kind::MissingField(name) = &error.kind {
            original.push(name.to_string());
        }
        original
    }
}

fn at<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Dict(_, dict) => dict.get_mut(key),
        Value::Array(_, items) => items.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    })
}

fn describe(error: &Error) -> String {
    match &error.kind {
        Kind::UnknownField(name, names) => format!("unknown key; {}", expected(name, names)),
        Kind::UnknownVariant(name, names) => format!("unknown value {name}; {}", expected(name, names)),
        Kind::MissingField(_) => "this key is missing, and it has no default".to_owned(),
        Kind::InvalidType(actual, wanted) => wrong_type(actual, wanted),
        Kind::InvalidValue(actual, wanted) => format!("{actual} does not fit; expected {}", in_yaml(wanted)),
        Kind::InvalidLength(length, wanted) => format!("{length} items; expected {}", in_yaml(wanted)),
        other => other.to_string(),
    }
}

/// The value itself is not shown, since it may be a secret in the wrong place.
fn wrong_type(actual: &Actual, wanted: &str) -> String {
    let found = match actual {
        Actual::Bool(_) => "a boolean",
        Actual::Unsigned(_) | Actual::Signed(_) => "a whole number",
        Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Unit | Actual::Option => "nothing",
        Actual::Seq => "a list",
        Actual::Map => "a mapping",
        _ => "something else",
    };
    let scalar =
        matches!(actual, Actual::Bool(_) | Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_));
    let expected = in_yaml(wanted);
    let hint = if scalar && expected == A_TEXT { "; put it in quotes" } else { "" };
    format!("found {found}; expected {expected}{hint}")
}

/// Translates serde's name of an expected type into the terms of YAML. Types of our own name themselves in these terms.
fn in_yaml(wanted: &str) -> &str {
    match wanted {
        "a string" | "string" => A_TEXT,
        "a sequence" => "a list",
        "a map" => "a mapping",
        "a boolean" => "true or false",
        "unit" => "nothing",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        _ if wanted.starts_with("struct ") => "a mapping",
        _ if wanted.starts_with("enum ") => "one word",
        _ => wanted,
    }
}

#[cfg(test)]
mod tests {
    use otel_tcpretrans_pipeline::config::{Interval, Size};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Outer {
        number: u16,
        list: Vec<u16>,
        inner: Inner,
    }

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        text: String,
    }

    impl Default for Outer {
        fn default() -> Self {
            Outer { number: 7, list: vec![1], inner: Inner::default() }
        }
    }

    impl Default for Inner {
        fn default() -> Self {
            Inner { text: "default".to_owned() }
        }
    }

    fn run(yaml: &str) -> (Option<Outer>, Vec<String>) {
        let (typed, found) = extract(serde_yaml::from_str(yaml).expect("yaml"));
        let line = |found: &Mismatch| format!("{}: {}", found.path.join("."), found.message);
        (typed, found.iter().map(line).collect())
    }

    #[test]
    fn all_problems_of_one_value_come_out_and_the_rest_is_typed() {
        let (typed, found) = run("{number: x, nubmer: 1, list: [a, 2, b, 3], inner: {txt: 1, text: 5}}");
        assert_eq!(found.len(), 6, "{found:#?}");
        assert!(found.iter().any(|line| line.starts_with("list.0:")));
        assert!(found.iter().any(|line| line.starts_with("list.2:")));
        assert!(
            found
                .iter()
                .any(|line| line.starts_with("nubmer: unknown key") && line.contains("did you mean number?"))
        );
        assert!(
            found.iter().any(|line| line.starts_with("inner.text:") && line.ends_with("put it in quotes"))
        );
        assert_eq!(typed, Some(Outer { list: vec![2, 3], ..Outer::default() }));
    }

    #[test]
    fn types_of_our_own_say_what_they_expect() {
        #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
        struct Limits {
            time: Interval,
            size: Option<Size>,
        }
        let limits = |yaml: &str| extract::<Limits>(serde_yaml::from_str(yaml).expect("yaml"));
        let typed = Limits { time: Interval::ZERO, size: Some(Size::of_bytes(5)) };
        assert_eq!(limits("{time: 0, size: 5}"), (Some(typed), vec![]));
        let (typed, found) = limits("{time: 5, size: -1}");
        assert_eq!(typed, None);
        let messages: Vec<_> = found.iter().map(|found| found.message.as_str()).collect();
        assert!(
            messages.contains(&"found a whole number; expected a duration, such as 200ms, 5s or 1m"),
            "{messages:?}"
        );
        assert!(
            messages.contains(&"signed int `-1` does not fit; expected a size, such as 64MiB or 512KiB"),
            "{messages:?}"
        );
    }

    #[test]
    fn null_means_default_but_an_unknown_key_stays_unknown() {
        assert_eq!(run("{number: , inner: , list: }"), (Some(Outer::default()), vec![]));
        assert_eq!(run("null"), (Some(Outer::default()), vec![]));
        assert_eq!(run("{inner: {text: }}").0, Some(Outer::default()));
        assert_eq!(run("{inner: {txet: }}").1.len(), 1);
        assert_eq!(run("{nonsense: }").1.len(), 1);
    }
}
