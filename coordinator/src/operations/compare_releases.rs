//! How the files of one release differ from those of another: by their manifests, and for a small text by its lines.
//!
//! Content is read out of the archive's one member that holds it. It refuses to read what is large or no text: whoever
//! wants all of it has the repository.

use std::cmp::Ordering;

use pointsman_archive::{Entry, Kind, Manifest, Packing, Pick};
use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::api::files::{FileChange, FileFate, ReleaseDiff, TextChange};
use pointsman_store::projects;
use pointsman_store::releases::ReleaseRow;
use similar::TextDiff;

use super::known;
use super::list_files::{self, failed, missing, row};
use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// Bytes of a text that are compared line by line.
const MOST_TEXT: u64 = 256 << 10;
/// Bytes that are unpacked for one file.
const MOST_READ: u64 = 16 << 20;
/// Lines around a change.
const AROUND: usize = 3;
/// Bytes of a difference that are shown.
const MOST_SHOWN: usize = 512 << 10;

/// How a release differs from another, with every change.
pub async fn diff(app: &App, against: &ReleaseRow, release: &ReleaseRow) -> OperationResult<ReleaseDiff> {
    let (_, before) = list_files::manifest(app, against).await?;
    let (_, after) = list_files::manifest(app, release).await?;
    let items = changes(&before, &after);
    let many = |fate: FileFate| items.iter().filter(|change| change.fate == fate).count() as u64;
    Ok(ReleaseDiff {
        release: release.label.clone(),
        against: against.label.clone(),
        added: many(FileFate::Added),
        removed: many(FileFate::Removed),
        changed: many(FileFate::Changed),
        bytes_before: before.total_bytes(),
        bytes_after: after.total_bytes(),
        items,
        next: None,
    })
}

/// What is not the same, by path.
fn changes(before: &Manifest, after: &Manifest) -> Vec<FileChange> {
    let leaves = |manifest: &'_ Manifest| -> Vec<Entry> {
        let entries = manifest.entries().iter();
        entries
            .filter(|entry| !matches!(entry.kind, Kind::Directory))
            .cloned()
            .collect()
    };
    let (old, new) = (leaves(before), leaves(after));
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut changes = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some(was), Some(is)) => was.path.cmp(&is.path),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return changes,
        };
        let (was, is) = match order {
            Ordering::Less => (old.next(), None),
            Ordering::Greater => (None, new.next()),
            Ordering::Equal => (old.next(), new.next()),
        };
        changes.extend(change(was, is));
    }
}

fn change(was: Option<&Entry>, is: Option<&Entry>) -> Option<FileChange> {
    let fate = match (was, is) {
        (Some(was), Some(is)) if was.kind == is.kind => return None,
        (Some(_), Some(_)) => FileFate::Changed,
        (Some(_), None) => FileFate::Removed,
        (None, Some(_)) => FileFate::Added,
        (None, None) => return None,
    };
    Some(FileChange {
        path: is.or(was)?.path.to_string(),
        fate,
        before: was.map(row),
        after: is.map(row),
    })
}

/// Whether both sides of a change are small enough to be compared line by line, as far as a manifest tells.
pub fn is_readable(change: &FileChange) -> bool {
    let small =
        |side: &pointsman_shared::api::files::ReleaseFile| side.size <= MOST_TEXT && side.sha256.is_some();
    let sides = || change.before.iter().chain(&change.after);
    let other_content =
        change.before.as_ref().map(|side| side.sha256) != change.after.as_ref().map(|side| side.sha256);
    other_content && sides().all(small)
}

