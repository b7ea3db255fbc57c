//! "Did you mean": names that come near a name that does not exist.
//!
//! It refuses to choose: it only makes a short list for a person.

/// At most this many names are suggested.
const MOST: usize = 5;

/// The names nearest to `asked`, nearest first; none if nothing comes near.
pub(crate) fn near<'a>(asked: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = asked.to_lowercase();
    let allowed = (wanted.chars().count() / 3).max(2);
    let mut scored: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let candidate = name.to_lowercase();
            let score = score(&wanted, &candidate)?;
            (score <= allowed).then_some((score, name))
        })
        .collect();
    scored.sort_unstable();
    scored.dedup();
    scored
        .into_iter()
        .take(MOST)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// 0 for the same name in other case or with a forgotten folder (`login` for `feature/login`, `origin/main` for
/// `main`) or `v`; else the number of edits; 2 for a beginning.
fn score(wanted: &str, candidate: &str) -> Option<usize> {
    let bare = |name: &str| name.strip_prefix('v').unwrap_or(name).to_owned();
    if bare(wanted) == bare(candidate)
        || wanted.ends_with(&format!("/{candidate}"))
        || candidate.ends_with(&format!("/{wanted}"))
    {
        return Some(0);
    }
    let begins = candidate.starts_with(wanted) || (candidate.len() > 3 && wanted.starts_with(candidate));
    let edits =
        (wanted.len().abs_diff(candidate.len()) <= 20).then(|| strsim::levenshtein(wanted, candidate));
    match (begins, edits) {
        (true, Some(edits)) => Some(edits.min(2)),
        (true, None) => Some(2),
        (false, edits) => edits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_come_first_and_far_ones_not_at_all() {
        let names = ["1.9.0", "1.9.1", "2.0.0-rc.1", "main", "feature/login", "release"];
        assert_eq!(near("v1.9.1", names), ["1.9.1", "1.9.0"]);
        assert_eq!(near("mian", names), ["main"]);
        assert_eq!(near("origin/main", names), ["main"]);
        assert_eq!(near("login", names), ["feature/login"]);
        assert_eq!(near("Release", names), ["release"]);
        assert_eq!(near("something-else", names), Vec::<String>::new());
    }
}
