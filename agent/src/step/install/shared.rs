//! The files and folders that outlive releases: they must be there before a release links to them.
//!
//! Missing folders are made; missing files are the operator's to bring, all of them are named at once. What stands in
//! `shared/` is never changed and may itself be a link.

use std::collections::BTreeSet;
use std::path::Path;

use pointsman_archive::{ReleasePath, SharedLink};
use pointsman_shared::outcome::Phase;
use pointsman_shared::recipe::SharedPath;

use crate::dir::{Dir, FileError};
use crate::layout::Root;
use crate::step::{Failure, StepError};

/// The links of a release into `shared/`, relative, so that a root can be looked at from anywhere.
pub(super) fn links(shared: &[SharedPath]) -> Result<Vec<SharedLink>, StepError> {
    let link = |shared: &SharedPath| {
        let path = ReleasePath::new(shared.path.trim_end_matches('/'))?;
        // Out of the folders on the way, out of the release, out of `releases`.
        let up = "../".repeat(path.ancestors().count() + 2);
        Ok(SharedLink {
            target: format!("{up}shared/{path}"),
            path,
        })
    };
    let links: Result<Vec<_>, _> = shared.iter().map(link).collect();
    links.map_err(|error| Failure::archive(Phase::Install, &error))
}

/// Makes the missing folders and names the missing files.
pub(super) fn provide(root: &Root, shared: &[SharedPath], host: &str) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for wanted in shared {
        let path = root.shared().path().join(&wanted.path);
        let found = fs_err::metadata(&path);
        match (wanted.folder, found.map(|found| found.is_dir())) {
            (true, Ok(true)) | (false, Ok(false)) => {}
            (true, Ok(false)) => missing.push(format!("{} (it is a file)", path.display())),
            (false, Ok(true)) => missing.push(format!("{} (it is a folder)", path.display())),
            (false, Err(_)) => missing.push(path.display().to_string()),
            (true, Err(_)) => {
                fs_err::create_dir_all(&path).map_err(|error| Failure::io(Phase::Install, &error))?;
            }
        }
    }
    if missing.is_empty() {
        return root
            .shared()
            .sync()
            .map_err(|error| Failure::file(Phase::Install, &error));
    }
    let message = format!(
        "{host}: shared files are missing: {}; put them there, or take them out of `shared` in the recipe",
        missing.join(", ")
    );
    Err(Failure::new(Phase::Install, "shared_missing", message))
}

/// Makes the links in an unpacked tree, durably. The manifest was checked to leave their paths free.
pub(super) fn link(tree: &Path, links: &[SharedLink]) -> Result<(), FileError> {
    let mut touched = BTreeSet::new();
    for link in links {
        let path = tree.join(link.path.as_str());
        let failed = |error: std::io::Error| FileError::new("link", &path, error);
        for folder in link.path.ancestors().collect::<Vec<_>>().into_iter().rev() {
            match fs_err::create_dir(tree.join(folder)) {
                Ok(()) => touched.insert(tree.join(folder)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
                Err(error) => return Err(failed(error)),
            };
        }
        match fs_err::os::unix::fs::symlink(&link.target, &path) {
            Ok(()) => {}
            // A repeated step: verification will say if it is another link.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        touched.extend(path.parent().map(Path::to_owned));
        touched.extend(path.parent().and_then(Path::parent).map(Path::to_owned));
    }
    touched
        .iter()
        .filter(|folder| folder.starts_with(tree))
        .try_for_each(|folder| Dir::open(folder)?.sync())
}
