//! Submodules by choice: the pinned commits of gitlinks, written into the folders that a checkout left empty, and theirs
//! in turn.
//!
//! Each is a repository of its own, reached under the same rules as every other, with a mirror of its own that the caller
//! opens; nothing is cloned into the checkout, and no `.git` stands in it. What `.gitmodules` says is only ever an
//! address for a path that the tree itself has. It refuses depths and numbers that no honest repository has.

use std::path::Path;

use pointsman_shared::repository::{CommitId, RepositoryUrl};

use crate::checkout::CheckoutOptions;
use crate::error::{BrokenSubmodule, Error, Result};
use crate::gitmodules;
use crate::mirror::Mirror;
use crate::plan::Gitlink;

/// How deep submodules may lie in submodules.
const DEEPEST: usize = 8;
/// Submodules of one checkout, at most.
const MOST: usize = 500;
/// Largest `.gitmodules`, in bytes.
const LONGEST: u64 = 1 << 20;

/// A submodule that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedSubmodule {
    /// Its path in the checked-out folder.
    pub path: String,
    /// Its address.
    pub url: RepositoryUrl,
    /// The pinned commit.
    pub commit: CommitId,
    /// Its regular files, without those of its own submodules.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// How the repositories of submodules are opened.
pub struct Submodules<'a> {
    /// Opens the mirror of an address.
    pub open: &'a dyn Fn(&RepositoryUrl) -> Result<Mirror>,
    /// As in the checkout itself.
    pub options: CheckoutOptions,
}

impl std::fmt::Debug for Submodules<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submodules").finish_non_exhaustive()
    }
}

/// A checkout that may hold gitlinks.
struct Holder<'a> {
    mirror: &'a Mirror,
    commit: &'a CommitId,
    /// The folder of the repository that was written, when not all of it was.
    subdirectory: Option<&'a str>,
    gitlinks: &'a [Gitlink],
    /// Path of the checkout in the whole, with a slash at its end; empty for the whole itself.
    prefix: String,
    depth: usize,
}

impl Mirror {
    /// Writes the submodules of a checkout of `commit` to `destination`, which left `gitlinks` as empty folders.
    pub fn checkout_submodules(
        &self,
        commit: &CommitId,
        gitlinks: &[Gitlink],
        destination: &Path,
        submodules: &Submodules<'_>,
    ) -> Result<Vec<PlacedSubmodule>> {
        let holder = Holder {
            mirror: self,
            commit,
            subdirectory: submodules.options.subdirectory.as_deref(),
            gitlinks,
            prefix: String::new(),
            depth: 1,
        };
        let mut placed = Vec::new();
        holder.fill(destination, submodules, &mut placed)?;
        Ok(placed)
    }
}

impl Holder<'_> {
    fn fill(
        &self,
        destination: &Path,
        submodules: &Submodules<'_>,
        placed: &mut Vec<PlacedSubmodule>,
    ) -> Result<()> {
        let Some(first) = self.gitlinks.first() else {
            return Ok(());
        };
        if self.depth > DEEPEST {
            let why = format!("submodules lie more than {DEEPEST} deep in each other");
            return Err(self.unusable(&first.path, why));
        }
        let addresses = self.addresses()?;
        for gitlink in self.gitlinks {
            if placed.len() >= MOST {
                let why = format!("there are more than {MOST} submodules");
                return Err(self.unusable(&gitlink.path, why));
            }
            let path = self.in_repository(&gitlink.path);
            let text = addresses.get(&path).ok_or_else(|| {
                self.unusable(&gitlink.path, ".gitmodules has no address for it".to_owned())
            })?;
            let url = self.mirror.url().resolve(text);
            let url = url.map_err(|error| self.unusable(&gitlink.path, error.to_string()))?;
            self.place(gitlink, &url, destination, submodules, placed)
                .map_err(|error| self.of(gitlink, &url, error))?;
        }
        Ok(())
    }

    /// Writes one submodule, and those that it holds.
    fn place(
        &self,
        gitlink: &Gitlink,
        url: &RepositoryUrl,
        destination: &Path,
        submodules: &Submodules<'_>,
        placed: &mut Vec<PlacedSubmodule>,
    ) -> Result<()> {
        let mirror = (submodules.open)(url)?;
        mirror.ensure_commit(&gitlink.commit)?;
        let folder = destination.join(&gitlink.path);
        let options = CheckoutOptions {
            subdirectory: None,
            ..submodules.options
        };
        let written = mirror.checkout(&gitlink.commit, &folder, &options)?;
        placed.push(PlacedSubmodule {
            path: self.whole(&gitlink.path),
            url: url.clone(),
            commit: gitlink.commit.clone(),
            files: written.files,
            bytes: written.bytes,
        });
        let inner = Holder {
            mirror: &mirror,
            commit: &gitlink.commit,
            subdirectory: None,
            gitlinks: &written.gitlinks,
            prefix: format!("{}/", self.whole(&gitlink.path)),
            depth: self.depth + 1,
        };
        inner.fill(&folder, submodules, placed)
    }

    fn addresses(&self) -> Result<std::collections::BTreeMap<String, String>> {
        let refused = |why: String| self.unusable(".gitmodules", why);
        let bytes = self.mirror.read_blob(self.commit, ".gitmodules", LONGEST)?;
        let text = String::from_utf8(bytes.unwrap_or_default());
        let text = text.map_err(|_| refused("it is not UTF-8".to_owned()))?;
        gitmodules::parse(&text).map_err(|error| refused(format!("line {}: {}", error.line, error.why)))
    }

    /// A path of the written folder as the repository has it.
    fn in_repository(&self, path: &str) -> String {
        match self.subdirectory {
            Some(folder) => format!("{}/{path}", folder.trim_end_matches('/')),
            None => path.to_owned(),
        }
    }

    fn whole(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    fn unusable(&self, path: &str, why: String) -> Error {
        Error::UnusableSubmodule {
            commit: self.commit.clone(),
            path: self.whole(path),
            why,
        }
    }

    /// Names the submodule that failed; of one inside another the innermost says it all.
    fn of(&self, gitlink: &Gitlink, url: &RepositoryUrl, error: Error) -> Error {
        if matches!(
            error,
            Error::Submodule(_) | Error::UnusableSubmodule { .. } | Error::Stopped
        ) {
            return error;
        }
        Error::Submodule(Box::new(BrokenSubmodule {
            path: self.whole(&gitlink.path),
            url: url.clone(),
            commit: gitlink.commit.clone(),
            error,
        }))
    }
}
