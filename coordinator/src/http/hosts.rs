//! Hosts: looked at, invited, shut out.

use axum::http::StatusCode;
use axum::response::Response;
use pointsman_domain::Refusal;
use pointsman_shared::api::Page;
use pointsman_shared::api::fleet::{Host, NewHostPause, NewJoinToken};
use pointsman_shared::name::HostId;
use pointsman_store::{join_tokens, views};

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use super::tokens::secret;
use crate::operations::{invite_host, known, pause_host, revoke_host};

/// `GET /api/v1/hosts`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<Host>>> {
    let mut conn = caller.app.store.read().await?;
    let rhythm = caller.app.config.timing.rhythm();
    let hosts = views::hosts::page(&mut conn, page.after()?.as_deref(), page.rows(), &rhythm).await?;
    Ok(page.page(hosts, |host| host.id.to_string()))
}

/// `GET /api/v1/hosts/{host}`
pub(super) async fn one(caller: Caller, Path(id): Path<HostId>) -> Answer<Json<Host>> {
    let mut conn = caller.app.store.read().await?;
    let rhythm = caller.app.config.timing.rhythm();
    if let Some(host) = views::hosts::one(&mut conn, id.as_str(), &rhythm).await? {
        return Ok(Json(host));
    }
    if join_tokens::is_invited(&mut conn, &id).await? {
        let what = format!("{id} is invited and has not joined yet");
        let refusal = Refusal::not_found("host_not_joined", what);
        return Err(refusal.hint("on the host: pointsman-agent join").into());
    }
    let names = join_tokens::host_names(&mut conn).await?;
    Err(known::unknown("host", "unknown_host", id.as_str(), &names, "pointsman hosts").into())
}

/// `POST /api/v1/join-tokens`; the one answer that shows the secret.
pub(super) async fn invite(caller: Caller, Json(wish): Json<NewJoinToken>) -> Answer<Response> {
    let token = invite_host::execute(&caller.app, &caller.actor, wish).await?;
    Ok(secret(&token))
}

/// `PUT /api/v1/hosts/{host}/pause`
pub(super) async fn pause(
    caller: Caller,
    Path(id): Path<HostId>,
    Json(wish): Json<NewHostPause>,
) -> Answer<Json<Host>> {
    pause_host::pause(&caller.app, &caller.actor, &id, &wish).await?;
    one(caller, Path(id)).await
}

/// `DELETE /api/v1/hosts/{host}/pause`
pub(super) async fn resume(caller: Caller, Path(id): Path<HostId>) -> Answer<Json<Host>> {
    pause_host::resume(&caller.app, &caller.actor, &id).await?;
    one(caller, Path(id)).await
}

/// `POST /api/v1/hosts/{host}/revoke`
pub(super) async fn revoke(caller: Caller, Path(id): Path<HostId>) -> Answer<StatusCode> {
    revoke_host::execute(&caller.app, &caller.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
