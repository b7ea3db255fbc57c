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
        .map(|name| (edits(&asked, &name.to_lowercase()), name))
        .filter(|(edits, _)| *edits <= most)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance in characters.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (place, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(row[place] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
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
