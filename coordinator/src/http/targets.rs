//! Targets with what is live on each of their hosts; also the status.

use axum::http::StatusCode;
use pointsman_domain::Refusal;
use pointsman_shared::api::Page;
use pointsman_shared::api::projects::{NewTarget, Target};
use pointsman_shared::name::TargetName;
use pointsman_store::views;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::{self, PageQuery};
use super::problem::Answer;
use crate::operations::{create_target, known};

/// `GET /api/v1/targets` and `GET /api/v1/status`
pub(super) async fn list(caller: Caller, Query(page): Query<PageQuery>) -> Answer<Json<Page<Target>>> {
    let after = page.after()?.map(|name| name.parse::<TargetName>());
    let after = after.transpose().map_err(|_| paging::unreadable())?;
    let mut conn = caller.app.store.read().await?;
    let rhythm = caller.app.config.timing.rhythm();
    let sight = caller.sight();
    let wanted = views::targets::Wanted {
        after: after.as_ref(),
        projects: sight.as_deref(),
        ..Default::default()
    };
    let targets = views::targets::page(&mut conn, wanted, page.rows(), &rhythm).await?;
    Ok(page.page(targets, |target| target.name.to_string()))
}

/// `GET /api/v1/targets/{target}`
pub(super) async fn one(caller: Caller, Path(name): Path<TargetName>) -> Answer<Json<Target>> {
    let mut conn = caller.app.store.read().await?;
    known::target(&mut conn, &name).await?;
    let target = views::targets::one(&mut conn, &name, &caller.app.config.timing.rhythm()).await?;
    let gone = || Refusal::not_found("unknown_target", format!("there is no target {name}"));
    Ok(Json(target.ok_or_else(gone)?))
}

/// `POST /api/v1/targets`
pub(super) async fn create(
    caller: Caller,
    Json(wish): Json<NewTarget>,
) -> Answer<(StatusCode, Json<Target>)> {
    let target = create_target::execute(&caller.app, &caller.actor, wish).await?;
    Ok((StatusCode::CREATED, Json(target)))
}
