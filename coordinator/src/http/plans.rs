//! Plans: made, and read again by their hash.

use axum::http::StatusCode;
use pointsman_shared::api::plans::{NewPlan, Plan};
use pointsman_shared::digest::Digest;

use super::caller::Caller;
use super::extract::{Json, Path};
use super::problem::Answer;
use crate::operations::make_plan;

/// `POST /api/v1/plans`
pub(super) async fn make(caller: Caller, Json(wish): Json<NewPlan>) -> Answer<(StatusCode, Json<Plan>)> {
    let plan = make_plan::execute(&caller.app, &caller.actor, &wish).await?;
    Ok((StatusCode::CREATED, Json(plan)))
}

/// `GET /api/v1/plans/{hash}`
pub(super) async fn one(caller: Caller, Path(hash): Path<Digest>) -> Answer<Json<Plan>> {
    Ok(Json(make_plan::look(&caller.app, &hash).await?.plan))
}
