//! Suggestions for mistyped words.

/// The candidate that is nearest to a mistyped `word`; `None` if no candidate is similar enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// The least Jaro-Winkler similarity, from 0 to 1. Below it a candidate is a different word, as `batch` is for
    /// `foo`.
    const NEAR: f64 = 0.75;
    let word = word.to_lowercase(); // nearly all candidates are in lower case
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// What is expected in place of `found`: "expected one of a, b", with "; did you mean b?" if `b` is near to it.
pub fn expected<S: AsRef<str>>(found: &str, names: &[S]) -> String {
    let mut sorted: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    sorted.sort_unstable();
    let expected = match sorted[..] {
        [] => return "nothing is expected here".to_owned(),
        [one] => format!("expected {one}"),
        _ => format!("expected one of {}", sorted.join(", ")),
    };
    match nearest(found, sorted.iter().copied()) {
        Some(name) => format!("{expected}; did you mean {name}?"),
        None => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_expected() {
        assert_eq!(
            expected("endpont", &["timeout", "endpoint"]),
            "expected one of endpoint, timeout; did you mean endpoint?"
        );
        assert_eq!(expected("zzz", &["timeout", "endpoint"]), "expected one of endpoint, timeout");
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["filter", "batch", "aggregate"];
        assert_eq!(nearest("bacth", known), Some("batch"));
        assert_eq!(nearest("agregate", known), Some("aggregate"));
        assert_eq!(nearest("BATCH", known), Some("batch"));
        assert_eq!(nearest("otlp", known), None);
        assert_eq!(nearest("", known), None);
    }
}
