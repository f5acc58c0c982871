//! Lists `key=value,key=value` with percent-encoding, the form of OTEL_RESOURCE_ATTRIBUTES and
//! OTEL_EXPORTER_OTLP_HEADERS.

use percent_encoding::percent_decode_str;

/// Why a list can't be read. It names the item by its number and does not show it, since values may be secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected KEY=VALUE,KEY=VALUE with percent-encoded values, found something else in item {item}")]
pub(crate) struct NotKeyValues {
    /// The item's number, from 1.
    item: usize,
}

/// Reads a list. Spaces around keys and values are removed, and empty items are skipped.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, NotKeyValues> {
    text.split(',')
        .enumerate()
        .filter(|(_, item)| !item.trim().is_empty())
        .map(|(index, item)| {
            let wrong = NotKeyValues { item: index + 1 };
            let (key, value) = item.split_once('=').ok_or(wrong)?;
            let decoded = |text: &str| {
                percent_decode_str(text.trim()).decode_utf8().map(|text| text.into_owned()).map_err(|_| wrong)
            };
            match decoded(key)? {
                key if key.is_empty() => Err(wrong),
                key => Ok((key, decoded(value)?)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_percent_encoded_pairs() {
        let pairs = parse(" authorization = Bearer%20abc%3D= ,, x=,").expect("a list");
        assert_eq!(pairs, [("authorization".into(), "Bearer abc==".into()), ("x".into(), String::new())]);
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn an_error_names_the_item_and_does_not_show_it() {
        assert_eq!(parse("a=b,hunter2"), Err(NotKeyValues { item: 2 }));
        assert_eq!(parse("=hunter2"), Err(NotKeyValues { item: 1 }));
        assert_eq!(parse("a=%ff"), Err(NotKeyValues { item: 1 }));
        assert!(!parse("hunter2").expect_err("no pair").to_string().contains("hunter2"));
    }
}
