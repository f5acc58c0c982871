//! Names of metrics and labels, as the OpenTelemetry specification translates them ("Prometheus and OpenMetrics
//! Compatibility", the strategy `UnderscoreEscapingWithSuffixes`).

use std::collections::BTreeMap;

use prometheus_client::registry::Unit;

/// The name of a metric, without the unit at its end and without `_total`.
pub(super) fn metric(namespace: Option<&str>, name: &str, unit: Option<&Unit>) -> String {
    let all = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}_{name}"));
    let mut escaped = escaped(&all, |letter| letter.is_ascii_alphanumeric() || letter == ':');
    // What the encoder adds must not be there twice.
    let ends = ["_total".to_owned()].into_iter().chain(unit.map(|unit| format!("_{}", unit.as_str())));
    for end in ends {
        if let Some(rest) = escaped.strip_suffix(&end) {
            escaped.truncate(rest.len());
        }
    }
    escaped
}

/// The name of a label.
pub(super) fn label(name: &str) -> String {
    escaped(name, |letter| letter.is_ascii_alphanumeric())
}

/// Labels by name. If several attributes become the same label, their values are joined by a semicolon, in the order of
/// the attributes' names.
pub(super) fn labels<'a>(attributes: impl Iterator<Item = (&'a str, String)>) -> BTreeMap<String, String> {
    let sorted: BTreeMap<&str, String> = attributes.collect();
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in sorted {
        labels
            .entry(label(name))
            .and_modify(|all| {
                all.push(';');
                all.push_str(&value);
            })
            .or_insert(value);
    }
    labels
}

/// The unit at the end of a name, for a unit in UCUM. Annotations, such as `{segment}`, are none.
pub(super) fn unit(ucum: &str) -> Option<Unit> {
    match ucum {
        "By" => Some(Unit::Bytes),
        "s" => Some(Unit::Seconds),
        "ms" => Some(Unit::Other("milliseconds".to_owned())),
        _ => None,
    }
}

/// Replaces each run of characters that are not `allowed` by one underscore. A digit at the beginning gets one, too.
fn escaped(name: &str, allowed: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(name.len());
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        escaped.push('_');
    }
    for letter in name.chars() {
        if allowed(letter) {
            escaped.push(letter);
        } else if !escaped.ends_with('_') {
            escaped.push('_');
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_named_as_the_specification_says() {
        let name = |namespace, name, ucum| metric(namespace, name, unit(ucum).as_ref());
        assert_eq!(
            name(None, "system.network.tcp.retransmits", "{segment}"),
            "system_network_tcp_retransmits"
        );
        assert_eq!(name(Some("my-ns"), "a.io", "By"), "my_ns_a_io");
        assert_eq!(name(None, "a.bytes", "By"), "a", "the encoder adds the unit");
        assert_eq!(name(None, "a.total", "{x}"), "a");
        assert_eq!(name(None, "2nd--try", ""), "_2nd_try");
    }

    #[test]
    fn labels_that_become_one_have_both_values() {
        let attributes = [("a.b", "1"), ("c", "3"), ("a_b", "2")];
        let labels = labels(attributes.into_iter().map(|(name, value)| (name, value.to_owned())));
        let expected = [("a_b", "1;2"), ("c", "3")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(labels, expected.into());
    }
}
