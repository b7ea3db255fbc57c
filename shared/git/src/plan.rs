//! What a tree holds, checked entry by entry before a single byte is written; and single files of it.
//!
//! Names come from strangers. A name that is no UTF-8, holds control bytes, is `.git` or would leave its folder is
//! refused with its path in escaped form; nothing is skipped or renamed. Names that differ only by case are fine.

use git2::{Oid, Repository};
use pointsman_shared::repository::CommitId;

use crate::error::{Error, Result};
use crate::mirror::Mirror;
use crate::refs::find_commit;
use crate::renewal::Fault;

/// An entry of the plan; paths are relative to the checked-out folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) path: String,
    pub(crate) blob: Oid,
}

/// All that a checkout makes. Folders stand before what lies in them.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) folders: Vec<String>,
    pub(crate) files: Vec<(Planned, Executable)>,
    pub(crate) links: Vec<Planned>,
    /// Also in `folders`.
    pub(crate) gitlinks: Vec<Gitlink>,
}

/// A commit of another repository in the place of a folder: a submodule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gitlink {
    /// Path in the checked-out folder.
    pub path: String,
    /// The pinned commit.
    pub commit: CommitId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Executable {
    Yes,
    No,
}

impl Mirror {
    /// The bytes of a file at `path` in `commit`; none if nothing is there.
    ///
    /// A folder or a link in its place and a file of more than `limit` bytes are errors.
    pub fn read_blob(&self, commit: &CommitId, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        self.read(|repository| {
            let tree = find_commit(repository, commit)?.tree()?;
            let Some((mode, id)) = entry_at(repository, &tree, path)? else {
                return Ok(None);
            };
            if !matches!(Kind::of(mode), Some(Kind::File(_))) {
                return Err(unusable(commit, path.as_bytes(), "it is not a file").into());
            }
            let (size, _) = repository.odb()?.read_header(id)?;
            let size = size as u64;
            if size > limit {
                return Err(Error::TooLarge {
                    commit: commit.clone(),
                    path: path.to_owned(),
                    size,
                    limit,
                }
                .into());
            }
            Ok(Some(repository.find_blob(id)?.content().to_vec()))
        })
    }
}

impl Plan {
    /// Walks the tree of `commit`, or of its folder `subdirectory`.
    pub(crate) fn of(
        repository: &Repository,
        commit: &CommitId,
        subdirectory: Option<&str>,
    ) -> Result<Self, Fault> {
        let root = find_commit(repository, commit)?.tree()?;
        let start = match subdirectory {
            None => root.id(),
            Some(path) => match entry_at(repository, &root, path)? {
                Some((mode, id)) if matches!(Kind::of(mode), Some(Kind::Folder)) => id,
                Some(_) | None => {
                    return Err(Error::NoSuchFolder {
                        commit: commit.clone(),
                        path: path.to_owned(),
                    }
                    .into());
                }
            },
        };
        let mut plan = Self::default();
        let mut waiting = vec![(String::new(), start)];
        while let Some((prefix, tree)) = waiting.pop() {
            for entry in &repository.find_tree(tree)? {
                let path = checked_path(commit, &prefix, entry.name_bytes())?;
                let blob = entry.id();
                match Kind::of(entry.filemode_raw()) {
                    Some(Kind::Folder) => {
                        waiting.push((format!("{path}/"), blob));
                        plan.folders.push(path);
                    }
                    Some(Kind::File(executable)) => plan.files.push((Planned { path, blob }, executable)),
                    Some(Kind::Link) => plan.links.push(Planned { path, blob }),
                    Some(Kind::Gitlink) => {
                        plan.folders.push(path.clone());
                        plan.gitlinks.push(gitlink(commit, path, blob)?);
                    }
                    None => {
                        return Err(
                            unusable(commit, path.as_bytes(), "git knows no such kind of entry").into(),
                        );
                    }
                }
            }
        }
        Ok(plan)
    }
}

