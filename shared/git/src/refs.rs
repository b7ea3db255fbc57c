//! Ref -> commit, by one rule: exact tag, exact branch, commit prefix of 7 or more digits.
//!
//! Where two of them lead to different commits, the answer is an error that lists all; where none fits, an error with
//! near names. This module refuses to prefer silently and to guess.

use std::fmt;

use git2::{ErrorCode, ObjectType, Repository};
use pointsman_shared::repository::{CommitId, GitRef};

use crate::error::{Error, Hit, Result};
use crate::mirror::Mirror;
use crate::renewal::Fault;
use crate::suggest;

const TAGS: &str = "refs/tags/";
const BRANCHES: &str = "refs/heads/";

/// What a ref turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefKind {
    /// An annotated or light tag.
    Tag,
    /// A branch.
    Branch,
    /// A commit, by its id or the beginning of it.
    Commit,
}

impl fmt::Display for RefKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tag => "tag",
            Self::Branch => "branch",
            Self::Commit => "commit",
        })
    }
}

/// A ref and the one commit it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The commit, in full.
    pub commit: CommitId,
    /// The tag, if a tag was named: the label of a release built from it.
    pub label: Option<GitRef>,
    /// What was named.
    pub kind: RefKind,
}

/// A tag or branch of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefEntry {
    /// Its name without `refs/tags/` or `refs/heads/`. Git allows more than [`GitRef`]; such a name can be shown, but
    /// only its commit can be asked for.
    pub name: String,
    /// [`RefKind::Tag`] or [`RefKind::Branch`].
    pub kind: RefKind,
    /// The commit it leads to.
    pub commit: CommitId,
    /// When that commit was made, in seconds since 1970.
    pub committed_at: i64,
}

impl Mirror {
    /// The one commit that `reference` means in the mirror as last fetched.
    ///
    /// A commit that no branch or tag reaches must be brought here first ([`Mirror::ensure_commit`]).
    pub fn resolve(&self, reference: &GitRef) -> Result<Resolved> {
        self.read(|repository| {
            let name = reference.as_str();
            let mut hits = Vec::new();
            for (prefix, kind) in [(TAGS, RefKind::Tag), (BRANCHES, RefKind::Branch)] {
                if let Some(commit) = commit_of(repository, &format!("{prefix}{name}"))? {
                    hits.push(Hit {
                        kind,
                        name: name.to_owned(),
                        commit: commit_id(commit.id())?,
                    });
                }
            }
            if let Some(prefix) = reference.as_commit_prefix() {
                for id in commits_with_prefix(repository, &prefix)? {
                    hits.push(Hit {
                        kind: RefKind::Commit,
                        name: id.to_string(),
                        commit: commit_id(id)?,
                    });
                }
            }
            let Some(first) = hits.first() else {
                let entries = entries(repository)?;
                let suggestions = suggest::near(name, entries.iter().map(|entry| entry.name.as_str()));
                return Err(Error::UnknownRef {
                    reference: reference.clone(),
                    suggestions,
                }
                .into());
            };
            if hits.iter().any(|hit| hit.commit != first.commit) {
                return Err(Error::AmbiguousRef {
                    reference: reference.clone(),
                    hits,
                }
                .into());
            }
            let label = (first.kind == RefKind::Tag).then(|| reference.clone());
            Ok(Resolved {
                commit: first.commit.clone(),
                label,
                kind: first.kind,
            })
        })
    }

    /// The commit of exactly this branch or tag, whatever else has the same name; a commit by [`Mirror::resolve`].
    pub fn resolve_as(&self, kind: RefKind, name: &GitRef) -> Result<Resolved> {
        let prefix = match kind {
            RefKind::Tag => TAGS,
            RefKind::Branch => BRANCHES,
            RefKind::Commit => return self.resolve(name),
        };
        self.read(|repository| {
            let found = commit_of(repository, &format!("{prefix}{name}"))?;
            let commit = found.ok_or_else(|| Error::UnknownRef {
                reference: name.clone(),
                suggestions: Vec::new(),
            })?;
            Ok(Resolved {
                commit: commit_id(commit.id())?,
                label: (kind == RefKind::Tag).then(|| name.clone()),
                kind,
            })
        })
    }

