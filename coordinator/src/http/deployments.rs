//! Deployments: wished, watched, cancelled, decided.

use axum::http::StatusCode;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::Page;
use pointsman_shared::api::deployments::{
    CancelRequest, DecisionRequest, Deployment, HostsRequest, ListedState, NewDeployment, NewRollback,
    PauseRequest, Promotion,
};
use pointsman_shared::name::{ProjectName, TargetName};
use pointsman_store::views;
use pointsman_store::views::deployments::Wanted;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::intervene::{self, Said};
use crate::operations::{
    cancel_deployment, decide_deployment, known, promote, request_deployment, request_rollback,
};

/// `?target=&project=&state=&who=&release=&cursor=&limit=`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct DeploymentsQuery {
    target: Option<TargetName>,
    project: Option<ProjectName>,
    #[param(inline)]
    state: Option<ListedState>,
    /// Name of the principal that wished it.
    who: Option<String>,
    /// Label of the release.
    release: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/deployments`
pub(super) async fn list(
    caller: Caller,
    Query(query): Query<DeploymentsQuery>,
) -> Answer<Json<Page<Deployment>>> {
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let mut conn = caller.app.store.read().await?;
    if let Some(target) = &query.target {
        let object = target.to_string();
        caller
            .actor
            .authorize_in(&target.project, Action::Read, &object)?;
        known::target(&mut conn, target).await?;
    }
    if let Some(project) = &query.project {
        caller
            .actor
            .authorize_in(project, Action::Read, project.as_str())?;
        known::project(&mut conn, project).await?;
    }
    let sight = caller.sight();
    let wanted = Wanted {
        target: query.target.as_ref(),
        project: query.project.as_ref(),
        state: query.state,
        who: query.who.as_deref(),
        release: query.release.as_deref(),
        before: page.before()?,
        sight: sight.as_deref(),
        brief: false,
    };
    let deployments = views::deployments::page(&mut conn, wanted, page.rows()).await?;
    Ok(page.page(deployments, |deployment| deployment.number.to_string()))
}

/// `GET /api/v1/deployments/{number}`
pub(super) async fn one(caller: Caller, Path(number): Path<i64>) -> Answer<Json<Deployment>> {
    shown(&caller, number).await
}

/// `POST /api/v1/deployments`
pub(super) async fn request(
    caller: Caller,
    Json(wish): Json<NewDeployment>,
) -> Answer<(StatusCode, Json<Deployment>)> {
    let number = request_deployment::execute(&caller.app, &caller.actor, &wish).await?;
    Ok((StatusCode::ACCEPTED, shown(&caller, number).await?))
}

/// `POST /api/v1/rollbacks`
pub(super) async fn roll_back(
    caller: Caller,
    Json(wish): Json<NewRollback>,
) -> Answer<(StatusCode, Json<Deployment>)> {
    let number = request_rollback::execute(&caller.app, &caller.actor, &wish).await?;
    Ok((StatusCode::ACCEPTED, shown(&caller, number).await?))
}

/// `POST /api/v1/deployments/{number}/cancel`
pub(super) async fn cancel(
    caller: Caller,
    Path(number): Path<i64>,
    Json(wish): Json<CancelRequest>,
) -> Answer<(StatusCode, Json<Deployment>)> {
    cancel_deployment::execute(&caller.app, &caller.actor, number, wish.reason).await?;
    Ok((StatusCode::ACCEPTED, shown(&caller, number).await?))
}

/// `POST /api/v1/deployments/{number}/decision`
pub(super) async fn decide(
    caller: Caller,
    Path(number): Path<i64>,
    Json(wish): Json<DecisionRequest>,
) -> Answer<(StatusCode, Json<Deployment>)> {
    decide_deployment::execute(&caller.app, &caller.actor, number, &wish).await?;
    Ok((StatusCode::ACCEPTED, shown(&caller, number).await?))
}

/// `POST /api/v1/deployments/{number}/pause`
pub(super) async fn pause(
    caller: Caller,
    Path(number): Path<i64>,
    Json(wish): Json<PauseRequest>,
) -> Answer<(StatusCode, Json<Deployment>)> {
    said(&caller, number, Said::Pause(wish)).await
}

/// `POST /api/v1/deployments/{number}/retry`
pub(super) async fn retry(
    caller: Caller,
    Path(number): Path<i64>,
    Json(wish): Json<HostsRequest>,
) -> Answer<(StatusCode, Json<Deployment>)> {
    said(&caller, number, Said::Retry(wish)).await
}

/// `POST /api/v1/deployments/{number}/skip`
pub(super) async fn skip(
    caller: Caller,
    Path(number): Path<i64>,
    Json(wish): Json<HostsRequest>,
) -> Answer<(StatusCode, Json<Deployment>)> {
    said(&caller, number, Said::Skip(wish)).await
}

async fn said(caller: &Caller, number: i64, said: Said) -> Answer<(StatusCode, Json<Deployment>)> {
    intervene::execute(&caller.app, &caller.actor, number, &said).await?;
    Ok((StatusCode::ACCEPTED, shown(caller, number).await?))
}

/// `POST /api/v1/promotions`
pub(super) async fn promote(
    caller: Caller,
    Json(wish): Json<Promotion>,
) -> Answer<(StatusCode, Json<Deployment>)> {
    let number = promote::execute(&caller.app, &caller.actor, &wish).await?;
    Ok((StatusCode::ACCEPTED, shown(&caller, number).await?))
}

async fn shown(caller: &Caller, number: i64) -> Answer<Json<Deployment>> {
    let mut conn = caller.app.store.read().await?;
    let deployment = views::deployments::one(&mut conn, number).await?;
    let unknown = || {
        Refusal::not_found("unknown_deployment", format!("there is no deployment #{number}"))
            .hint("pointsman deployments")
    };
    Ok(Json(deployment.ok_or_else(unknown)?))
}