/// How the text at `path` differs. Content is for those who may build: viewers see names and sizes.
pub async fn text(
    app: &App,
    actor: &Actor,
    before: &ReleaseRow,
    after: &ReleaseRow,
    path: &str,
) -> OperationResult<TextChange> {
    let project = projects::get(&mut *app.store.read().await?, after.project).await?;
    let name = project.as_ref().map(|project| &project.name);
    known::authorize(actor, name, Action::Build, path)?;
    let old = content(app, before, path).await?;
    let new = content(app, after, path).await?;
    if old.is_none() && new.is_none() {
        let what = format!("neither {} nor {} has a file {path}", before.label, after.label);
        return Err(Refusal::not_found("unknown_file", what).into());
    }
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let compared = tokio::task::spawn_blocking({
        let path = path.to_owned();
        move || {
            let diff = TextDiff::from_lines(&old, &new);
            let mut unified = diff.unified_diff().context_radius(AROUND).to_string();
            if unified.len() > MOST_SHOWN {
                unified.truncate(unified.floor_char_boundary(MOST_SHOWN));
                unified.push_str("\n… and more\n");
            }
            TextChange { path, unified }
        }
    });
    compared
        .await
        .map_err(|died| OperationError::internal("comparing a text", died))
}

/// A small text of a release; none where it has no such file.
async fn content(app: &App, release: &ReleaseRow, path: &str) -> OperationResult<Option<String>> {
    let (built, manifest) = list_files::manifest(app, release).await?;
    match manifest.get(path).map(|entry| &entry.kind) {
        Some(Kind::File { size, .. }) if *size > MOST_TEXT => return Err(too_large(path, *size).into()),
        Some(Kind::File { .. }) => {}
        Some(Kind::Directory | Kind::Symlink { .. }) | None => return Ok(None),
    }
    let gone = || missing(release, path);
    let damaged = |error| OperationError::internal("reading a file of a release", error);
    let packing = app.objects.read(ObjectKind::Packing, &built.packing).await;
    let packing = Packing::parse(&packing.map_err(failed)?.ok_or_else(gone)?).map_err(damaged)?;
    let Some(pick) = Pick::find(&manifest, &packing, path).map_err(damaged)? else {
        return Ok(None);
    };
    let range = pick.range();
    if pick.on_the_way() > MOST_READ || range.end - range.start > MOST_READ {
        return Err(too_large(path, pick.on_the_way()).into());
    }
    let member = app
        .objects
        .read_range(ObjectKind::Archive, &built.archive, range)
        .await;
    let bytes = pick
        .read(&member.map_err(failed)?.ok_or_else(gone)?)
        .map_err(damaged)?;
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(Some(text)),
        Ok(_) | Err(_) => {
            let what = format!("{path} is no text, so that there are no lines to compare");
            Err(Refusal::invalid("not_text", what).into())
        }
    }
}

fn too_large(path: &str, bytes: u64) -> Refusal {
    let what = format!("{path} is too large to be compared here: {bytes} bytes must be read");
    Refusal::invalid("file_too_large", what).hint("compare the commits of both releases in the repository")
}

#[cfg(test)]
mod tests {
    use pointsman_archive::ReleasePath;
    use pointsman_shared::digest::Digest;

    use super::*;

    fn manifest(files: &[(&str, &str)]) -> Manifest {
        let entries = files.iter().map(|(path, content)| Entry {
            path: ReleasePath::new(*path).unwrap(),
            kind: if content.is_empty() {
                Kind::Directory
            } else {
                Kind::File {
                    executable: content.starts_with("#!"),
                    size: content.len() as u64,
                    digest: Digest::of(content.as_bytes()),
                }
            },
        });
        Manifest::new(entries.collect()).unwrap()
    }

    #[test]
    fn files_come_go_and_change_and_what_is_the_same_is_not_told() {
        let before = manifest(&[("a", "1"), ("b", "2"), ("c", "3"), ("same", "s")]);
        let after = manifest(&[("b", "two"), ("c", ""), ("c/d", "4"), ("same", "s")]);
        let told: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.path.clone(), change.fate, is_readable(&change)))
            .collect();
        let expected = [
            ("a", FileFate::Removed),
            ("b", FileFate::Changed),
            ("c", FileFate::Removed),
            ("c/d", FileFate::Added),
        ];
        assert_eq!(told, expected.map(|(path, fate)| (path.to_owned(), fate, true)));
        assert!(changes(&after, &after).is_empty());
    }
}