    /// All tags and branches that lead to a commit, newest commit first.
    pub fn refs(&self) -> Result<Vec<RefEntry>> {
        self.read(|repository| {
            let mut entries = entries(repository)?;
            entries.sort_by(|a, b| {
                b.committed_at
                    .cmp(&a.committed_at)
                    .then_with(|| a.name.cmp(&b.name))
            });
            Ok(entries)
        })
    }

    /// The tag of a commit, where it bears one alone: of several none is preferred.
    pub fn only_tag(&self, commit: &CommitId) -> Result<Option<GitRef>> {
        let is_on_it = |entry: &RefEntry| entry.kind == RefKind::Tag && entry.commit == *commit;
        let mut tags = self.refs()?.into_iter().filter(is_on_it);
        let first = tags.next();
        let alone = first.filter(|_| tags.next().is_none());
        Ok(alone.and_then(|tag| tag.name.parse().ok()))
    }
}

/// The commit of a full ref name; none if there is no such ref or it leads to something else.
fn commit_of<'r>(repository: &'r Repository, full_name: &str) -> Result<Option<git2::Commit<'r>>, Fault> {
    match repository.find_reference(full_name) {
        Ok(reference) => peel(repository, &reference),
        Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn peel<'r>(
    repository: &'r Repository,
    reference: &git2::Reference<'_>,
) -> Result<Option<git2::Commit<'r>>, Fault> {
    let Some(mut id) = reference.target() else {
        return Ok(None);
    };
    // A tag may lead to a tag; the limit ends a circle of damage.
    for _ in 0..16 {
        let object = repository.find_object(id, None)?;
        match object.kind() {
            Some(ObjectType::Commit) => return Ok(Some(repository.find_commit(id)?)),
            Some(ObjectType::Tag) => id = repository.find_tag(id)?.target_id(),
            Some(ObjectType::Tree | ObjectType::Blob | ObjectType::Any) | None => return Ok(None),
        }
    }
    Ok(None)
}

pub(crate) fn entries(repository: &Repository) -> Result<Vec<RefEntry>, Fault> {
    let mut entries = Vec::new();
    for reference in repository.references()? {
        let reference = reference?;
        let full_name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
        let (kind, name) = match (full_name.strip_prefix(TAGS), full_name.strip_prefix(BRANCHES)) {
            (Some(name), _) => (RefKind::Tag, name),
            (None, Some(name)) => (RefKind::Branch, name),
            (None, None) => continue,
        };
        if let Some(commit) = peel(repository, &reference)? {
            let (commit, committed_at) = (commit_id(commit.id())?, commit.time().seconds());
            entries.push(RefEntry {
                name: name.to_owned(),
                kind,
                commit,
                committed_at,
            });
        }
    }
    Ok(entries)
}

fn commits_with_prefix(repository: &Repository, prefix: &str) -> Result<Vec<git2::Oid>, Fault> {
    if prefix.len() > 40 {
        return Ok(Vec::new());
    }
    match repository.find_commit_by_prefix(prefix) {
        Ok(commit) => Ok(vec![commit.id()]),
        Err(error) if error.code() == ErrorCode::Ambiguous => all_with_prefix(repository, prefix),
        Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Rare: several objects begin alike, and only commits among them count.
fn all_with_prefix(repository: &Repository, prefix: &str) -> Result<Vec<git2::Oid>, Fault> {
    let mut candidates = Vec::new();
    repository.odb()?.foreach(|id| {
        if id.to_string().starts_with(prefix) {
            candidates.push(*id);
        }
        true
    })?;
    candidates.sort();
    candidates.dedup();
    candidates.retain(|id| repository.find_commit(*id).is_ok());
    Ok(candidates)
}

/// libgit2's id as ours.
pub(crate) fn commit_id(id: git2::Oid) -> Result<CommitId, Fault> {
    id.to_string()
        .parse()
        .map_err(|error: pointsman_shared::repository::InvalidRepository| {
            Fault::Git(git2::Error::from_str(&error.to_string()))
        })
}

/// The commit object, or the error that it is not here.
pub(crate) fn find_commit<'r>(
    repository: &'r Repository,
    commit: &CommitId,
) -> Result<git2::Commit<'r>, Fault> {
    let unknown = || {
        Fault::Ours(Error::UnknownCommit {
            commit: commit.clone(),
        })
    };
    let id = git2::Oid::from_str(commit.as_str()).map_err(|_| unknown())?;
    repository.find_commit(id).map_err(|error| {
        let absent = matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec);
        if absent { unknown() } else { Fault::Git(error) }
    })
}
