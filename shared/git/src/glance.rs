//! What the mirror knows as it was last fetched. Nothing here asks the repository, makes a mirror or mends one: whoever
//! only looks at a page must not cause a fetch, and is told since when nobody looked.

use std::collections::BTreeSet;
use std::time::SystemTime;

use git2::Repository;
use pointsman_shared::repository::CommitId;

use crate::error::{Error, Result};
use crate::history::{Changes, Commit, count, describe, walk, with_history};
use crate::mirror::Mirror;
use crate::refs::{RefEntry, commit_id, entries, find_commit};
use crate::renewal::Fault;

/// Commits that are looked through for the nearest of some.
const FAR: usize = 500;

/// A branch or tag, its newest commit, and how far it is from what somebody named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The ref.
    pub entry: RefEntry,
    /// Its commit.
    pub commit: Commit,
    /// The nearest of the named commits that lead to it, and how many commits it has that this one has not.
    pub since: Option<(CommitId, usize)>,
}

impl Mirror {
    /// When all branches and tags were last brought here; none = there is no mirror yet.
    pub fn fetched_at(&self) -> Option<SystemTime> {
        if !self.is_ours() {
            return None;
        }
        // A mirror of an older version was never stamped.
        let stamp = fs_err::metadata(self.stamp()).or_else(|_| fs_err::metadata(self.repository()));
        stamp.and_then(|stamp| stamp.modified()).ok()
    }

    /// All branches and tags, newest commit first; none = there is no mirror yet.
    pub fn known_refs(&self) -> Result<Option<Vec<RefEntry>>> {
        self.glance(|repository| {
            let mut entries = entries(repository)?;
            entries.sort_by(|a, b| {
                b.committed_at
                    .cmp(&a.committed_at)
                    .then_with(|| a.name.cmp(&b.name))
            });
            Ok(entries)
        })
    }

    /// What `refs` lead to, and how far that is from the nearest of `named`.
    pub fn heads(&self, refs: &[RefEntry], named: &BTreeSet<CommitId>) -> Result<Option<Vec<Head>>> {
        self.glance(|repository| {
            with_history(repository, |repository| {
                let mut heads = Vec::new();
                for entry in refs {
                    let commit = find_commit(repository, &entry.commit)?;
                    heads.push(Head {
                        entry: entry.clone(),
                        commit: describe(&commit)?,
                        since: nearest(repository, &entry.commit, named)?,
                    });
                }
                Ok(heads)
            })
        })
    }

    /// How many commits lead to `to` and not to `from`; none where a commit is not here.
    pub fn distance(&self, from: &CommitId, to: &CommitId) -> Result<Option<usize>> {
        let counted = self.glance(|repository| {
            let (from, to) = (
                find_commit(repository, from)?.id(),
                find_commit(repository, to)?.id(),
            );
            with_history(repository, |repository| count(repository, to, &[from]))
        });
        match counted {
            Err(Error::UnknownCommit { .. }) => Ok(None),
            counted => counted,
        }
    }

    /// What comes and what goes when `to` takes the place of `from`, at most `limit` each; none where one is not here.
    pub fn between(&self, from: &CommitId, to: &CommitId, limit: usize) -> Result<Option<Changes>> {
        let listed = self.glance(|repository| {
            let (from, to) = (
                find_commit(repository, from)?.id(),
                find_commit(repository, to)?.id(),
            );
            with_history(repository, |repository| {
                Ok(Changes {
                    come: walk(repository, Some(from), to, limit)?,
                    go: walk(repository, Some(to), from, limit)?,
                })
            })
        });
        match listed {
            Err(Error::UnknownCommit { .. }) => Ok(None),
            listed => listed,
        }
    }

    /// The commits of a branch that `than` has not, newest first, at most `limit`; none where the branch or the commit
    /// is not here.
    pub fn newer(&self, branch: &str, than: &CommitId, limit: usize) -> Result<Option<Vec<Commit>>> {
        self.of_branch(branch, Some(than), limit)
    }

    /// The newest commits of a branch, at most `limit`; none where the branch is not here.
    pub fn newest(&self, branch: &str, limit: usize) -> Result<Option<Vec<Commit>>> {
        self.of_branch(branch, None, limit)
    }

    fn of_branch(&self, branch: &str, than: Option<&CommitId>, limit: usize) -> Result<Option<Vec<Commit>>> {
        let listed = self.glance(|repository| {
            let than = than.map(|than| find_commit(repository, than)).transpose()?;
            let than = than.map(|than| than.id());
            let head = repository.find_reference(&format!("refs/heads/{branch}"));
            let head = match head.and_then(|head| head.peel_to_commit()) {
                Ok(head) => head.id(),
                Err(error)
                    if matches!(
                        error.code(),
                        git2::ErrorCode::NotFound | git2::ErrorCode::InvalidSpec | git2::ErrorCode::Peel
                    ) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            };
            with_history(repository, |repository| walk(repository, than, head, limit)).map(Some)
        });
        match listed {
            Err(Error::UnknownCommit { .. }) => Ok(None),
            listed => listed.map(Option::flatten),
        }
    }

    /// Reads what is here; damage is left to whoever builds next.
    fn glance<T>(&self, work: impl Fn(&Repository) -> Result<T, Fault>) -> Result<Option<T>> {
        if !self.is_ours() {
            return Ok(None);
        }
        match self.read_once(&work) {
            Ok(read) => Ok(Some(read)),
            Err(Error::Damaged { reason, .. }) => {
                tracing::warn!(url = %self.url(), reason, "the mirror cannot be looked at");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The first of `named` on the way back from `head`, and how many commits come after it.
fn nearest(
    repository: &Repository,
    head: &CommitId,
    named: &BTreeSet<CommitId>,
) -> Result<Option<(CommitId, usize)>, Fault> {
    let head = find_commit(repository, head)?.id();
    let mut walk = repository.revwalk()?;
    walk.push(head)?;
    for id in walk.take(FAR) {
        let id = id?;
        let commit = commit_id(id)?;
        if named.contains(&commit) {
            let after = if id == head {
                0
            } else {
                count(repository, head, &[id])?
            };
            return Ok(Some((commit, after)));
        }
    }
    Ok(None)
}