fn gitlink(commit: &CommitId, path: String, pinned: Oid) -> Result<Gitlink> {
    match pinned.to_string().parse() {
        Ok(pinned) => Ok(Gitlink { path, commit: pinned }),
        Err(_) => Err(unusable(commit, path.as_bytes(), "it pins no commit")),
    }
}

/// Mode and object of what stands at `path`; none if nothing does. A path is names joined by `/`, nothing else.
fn entry_at(repository: &Repository, root: &git2::Tree<'_>, path: &str) -> Result<Option<(i32, Oid)>, Fault> {
    let mut found: Option<(i32, Oid)> = None;
    for name in path.split('/') {
        let entry = match found {
            None => root
                .get_name(name)
                .map(|entry| (entry.filemode_raw(), entry.id())),
            Some((mode, id)) if matches!(Kind::of(mode), Some(Kind::Folder)) => repository
                .find_tree(id)?
                .get_name(name)
                .map(|entry| (entry.filemode_raw(), entry.id())),
            Some(_) => None,
        };
        let Some(entry) = entry else { return Ok(None) };
        found = Some(entry);
    }
    Ok(found)
}

enum Kind {
    Folder,
    File(Executable),
    Link,
    Gitlink,
}

impl Kind {
    /// Of a mode as the tree has it; old histories hold more permission bits than git writes today.
    fn of(mode: i32) -> Option<Self> {
        match mode & 0o170_000 {
            0o040_000 => Some(Self::Folder),
            0o100_000 if mode & 0o100 != 0 => Some(Self::File(Executable::Yes)),
            0o100_000 => Some(Self::File(Executable::No)),
            0o120_000 => Some(Self::Link),
            0o160_000 => Some(Self::Gitlink),
            _ => None,
        }
    }
}

fn checked_path(commit: &CommitId, prefix: &str, name: &[u8]) -> Result<String> {
    let refuse = |why| {
        let path = [prefix.as_bytes(), name].concat();
        Err(unusable(commit, &path, why))
    };
    if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') {
        return refuse("the name would leave its folder");
    }
    if name.eq_ignore_ascii_case(b".git") {
        return refuse("no file may be called .git");
    }
    if name.iter().any(|byte| *byte < 0x20 || *byte == 0x7f) {
        return refuse("names may not hold control characters");
    }
    match std::str::from_utf8(name) {
        Ok(name) => Ok(format!("{prefix}{name}")),
        Err(_) => refuse("names must be UTF-8"),
    }
}

/// The error for an entry that cannot be used; the path is escaped for people and logs.
pub(crate) fn unusable(commit: &CommitId, path: &[u8], why: &'static str) -> Error {
    Error::UnusablePath {
        commit: commit.clone(),
        path: format!("\"{}\"", path.escape_ascii()),
        why,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commit() -> CommitId {
        "0".repeat(40).parse().expect("a commit id")
    }

    #[test]
    fn refused_names_are_shown_escaped() {
        let error = checked_path(&commit(), "web/", b"gr\xf6\xdfe\n")
            .expect_err("control byte")
            .to_string();
        assert!(error.contains(r#""web/gr\xf6\xdfe\n""#), "{error}");
        for name in [
            &b""[..],
            b".",
            b"..",
            b"a/b",
            b".git",
            b".GIT",
            b"a\0",
            b"\x7f",
            b"\xff",
        ] {
            assert!(checked_path(&commit(), "", name).is_err(), "{name:?}");
        }
        for name in ["größe", "a b", ".gitignore", "-x", "...", "a\\b", "git~1"] {
            assert_eq!(
                checked_path(&commit(), "d/", name.as_bytes()).ok(),
                Some(format!("d/{name}"))
            );
        }
    }

    proptest! {
        #[test]
        fn accepted_names_stay_in_their_folder(name in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(path) = checked_path(&commit(), "d/", &name) {
                prop_assert_eq!(std::path::Path::new(&path).components().count(), 2);
                prop_assert_eq!(&path.as_bytes()[2..], &name[..]);
            }
        }
    }
}
