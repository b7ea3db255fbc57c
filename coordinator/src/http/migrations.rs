//! Migrations of a target: listed, and worked on by hand.

use axum::http::StatusCode;
use pointsman_shared::api::migrations::{MigrationRequest, MigrationRun, Migrations};
use pointsman_shared::name::TargetName;
use pointsman_store::{releases, views};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::problem::Answer;
use crate::operations::{find_release, known, request_migration};

/// `?release=`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct MigrationsQuery {
    release: Option<String>,
}

/// `GET /api/v1/targets/{target}/migrations`
pub(super) async fn list(
    caller: Caller,
    Path(target): Path<TargetName>,
    Query(query): Query<MigrationsQuery>,
) -> Answer<Json<Migrations>> {
    let mut conn = caller.app.store.read().await?;
    let target = known::target(&mut conn, &target).await?;
    let id = match &query.release {
        Some(spec) => {
            let project = known::project(&mut conn, &target.name.project).await?;
            Some(find_release::known(&caller.app, &project, spec).await?)
        }
        None => target.desired,
    };
    let release = match id {
        Some(id) => releases::get(&mut conn, id).await?,
        None => None,
    };
    Ok(Json(
        views::migrations::of(&mut conn, &target, release.as_ref()).await?,
    ))
}

/// `POST /api/v1/targets/{target}/migrations`
pub(super) async fn request(
    caller: Caller,
    Path(target): Path<TargetName>,
    Json(wish): Json<MigrationRequest>,
) -> Answer<(StatusCode, Json<MigrationRun>)> {
    let job = request_migration::execute(&caller.app, &caller.actor, &target, &wish).await?;
    Ok((StatusCode::ACCEPTED, Json(MigrationRun { job })))
}
