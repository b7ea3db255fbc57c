//! What releases hold, file by file.

use pointsman_shared::api::Page;
use pointsman_shared::api::files::{ReleaseDiff, ReleaseFile, TextChange};
use pointsman_shared::name::ProjectName;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::{compare_releases, find_release, list_files};

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
    let release = find_release::to_look_at(&mut conn, &project, &spec).await?;
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
    let release = find_release::to_look_at(&mut conn, &project, &spec).await?;
    let against = find_release::to_look_at(&mut conn, &project, &query.against).await?;
    drop(conn);
    let mut diff = compare_releases::diff(&caller.app, &against, &release).await?;
    let Json(Page { items, next }) = page.slice(diff.items, from);
    diff.items = items;
    diff.next = next;
    Ok(Json(diff))
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
    let release = find_release::to_look_at(&mut conn, &project, &spec).await?;
    let against = find_release::to_look_at(&mut conn, &project, &query.against).await?;
    drop(conn);
    let change = compare_releases::text(&caller.app, &caller.actor, &against, &release, &query.file).await?;
    Ok(Json(change))
}
