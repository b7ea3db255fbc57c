//! The audit trail, and the proof that nobody changed it.

use chrono::{DateTime, Utc};
use pointsman_shared::api::Page;
use pointsman_shared::api::tokens::{AuditChain, AuditEntry};
use pointsman_store::views;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::verify_audit;

/// `?who=&what=&object=&since=&until=&mine=&cursor=&limit=`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    who: Option<String>,
    what: Option<String>,
    object: Option<String>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    mine: Option<bool>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/audit`
pub(super) async fn list(caller: Caller, Query(query): Query<AuditQuery>) -> Answer<Json<Page<AuditEntry>>> {
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let wanted = views::audit::Wanted {
        before: page.before()?,
        who: query.who.as_deref(),
        principal: query.mine.unwrap_or(false).then_some(caller.actor.principal),
        what: query.what.as_deref(),
        object: query.object.as_deref(),
        since: query.since,
        until: query.until,
    };
    let mut conn = caller.app.store.read().await?;
    let acts = views::audit::page(&mut conn, wanted, page.rows()).await?;
    Ok(page.page(acts, |act| act.number.to_string()))
}

/// `GET /api/v1/audit/chain`
pub(super) async fn chain(caller: Caller) -> Answer<Json<AuditChain>> {
    Ok(Json(verify_audit::execute(&caller.app, &caller.actor).await?))
}
