//! What releases hold, and branches and tags, as if there were a repository.

use std::collections::HashMap;

use axum::extract::Query;
use axum::routing::{get, post};
use axum::{Json, Router};
use pointsman_shared::api::Page;
use pointsman_shared::api::files::{FileChange, FileFate, FileKind, ReleaseDiff, ReleaseFile, TextChange};
use pointsman_shared::api::refs::{RefName, RefRelease, RefStanding, RepositoryRefs, SinceRelease};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::digest::Digest;

use super::Shared;
use super::reads::page;
use super::world::ago;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/projects/{name}/refs", get(refs))
        .route("/projects/{name}/fetch", post(refs))
        .route("/projects/{name}/releases/{spec}/files", get(files))
        .route("/projects/{name}/releases/{spec}/diff", get(diff))
        .route("/projects/{name}/releases/{spec}/diff/text", get(text))
}

fn file(path: &str, size: u64) -> ReleaseFile {
    ReleaseFile {
        path: path.to_owned(),
        kind: FileKind::File,
        mode: "644".to_owned(),
        size,
        files: 1,
        sha256: Some(Digest::of(path.as_bytes())),
        link: None,
    }
}

async fn files(Query(query): Query<HashMap<String, String>>) -> Json<Page<ReleaseFile>> {
    let folder = ReleaseFile {
        kind: FileKind::Folder,
        mode: "755".to_owned(),
        files: 12,
        sha256: None,
        ..file("app", 41_000)
    };
    let all = if query.get("under").map(String::as_str) == Some("app") {
        vec![file("app/main.js", 1_200)]
    } else {
        vec![folder, file("README", 3)]
    };
    page(&all, &query)
}

async fn diff() -> Json<ReleaseDiff> {
    let change = |path: &str, fate, before: Option<u64>, after: Option<u64>| FileChange {
        path: path.to_owned(),
        fate,
        before: before.map(|size| file(path, size)),
        after: after.map(|size| file(path, size)),
    };
    Json(ReleaseDiff {
        release: "1.9.1".parse().unwrap(),
        against: "1.9.0".parse().unwrap(),
        added: 1,
        removed: 0,
        changed: 1,
        bytes_before: 41_000,
        bytes_after: 42_000,
        items: vec![
            change("app/main.js", FileFate::Changed, Some(1_100), Some(1_200)),
            change("app/vat.js", FileFate::Added, None, Some(900)),
        ],
        next: None,
    })
}

async fn text(Query(query): Query<HashMap<String, String>>) -> Json<TextChange> {
    Json(TextChange {
        path: query["file"].clone(),
        unified: "@@ -1 +1 @@\n-vat = 19\n+vat = \u{1b}[31m21\n".to_owned(),
    })
}

async fn refs() -> Json<RepositoryRefs> {
    let standing = |kind, name: &str, release, since| RefStanding {
        kind,
        name: name.to_owned(),
        commit: "b77d01aa00112233b77d01aa00112233b77d01aa".to_owned(),
        committed_at: ago(7_200),
        subject: "Add an index".to_owned(),
        author: "Ana".to_owned(),
        release,
        since,
    };
    let release = |state| RefRelease {
        number: 43,
        label: "43".parse().unwrap(),
        state,
    };
    let since = SinceRelease {
        number: 41,
        label: "1.9.0".parse().unwrap(),
        commits: 3,
    };
    Json(RepositoryRefs {
        fetched_at: Some(ago(60)),
        refs: vec![
            standing(RefName::Branch, "main", None, Some(since.clone())),
            standing(
                RefName::Branch,
                "feat/vat",
                Some(release(ReleaseState::Failed)),
                Some(since),
            ),
            standing(RefName::Tag, "1.9.1", Some(release(ReleaseState::Built)), None),
        ],
        more: 4,
    })
}
