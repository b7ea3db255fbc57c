//! Releases of a project.

use axum::http::StatusCode;
use pointsman_domain::Refusal;
use pointsman_shared::api::Page;
use pointsman_shared::api::garbage::PinRequest;
use pointsman_shared::api::releases::{NewMark, NewRelease, Release};
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::{MarkName, ProjectName};
use pointsman_store::views;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::{self, PageQuery};
use super::problem::Answer;
use crate::operations::mark_release::{self, Said};
use crate::operations::request_build::{self, BuildWish};
use crate::operations::{find_release, known, pin_release};

/// `GET /api/v1/projects/{project}/releases`
pub(super) async fn list(
    caller: Caller,
    Path(project): Path<ProjectName>,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Release>>> {
    let mut conn = caller.app.store.read().await?;
    known::project(&mut conn, &project).await?;
    let before = page.before()?.map(i32::try_from);
    let before = before.transpose().map_err(|_| paging::unreadable())?;
    let releases = views::releases::page(&mut conn, &project, before, page.rows()).await?;
    Ok(page.page(releases, |release| release.number.to_string()))
}

/// `GET /api/v1/projects/{project}/releases/{release}`: `#n`, label, number or commit prefix.
pub(super) async fn one(
    caller: Caller,
    Path((project, spec)): Path<(ProjectName, String)>,
) -> Answer<Json<Release>> {
    let mut conn = caller.app.store.read().await?;
    let release = find_release::to_look_at(&mut conn, &project, &spec).await?;
    drop(conn);
    shown(&caller, release.id).await
}

/// `POST /api/v1/projects/{project}/releases`
pub(super) async fn request(
    caller: Caller,
    Path(project): Path<ProjectName>,
    Json(wish): Json<NewRelease>,
) -> Answer<(StatusCode, Json<Release>)> {
    let wish = BuildWish {
        project,
        reference: wish.reference,
    };
    let id = request_build::execute(&caller.app, &caller.actor, &wish).await?;
    Ok((StatusCode::ACCEPTED, shown(&caller, id).await?))
}

/// `PUT /api/v1/projects/{project}/releases/{release}/pin`
pub(super) async fn pin(
    caller: Caller,
    Path((project, spec)): Path<(ProjectName, String)>,
    Json(wish): Json<PinRequest>,
) -> Answer<Json<PinRequest>> {
    pin_release::execute(&caller.app, &caller.actor, &project, &spec, &wish).await?;
    Ok(Json(wish))
}

/// `PUT /api/v1/projects/{project}/releases/{release}/marks/{mark}`
pub(super) async fn mark(
    caller: Caller,
    Path((project, spec, mark)): Path<(ProjectName, String, MarkName)>,
    Json(wish): Json<NewMark>,
) -> Answer<Json<NewMark>> {
    let said = Said::Marked(wish.evidence.as_deref());
    mark_release::execute(&caller.app, &caller.actor, &project, &spec, &mark, said).await?;
    Ok(Json(wish))
}

/// `DELETE /api/v1/projects/{project}/releases/{release}/marks/{mark}`
pub(super) async fn unmark(
    caller: Caller,
    Path((project, spec, mark)): Path<(ProjectName, String, MarkName)>,
) -> Answer<StatusCode> {
    mark_release::execute(&caller.app, &caller.actor, &project, &spec, &mark, Said::Unmarked).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn shown(caller: &Caller, id: ReleaseId) -> Answer<Json<Release>> {
    let mut conn = caller.app.store.read().await?;
    let release = views::releases::one(&mut conn, id).await?;
    Ok(Json(release.ok_or_else(|| {
        Refusal::not_found("unknown_release", format!("there is no release {id}"))
    })?))
}
