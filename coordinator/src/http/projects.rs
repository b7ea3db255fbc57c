//! Projects, and the document that describes everything together.

use axum::http::StatusCode;
use pointsman_domain::Refusal;
use pointsman_shared::api::Page;
use pointsman_shared::api::projects::{Applied, Document, NewProject, Project, Tickets};
use pointsman_shared::name::ProjectName;
use pointsman_store::views;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::{apply_document, create_project, keep_tickets, known};

/// `GET /api/v1/projects`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<Project>>> {
    let mut conn = caller.app.store.read().await?;
    let projects = views::projects::page(
        &mut conn,
        caller.sight().as_deref(),
        page.after()?.as_deref(),
        "",
        page.rows(),
    )
    .await?;
    Ok(page.page(projects, |project| project.name.to_string()))
}

/// `GET /api/v1/projects/{project}`
pub(super) async fn one(caller: Caller, Path(name): Path<ProjectName>) -> Answer<Json<Project>> {
    let mut conn = caller.app.store.read().await?;
    known::project(&mut conn, &name).await?;
    let project = views::projects::one(&mut conn, name.as_str()).await?;
    let gone = || Refusal::not_found("unknown_project", format!("there is no project {name}"));
    Ok(Json(project.ok_or_else(gone)?))
}

/// `POST /api/v1/projects`
pub(super) async fn create(
    caller: Caller,
    Json(wish): Json<NewProject>,
) -> Answer<(StatusCode, Json<Project>)> {
    let project = create_project::execute(&caller.app, &caller.actor, wish).await?;
    Ok((StatusCode::CREATED, Json(project)))
}

/// `PUT /api/v1/projects/{project}/tickets`
pub(super) async fn set_tickets(
    caller: Caller,
    Path(name): Path<ProjectName>,
    Json(wish): Json<Tickets>,
) -> Answer<Json<Project>> {
    let project = keep_tickets::execute(&caller.app, &caller.actor, &name, Some(&wish)).await?;
    Ok(Json(project))
}

/// `DELETE /api/v1/projects/{project}/tickets`
pub(super) async fn remove_tickets(caller: Caller, Path(name): Path<ProjectName>) -> Answer<Json<Project>> {
    let project = keep_tickets::execute(&caller.app, &caller.actor, &name, None).await?;
    Ok(Json(project))
}

/// `PUT /api/v1/apply`
pub(super) async fn apply(caller: Caller, Json(document): Json<Document>) -> Answer<Json<Applied>> {
    let applied = apply_document::execute(&caller.app, &caller.actor, document).await?;
    Ok(Json(applied))
}
