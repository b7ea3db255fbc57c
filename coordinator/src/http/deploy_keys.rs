//! ssh keys of projects; private halves are never read back.

use axum::http::StatusCode;
use pointsman_shared::api::deploy_keys::{DeployKey, MakeDeployKey, SetDeployKey};
use pointsman_shared::name::ProjectName;

use super::caller::Caller;
use super::extract::{Json, Path};
use super::problem::Answer;
use crate::operations::keep_deploy_key;

/// `GET /api/v1/projects/{project}/deploy-key`
pub(super) async fn one(caller: Caller, Path(project): Path<ProjectName>) -> Answer<Json<DeployKey>> {
    let mut conn = caller.app.store.read().await?;
    Ok(Json(keep_deploy_key::read(&mut conn, &project).await?))
}

/// `PUT /api/v1/projects/{project}/deploy-key`
pub(super) async fn set(
    caller: Caller,
    Path(project): Path<ProjectName>,
    Json(wish): Json<SetDeployKey>,
) -> Answer<Json<DeployKey>> {
    keep_deploy_key::set(&caller.app, &caller.actor, &project, wish).await?;
    one(caller, Path(project)).await
}

/// `POST /api/v1/projects/{project}/deploy-key`
pub(super) async fn make(
    caller: Caller,
    Path(project): Path<ProjectName>,
    Json(wish): Json<MakeDeployKey>,
) -> Answer<Json<DeployKey>> {
    keep_deploy_key::make(&caller.app, &caller.actor, &project, wish).await?;
    one(caller, Path(project)).await
}

/// `DELETE /api/v1/projects/{project}/deploy-key`
pub(super) async fn remove(caller: Caller, Path(project): Path<ProjectName>) -> Answer<StatusCode> {
    keep_deploy_key::remove(&caller.app, &caller.actor, &project).await?;
    Ok(StatusCode::NO_CONTENT)
}
