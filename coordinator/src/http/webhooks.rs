//! Webhooks that forges call, the pushes they tell, and what holds pushes back.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use pointsman_domain::Action;
use pointsman_shared::api::Page;
use pointsman_shared::api::projects::Target;
use pointsman_shared::api::pushes::{NewPushPause, NewWebhook, Push, Taken, Webhook};
use pointsman_shared::name::{ProjectName, TargetName, WebhookName};
use pointsman_store::{pushes, webhooks};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::{Answer, Failed};
use super::repeat::MAX_BODY;
use super::router::Api;
use super::{targets, tokens};
use crate::operations::{keep_webhook, known, pause_pushes, repeat_push, take_push};

/// Longest wait for a forge's body.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// `GET /api/v1/webhooks`
pub(super) async fn list(caller: Caller) -> Answer<Json<Vec<Webhook>>> {
    let all = webhooks::all(&mut *caller.app.store.read().await?).await?;
    let shown = all.iter().map(|row| keep_webhook::shown(&caller.app, row));
    let shown = shown.filter(|webhook| caller.sees(&webhook.project));
    Ok(Json(shown.collect()))
}

/// `POST /api/v1/webhooks`; the one answer that shows the secret.
pub(super) async fn add(caller: Caller, Json(wish): Json<NewWebhook>) -> Answer<Response> {
    let issued = keep_webhook::add(&caller.app, &caller.actor, &wish).await?;
    Ok(tokens::secret(&issued))
}

/// `POST /api/v1/webhooks/{project}/{webhook}/secret`; the one answer that shows the new secret.
pub(super) async fn renew(
    caller: Caller,
    Path((project, name)): Path<(ProjectName, WebhookName)>,
) -> Answer<Response> {
    let issued = keep_webhook::renew(&caller.app, &caller.actor, &project, &name).await?;
    Ok(tokens::secret(&issued))
}

/// `DELETE /api/v1/webhooks/{project}/{webhook}`
pub(super) async fn remove(
    caller: Caller,
    Path((project, name)): Path<(ProjectName, WebhookName)>,
) -> Answer<StatusCode> {
    keep_webhook::remove(&caller.app, &caller.actor, &project, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/webhooks/{project}/{webhook}`; what forges call.
pub(super) async fn call(
    State(api): State<Api>,
    Path((project, name)): Path<(ProjectName, WebhookName)>,
    request: Request,
) -> Answer<(StatusCode, Json<Taken>)> {
    let (parts, body) = request.into_parts();
    let what = "the body is larger than 1 MiB, broke off, or did not come within 30 s";
    let unread = || Failed::unread(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", what);
    let body = tokio::time::timeout(PATIENCE, to_bytes(body, MAX_BODY)).await;
    let body = body.map_err(|_| unread())?.map_err(|_| unread())?;
    let headers = &parts.headers;
    let taken = take_push::execute(&api.app, &project, &name, headers, &body).await?;
    Ok((StatusCode::ACCEPTED, Json(taken)))
}

/// `?project=&cursor=&limit=`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct PushesQuery {
    project: Option<ProjectName>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/pushes`
pub(super) async fn pushes(caller: Caller, Query(query): Query<PushesQuery>) -> Answer<Json<Page<Push>>> {
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let mut conn = caller.app.store.read().await?;
    if let Some(project) = &query.project {
        caller
            .actor
            .authorize_in(project, Action::Read, project.as_str())?;
        known::project(&mut conn, project).await?;
    }
    let found = pushes::page(
        &mut conn,
        query.project.as_ref(),
        caller.sight().as_deref(),
        page.before()?,
        page.rows(),
    )
    .await?;
    Ok(page.page(found, |push| push.number.to_string()))
}

/// `POST /api/v1/pushes/{number}/repeat`
pub(super) async fn repeat(caller: Caller, Path(number): Path<i64>) -> Answer<(StatusCode, Json<Push>)> {
    let push = repeat_push::execute(&caller.app, &caller.actor, number).await?;
    Ok((StatusCode::ACCEPTED, Json(push)))
}

/// `PUT /api/v1/targets/{target}/push-pause`
pub(super) async fn pause(
    caller: Caller,
    Path(target): Path<TargetName>,
    Json(wish): Json<NewPushPause>,
) -> Answer<Json<Target>> {
    pause_pushes::pause(&caller.app, &caller.actor, &target, &wish).await?;
    targets::one(caller, Path(target)).await
}

/// `DELETE /api/v1/targets/{target}/push-pause`
pub(super) async fn resume(caller: Caller, Path(target): Path<TargetName>) -> Answer<Json<Target>> {
    pause_pushes::resume(&caller.app, &caller.actor, &target).await?;
    targets::one(caller, Path(target)).await
}
