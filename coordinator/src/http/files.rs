//! What releases hold, file by file.

use pointsman_shared::api::Page;
use pointsman_shared::api::files::{FileFate, ReleaseDiff, ReleaseFile, TextChange};
use pointsman_shared::name::ProjectName;
use pointsman_store::PgConnection;
use pointsman_store::releases::{self, ReleaseRow};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use super::releases::find;
use crate::app::App;
use crate::error::OperationResult;
use crate::operations::{compare_releases, known, list_files};

/// The release that somebody names.
pub(super) async fn named(
    conn: &mut PgConnection,
    project: &ProjectName,
    spec: &str,
) -> OperationResult<ReleaseRow> {
    let project = known::project(conn, project).await?;
    let candidates = releases::candidates(conn, project.id).await?;
    let id = find(spec, &candidates)?;
    let gone = || pointsman_domain::release::unknown(spec, &candidates, &[]);
    Ok(releases::get(conn, id).await?.ok_or_else(gone)?)
}

/// `?under=app/&deep=true`, and which page
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct FilesQuery {
    /// The folder; the whole release when absent.
    #[serde(default)]
    under: String,
    /// Every file below the folder, not only what stands directly in it.
    #[serde(default)]
    deep: bool,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/projects/{project}/releases/{release}/files`
pub(super) async fn list(
    caller: Caller,
    Path((project, spec)): Path<(ProjectName, String)>,
    Query(query): Query<FilesQuery>,
) -> Answer<Json<Page<ReleaseFile>>> {
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let from = page.place()?;
    let mut conn = caller.app.store.read().await?;
    let release = named(&mut conn, &project, &spec).await?;
    drop(conn);
    let (_, manifest) = list_files::manifest(&caller.app, &release).await?;
    let files = if query.deep {
        list_files::deep(&manifest, &query.under)?
    } else {
        list_files::folder(&manifest, &query.under)?
    };
    Ok(page.slice(files, from))
}

/// `?against=1.9.0`, and which page
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct DiffQuery {
    /// The release it is compared with: `#n`, label, number or commit.
    against: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/projects/{project}/releases/{release}/diff`
pub(super) async fn diff(
    caller: Caller,
    Path((project, spec)): Path<(ProjectName, String)>,
    Query(query): Query<DiffQuery>,
) -> Answer<Json<ReleaseDiff>> {
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let from = page.place()?;
    let mut conn = caller.app.store.read().await?;
    let release = named(&mut conn, &project, &spec).await?;
    let against = named(&mut conn, &project, &query.against).await?;
    drop(conn);
    let mut diff = compared(&caller.app, &against, &release).await?;
    let Json(Page { items, next }) = page.slice(diff.items, from);
    diff.items = items;
    diff.next = next;
    Ok(Json(diff))
}

/// How a release differs from another, with every change.
pub(super) async fn compared(
    app: &App,
    against: &ReleaseRow,
    release: &ReleaseRow,
) -> OperationResult<ReleaseDiff> {
    let (_, before) = list_files::manifest(app, against).await?;
    let (_, after) = list_files::manifest(app, release).await?;
    let items = compare_releases::changes(&before, &after);
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

/// `?against=1.9.0&file=app/main.js`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct TextQuery {
    /// The release it is compared with.
    against: String,
    /// Path of the file.
    file: String,
}

/// `GET /api/v1/projects/{project}/releases/{release}/diff/text`
pub(super) async fn text(
    caller: Caller,
    Path((project, spec)): Path<(ProjectName, String)>,
    Query(query): Query<TextQuery>,
) -> Answer<Json<TextChange>> {
    let mut conn = caller.app.store.read().await?;
    let release = named(&mut conn, &project, &spec).await?;
    let against = named(&mut conn, &project, &query.against).await?;
    drop(conn);
    let change = compare_releases::text(&caller.app, &caller.actor, &against, &release, &query.file).await?;
    Ok(Json(change))
}
