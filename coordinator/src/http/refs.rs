//! Branches and tags of projects, as they were last fetched.

use pointsman_shared::api::refs::{BranchCommits, RepositoryRefs};
use pointsman_shared::name::ProjectName;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::problem::Answer;
use crate::operations::{fetch_repository, known, list_commits, list_refs};

/// `GET /api/v1/projects/{project}/refs`
pub(super) async fn list(caller: Caller, Path(project): Path<ProjectName>) -> Answer<Json<RepositoryRefs>> {
    let project = known::project(&mut *caller.app.store.read().await?, &project).await?;
    let listed = list_refs::execute(&caller.app, &project).await?;
    Ok(Json(listed.standing))
}

/// `POST /api/v1/projects/{project}/fetch`
pub(super) async fn fetch(caller: Caller, Path(project): Path<ProjectName>) -> Answer<Json<RepositoryRefs>> {
    let project = fetch_repository::execute(&caller.app, &caller.actor, &project).await?;
    let listed = list_refs::execute(&caller.app, &project).await?;
    Ok(Json(listed.standing))
}

/// `?branch=main`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct BranchQuery {
    /// The branch.
    branch: String,
}

/// `GET /api/v1/projects/{project}/commits`
pub(super) async fn commits(
    caller: Caller,
    Path(project): Path<ProjectName>,
    Query(query): Query<BranchQuery>,
) -> Answer<Json<BranchCommits>> {
    let project = known::project(&mut *caller.app.store.read().await?, &project).await?;
    Ok(Json(
        list_commits::execute(&caller.app, &project, &query.branch).await?,
    ))
}
