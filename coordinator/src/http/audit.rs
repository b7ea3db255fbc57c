//! The audit trail.

use pointsman_shared::api::Page;
use pointsman_shared::api::tokens::AuditEntry;
use pointsman_store::views;

use super::caller::Caller;
use super::extract::{Json, Query};
use super::paging::PageQuery;
use super::problem::Answer;

/// `GET /api/v1/audit`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<AuditEntry>>> {
    let mut conn = caller.app.store.read().await?;
    let acts = views::audit::page(&mut conn, page.before()?, page.rows()).await?;
    Ok(page.page(acts, |act| act.number.to_string()))
}
