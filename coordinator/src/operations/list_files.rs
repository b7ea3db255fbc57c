//! What a release holds, folder by folder, read from its manifest in the artifact store. It reads no content and changes
//! nothing.

use std::collections::HashMap;
use std::sync::Arc;

use pointsman_archive::{Entry, Kind, Manifest};
use pointsman_domain::Refusal;
use pointsman_shared::api::files::{FileKind, ReleaseFile};
use pointsman_store::releases::{Built, ReleaseRow};

use crate::app::App;
use crate::artifacts::ArtifactError;
use crate::error::{OperationError, OperationResult};

/// The manifest of a release, and what else its build made.
pub async fn manifest(app: &App, release: &ReleaseRow) -> OperationResult<(Built, Arc<Manifest>)> {
    let Some(built) = release.built.clone() else {
        let what = format!("release {} is not built, so that it has no files", release.label);
        return Err(Refusal::conflict("release_not_built", what).into());
    };
    let found = app.objects.manifest(&built.manifest).await.map_err(failed)?;
    let manifest = found.ok_or_else(|| missing(release, "its list of files"))?;
    Ok((built, manifest))
}

/// What a release names and the artifact store has not; a collected release, mostly.
pub(super) fn missing(release: &ReleaseRow, what: &str) -> Refusal {
    let what = format!(
        "{what} is not in the artifact store any more: release {} was collected",
        release.label
    );
    Refusal::not_found("object_missing", what).hint("build it again under a new number")
}

pub(super) fn failed(error: ArtifactError) -> OperationError {
    OperationError::internal("reading a release's files", error)
}

/// What stands directly in a folder, folders first; the empty name is the release itself.
pub fn folder(manifest: &Manifest, under: &str) -> Result<Vec<ReleaseFile>, Refusal> {
    let under = under.trim_matches('/');
    let prefix = if under.is_empty() {
        String::new()
    } else {
        match manifest.get(under).map(|entry| &entry.kind) {
            Some(Kind::Directory) => format!("{under}/"),
            Some(Kind::File { .. } | Kind::Symlink { .. }) | None => {
                return Err(Refusal::not_found(
                    "unknown_folder",
                    format!("this release has no folder {under}"),
                ));
            }
        }
    };
    let mut rows: Vec<ReleaseFile> = Vec::new();
    let mut folders: HashMap<&str, usize> = HashMap::new();
    for entry in below(manifest, &prefix) {
        let rest = entry.path.as_str().strip_prefix(&prefix).unwrap_or_default();
        let Some((name, _)) = rest.split_once('/') else {
            if matches!(entry.kind, Kind::Directory) {
                folders.insert(rest, rows.len());
            }
            rows.push(row(entry));
            continue;
        };
        // The folder stands before its content, though not always right before it: `a`, `a.txt`, `a/b`.
        let folder = folders.get(name).and_then(|at| rows.get_mut(*at));
        if let Some(folder) = folder
            && !matches!(entry.kind, Kind::Directory)
        {
            folder.size += entry.kind.size();
            folder.files += 1;
        }
    }
    rows.sort_by(|a, b| {
        let is_no_folder = |row: &ReleaseFile| row.kind != FileKind::Folder;
        (is_no_folder(a), &a.path).cmp(&(is_no_folder(b), &b.path))
    });
    Ok(rows)
}

/// Every file and link below a folder, by path.
pub fn deep(manifest: &Manifest, under: &str) -> Result<Vec<ReleaseFile>, Refusal> {
    let under = under.trim_matches('/');
    if !under.is_empty() {
        folder(manifest, under)?;
    }
    let prefix = if under.is_empty() {
        String::new()
    } else {
        format!("{under}/")
    };
    let files = below(manifest, &prefix).filter(|entry| !matches!(entry.kind, Kind::Directory));
    Ok(files.map(row).collect())
}

/// Entries stand by path, so that those below a folder are neighbours.
fn below<'a>(manifest: &'a Manifest, prefix: &'a str) -> impl Iterator<Item = &'a Entry> {
    let entries = manifest.entries();
    let first = entries.partition_point(|entry| entry.path.as_str() < prefix);
    let rest = entries.get(first..).unwrap_or_default().iter();
    rest.take_while(move |entry| entry.path.as_str().starts_with(prefix))
}

/// An entry as a row; a folder counts nothing yet.
pub(super) fn row(entry: &Entry) -> ReleaseFile {
    let (kind, sha256, link) = match &entry.kind {
        Kind::File { digest, .. } => (FileKind::File, Some(*digest), None),
        Kind::Directory => (FileKind::Folder, None, None),
        Kind::Symlink { target } => (FileKind::Link, None, Some(target.clone())),
    };
    ReleaseFile {
        path: entry.path.to_string(),
        kind,
        mode: format!("{:o}", entry.kind.mode()),
        size: entry.kind.size(),
        files: u64::from(kind != FileKind::Folder),
        sha256,
        link,
    }
}

#[cfg(test)]
mod tests {
    use pointsman_shared::digest::Digest;

    use super::*;

    fn entry(path: &str) -> Entry {
        let kind = if path.ends_with('/') {
            Kind::Directory
        } else {
            Kind::File {
                executable: path.contains("bin"),
                size: path.len() as u64,
                digest: Digest::of(path.as_bytes()),
            }
        };
        Entry {
            path: pointsman_archive::ReleasePath::new(path.trim_end_matches('/')).unwrap(),
            kind,
        }
    }

    fn names(rows: &[ReleaseFile]) -> Vec<(&str, u64, u64)> {
        rows.iter()
            .map(|row| (row.path.as_str(), row.files, row.size))
            .collect()
    }

    #[test]
    fn a_folder_counts_what_is_below_it_also_where_a_neighbour_stands_between() {
        let paths = ["a/", "a.txt", "a/b/", "a/b/bin", "a/c", "z"];
        let manifest = Manifest::new(paths.iter().map(|path| entry(path)).collect()).unwrap();
        let top = folder(&manifest, "").unwrap();
        assert_eq!(names(&top), [("a", 2, 10), ("a.txt", 1, 5), ("z", 1, 1)]);
        let below = folder(&manifest, "/a/").unwrap();
        assert_eq!(names(&below), [("a/b", 1, 7), ("a/c", 1, 3)]);
        assert_eq!(folder(&manifest, "a/b").unwrap()[0].mode, "755");
        assert_eq!(
            names(&deep(&manifest, "a").unwrap()),
            [("a/b/bin", 1, 7), ("a/c", 1, 3)]
        );
        assert_eq!(deep(&manifest, "").unwrap().len(), 4);
        assert_eq!(folder(&manifest, "a.txt").unwrap_err().code, "unknown_folder");
    }
}
