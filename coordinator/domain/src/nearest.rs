//! "Did you mean": the one known name that a mistyped name comes nearest to.
//!
//! It refuses to guess: a name that is far from all gets no suggestion.

/// The known name nearest to `asked`, if any is near: at most a third of its letters differ
/// (two swapped ones count as two).
pub fn nearest<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let asked = asked.to_lowercase();
    let letters = asked.chars().count();
    let most = (letters / 3).max(if letters < 4 { 1 } else { 2 });
    known
        .into_iter()
        .map(|name| (strsim::levenshtein(&asked, &name.to_lowercase()), name))
        .filter(|(edits, _)| *edits <= most)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["steps", "cache", "cache_key", "include", "timeout"];
        assert_eq!(nearest("step", known), Some("steps"));
        assert_eq!(nearest("Timout", known), Some("timeout"));
        assert_eq!(nearest("cachekey", known), Some("cache_key"));
        assert_eq!(nearest("environment", known), None);
    }
}
