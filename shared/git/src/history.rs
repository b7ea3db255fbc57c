//! What a deployment brings and what it takes away: lists of commits between two points.
//!
//! Texts come from strangers: they are cut and cleaned of control characters. This module refuses to compare trees.

use git2::{Oid, Repository, RepositoryOpenFlags};
use pointsman_shared::readable;
use pointsman_shared::repository::CommitId;

use crate::error::Result;
use crate::mirror::Mirror;
use crate::refs::{commit_id, find_commit};
use crate::renewal::Fault;

/// Longest subject or author that is passed on, in characters.
const LONGEST: usize = 300;

/// One line of a commit list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full id.
    pub id: CommitId,
    /// The author's name.
    pub author: String,
    /// When it was written, in seconds since 1970.
    pub authored_at: i64,
    /// The first paragraph of its message, in one line.
    pub subject: String,
    /// The author's e-mail address.
    pub email: String,
    /// The commit that it says to revert, as its message spells it.
    pub reverts: Option<String>,
}

/// The difference between the history of two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Commits that the new one has and the old one has not, newest first.
    pub come: Vec<Commit>,
    /// Commits that the old one has and the new one has not, newest first: what a step back takes away.
    pub go: Vec<Commit>,
}

/// How much a commit has of a range of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// There is nothing in the range.
    NoRange,
    /// None of it.
    None,
    /// Some of it.
    Some,
    /// All of it.
    All,
}

impl Mirror {
    /// The commits that lead to `to` and not to `from`, newest first, at most `limit`.
    pub fn log(&self, from: Option<&CommitId>, to: &CommitId, limit: usize) -> Result<Vec<Commit>> {
        self.read(|repository| {
            let to = find_commit(repository, to)?.id();
            let from = from
                .map(|from| find_commit(repository, from))
                .transpose()?
                .map(|commit| commit.id());
            with_history(repository, |repository| walk(repository, from, to, limit))
        })
    }

    /// How much `head` has of the commits that lead to `bad` and not to `good`.
    pub fn carries(&self, head: &CommitId, good: &CommitId, bad: &CommitId) -> Result<Carried> {
        self.read(|repository| {
            let id = |commit| find_commit(repository, commit).map(|commit| commit.id());
            let (head, good, bad) = (id(head)?, id(good)?, id(bad)?);
            with_history(repository, |repository| {
                let all = count(repository, bad, &[good])?;
                // Hiding the head as well takes away what it has of them.
                let missing = count(repository, bad, &[good, head])?;
                Ok(match (all, missing) {
                    (0, _) => Carried::NoRange,
                    (_, 0) => Carried::All,
                    (all, missing) if missing == all => Carried::None,
                    (_, _) => Carried::Some,
                })
            })
        })
    }

    /// What comes and what goes when `to` takes the place of `from`; at most `limit` commits each.
    pub fn changes(&self, from: &CommitId, to: &CommitId, limit: usize) -> Result<Changes> {
        Ok(Changes {
            come: self.log(Some(from), to, limit)?,
            go: self.log(Some(to), from, limit)?,
        })
    }

    /// When the commit was made, in seconds since 1970: `SOURCE_DATE_EPOCH` of its build.
    pub fn commit_time(&self, commit: &CommitId) -> Result<i64> {
        self.read(|repository| Ok(find_commit(repository, commit)?.time().seconds()))
    }
}

/// Only one way of opening knows where the history of a shallow repository ends.
pub(crate) fn with_history<T>(
    repository: &Repository,
    read: impl FnOnce(&Repository) -> Result<T, Fault>,
) -> Result<T, Fault> {
    if !repository.is_shallow() {
        return read(repository);
    }
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE;
    read(&Repository::open_ext(repository.path(), flags, None::<&str>)?)
}

/// How many commits lead to `to` and to none of `hidden`.
pub(crate) fn count(repository: &Repository, to: Oid, hidden: &[Oid]) -> Result<usize, Fault> {
    let mut walk = repository.revwalk()?;
    walk.push(to)?;
    for hidden in hidden {
        walk.hide(*hidden)?;
    }
    let mut commits = 0;
    for id in walk {
        id?;
        commits += 1;
    }
    Ok(commits)
}

pub(crate) fn walk(
    repository: &Repository,
    from: Option<Oid>,
    to: Oid,
    limit: usize,
) -> Result<Vec<Commit>, Fault> {
    // The default order is git's own: by time, and of commits of one second the child first.
    let mut walk = repository.revwalk()?;
    walk.push(to)?;
    if let Some(from) = from {
        walk.hide(from)?;
    }
    let mut commits = Vec::new();
    for id in walk.take(limit) {
        commits.push(describe(&repository.find_commit(id?)?)?);
    }
    Ok(commits)
}

pub(crate) fn describe(commit: &git2::Commit<'_>) -> Result<Commit, Fault> {
    let author = commit.author();
    Ok(Commit {
        id: commit_id(commit.id())?,
        author: line(author.name_bytes()),
        authored_at: author.when().seconds(),
        subject: line(commit.message_bytes()),
        email: line(author.email_bytes()),
        reverts: reverted(commit.message_bytes()),
    })
}

/// The commit that a message of `git revert` names.
fn reverted(message: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(message);
    let (_, rest) = text.split_once("This reverts commit ")?;
    let digits: String = rest
        .chars()
        .take_while(char::is_ascii_hexdigit)
        .take(64)
        .collect();
    (digits.len() >= 7).then(|| digits.to_ascii_lowercase())
}

/// The first paragraph in one line, printable and not too long.
fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let paragraph = text.trim_start().split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = paragraph.split_whitespace().collect();
    let mut clean: String = words
        .join(" ")
        .chars()
        .map(|c| {
            if readable::is_misleading(c) {
                readable::STAND_IN
            } else {
                c
            }
        })
        .collect();
    if let Some((end, _)) = clean.char_indices().nth(LONGEST) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revert_names_what_it_takes_back() {
        let message = b"Revert \"Fix\"\n\nThis reverts commit B77D01A9.\n";
        assert_eq!(reverted(message).as_deref(), Some("b77d01a9"));
        assert_eq!(reverted(b"This reverts commit 12."), None);
        assert_eq!(reverted(b"Fix"), None);
    }

    #[test]
    fn subjects_are_one_clean_line() {
        assert_eq!(line(b"\nFix\r\nthe switch\n\nBody"), "Fix the switch");
        assert_eq!(line(b"a\x1b[31mb"), "a\u{fffd}[31mb");
        assert_eq!(line("a\u{202e}b".as_bytes()), "a\u{fffd}b");
        assert_eq!(line(&[b'f', 0xff]), "f\u{fffd}");
        assert_eq!(line("é".repeat(1000).as_bytes()).chars().count(), LONGEST + 1);
    }
}
