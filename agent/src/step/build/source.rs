//! The source of a build: the pinned commit out of the repository's mirror, and its submodules where the recipe says so.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use pointsman_git::{CheckedOut, CheckoutOptions, PlacedSubmodule, Result, SshKey, Stop, Submodules};
use pointsman_shared::api::agent::RepositoryAccess;
use pointsman_shared::ids::ProjectId;
use pointsman_shared::repository::{CommitId, RepositoryUrl};
use pointsman_shared::wire::job::BuildOrder;

use super::workshop::Workshop;

/// What is checked out, where to, and how it is reached.
pub(super) struct Source {
    pub(super) workshop: Arc<Workshop>,
    pub(super) project: ProjectId,
    pub(super) order: BuildOrder,
    pub(super) access: Arc<RepositoryAccess>,
    pub(super) destination: PathBuf,
    pub(super) stop: Stop,
    pub(super) now: SystemTime,
}

/// What was written.
pub(super) struct Written {
    checkout: CheckedOut,
    submodules: Vec<PlacedSubmodule>,
    with_submodules: bool,
    /// When the commit was made, in seconds since the Unix epoch.
    pub(super) time: i64,
}

impl Source {
    /// Fetches what is missing and writes the files. It may take minutes, and ends early when `stop` is requested.
    pub(super) fn check_out(self) -> Result<Written> {
        let order = &self.order;
        let private = self.access.private_key.as_deref();
        let key = private.map(|private| SshKey::new(private, &self.access.known_hosts));
        let key = key.transpose()?;
        let in_use = RefCell::new(Vec::new());
        let open = |url: &RepositoryUrl| {
            // The project's key is for its own repository, whoever else names another one.
            let key = (*url == order.repository).then(|| key.clone()).flatten();
            let (mirror, using) = self.workshop.mirror(self.project, url, key, &self.stop)?;
            in_use.borrow_mut().push(using);
            Ok(mirror)
        };
        let mirror = open(&order.repository)?;
        mirror.ensure_commit(&order.commit)?;
        let options = CheckoutOptions {
            subdirectory: order.subdirectory.clone(),
            ..CheckoutOptions::default()
        };
        let checkout = mirror.checkout(&order.commit, &self.destination, &options)?;
        let with_submodules = order.recipe.as_ref().is_some_and(|recipe| recipe.submodules);
        let submodules = if with_submodules {
            let submodules = Submodules { open: &open, options };
            mirror.checkout_submodules(&order.commit, &checkout.gitlinks, &self.destination, &submodules)?
        } else {
            Vec::new()
        };
        let time = mirror.commit_time(&order.commit)?;
        for mirror in in_use.borrow().iter() {
            if let Err(error) = mirror.used(self.now) {
                tracing::warn!(%error, "a mirror looks longer unused than it is");
            }
        }
        Ok(Written {
            checkout,
            submodules,
            with_submodules,
            time,
        })
    }
}

impl Written {
    /// What the log says of it.
    pub(super) fn lines(&self, commit: &CommitId) -> Vec<String> {
        let CheckedOut {
            files,
            bytes,
            gitlinks,
            ..
        } = &self.checkout;
        let mut lines = vec![format!("{commit}: {files} files, {bytes} bytes")];
        lines.extend(self.submodules.iter().map(|placed| {
            let PlacedSubmodule {
                path,
                url,
                commit,
                files,
                bytes,
            } = placed;
            format!("submodule {path}: {url} at {commit}, {files} files, {bytes} bytes")
        }));
        if !self.with_submodules && !gitlinks.is_empty() {
            let paths: Vec<_> = gitlinks.iter().map(|gitlink| gitlink.path.as_str()).collect();
            let paths = paths.join(", ");
            lines.push(format!(
                "submodules are empty folders: {paths}; `submodules = true` below [build] writes them"
            ));
        }
        lines
    }
}
