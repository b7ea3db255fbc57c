//! Which targets follow a push. Pure: it knows names, no repository.

use globset::{GlobBuilder, GlobMatcher};
use pointsman_shared::api::projects::PushPattern;

use crate::refusal::Refusal;

/// Patterns of a target at most.
pub const MOST_PATTERNS: usize = 20;

/// What was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed<'a> {
    /// A branch of this name.
    Branch(&'a str),
    /// A tag of this name.
    Tag(&'a str),
}

impl<'a> Pushed<'a> {
    /// Reads `refs/heads/main`, `refs/tags/1.9.1`; other refs are nothing that can be followed.
    pub fn of(reference: &'a str) -> Option<Self> {
        if let Some(name) = reference.strip_prefix("refs/heads/") {
            return Some(Self::Branch(name));
        }
        reference.strip_prefix("refs/tags/").map(Self::Tag)
    }

    /// Its name without what it is.
    pub const fn name(self) -> &'a str {
        match self {
            Self::Branch(name) | Self::Tag(name) => name,
        }
    }

    /// Whether one of these patterns means it.
    pub fn is_followed(self, patterns: &[PushPattern]) -> bool {
        patterns.iter().any(|pattern| match (pattern, self) {
            (PushPattern::Branch(pattern), Self::Branch(name))
            | (PushPattern::Tag(pattern), Self::Tag(name)) => {
                matcher(pattern).is_ok_and(|matcher| matcher.is_match(name))
            }
            (PushPattern::Branch(_), Self::Tag(_)) | (PushPattern::Tag(_), Self::Branch(_)) => false,
        })
    }
}

/// Refuses patterns that no ref could be held against.
pub fn judge(patterns: &[PushPattern]) -> Result<(), Refusal> {
    if patterns.len() > MOST_PATTERNS {
        let what = format!(
            "a target follows at most {MOST_PATTERNS} patterns, not {}",
            patterns.len()
        );
        return Err(Refusal::invalid("invalid_on_push", what).hint("use * and **"));
    }
    for pattern in patterns {
        let (PushPattern::Branch(glob) | PushPattern::Tag(glob)) = pattern;
        matcher(glob).map_err(|error| {
            let what = format!("on_push {pattern} cannot be used: {}", error.kind());
            Refusal::invalid("invalid_on_push", what).hint("write main, release/* or tag:v*")
        })?;
    }
    Ok(())
}

fn matcher(glob: &str) -> Result<GlobMatcher, globset::Error> {
    let mut glob = GlobBuilder::new(glob);
    Ok(glob.literal_separator(true).build()?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follows(pattern: &str, reference: &str) -> bool {
        let pattern = pattern.parse().unwrap();
        judge(std::slice::from_ref(&pattern)).unwrap();
        Pushed::of(reference).is_some_and(|pushed| pushed.is_followed(&[pattern]))
    }

    #[test]
    fn patterns_mean_whole_names() {
        for (pattern, reference, meant) in [
            ("main", "refs/heads/main", true),
            ("main", "refs/heads/main2", false),
            ("main", "refs/heads/feature/main", false),
            ("main", "refs/tags/main", false),
            ("Main", "refs/heads/main", false),
            ("release/*", "refs/heads/release/1.9", true),
            ("release/*", "refs/heads/release/1.9/hot", false),
            ("release/**", "refs/heads/release/1.9/hot", true),
            ("*", "refs/heads/main", true),
            ("*", "refs/heads/a/b", false),
            ("**", "refs/heads/a/b", true),
            ("tag:v*", "refs/tags/v1.9.1", true),
            ("tag:v*", "refs/heads/v1.9.1", false),
            ("tag:*", "refs/notes/commits", false),
        ] {
            assert_eq!(follows(pattern, reference), meant, "{pattern} and {reference}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "",
            "tag:",
            "refs/heads/main",
            "a b",
            "{a,b}",
            "[ab]",
            "a?",
            "a\\b",
        ] {
            assert!(text.parse::<PushPattern>().is_err(), "{text}");
        }
        let many = vec![PushPattern::Branch("main".to_owned()); MOST_PATTERNS + 1];
        assert_eq!(judge(&many).unwrap_err().code, "invalid_on_push");
    }
}
