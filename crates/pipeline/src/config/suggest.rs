//! Suggestions for mistyped words.

/// The candidate nearest to a mistyped `word`; `None` where none is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Jaro-Winkler similarity. What is less similar is a different word: `foo` is no misspelt `batch`.
    const NEAR: f64 = 0.75;
    let word = word.to_lowercase(); // nearly all candidates are in small letters
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

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
