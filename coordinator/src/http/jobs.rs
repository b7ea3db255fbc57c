//! Jobs, their steps and logs.

use pointsman_domain::Refusal;
use pointsman_shared::api::Page;
use pointsman_shared::api::deployments::CancelRequest;
use pointsman_shared::api::jobs::{DeadLetter, Job, JobState, LogPage};
use pointsman_shared::name::{ProjectName, TargetName};
use pointsman_store::views;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::PageQuery;
use super::problem::Answer;
use crate::operations::{cancel_job, list_dead_letters};

/// Lines of a log page when its query says nothing.
const USUAL_LINES: usize = 500;
/// Lines of a log page at most.
const MOST_LINES: usize = 5000;

/// `?state=&project=&target=&deployment=&cursor=&limit=`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsQuery {
    state: Option<JobState>,
    project: Option<ProjectName>,
    target: Option<TargetName>,
    deployment: Option<i64>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/jobs`
pub(super) async fn list(caller: Caller, Query(query): Query<JobsQuery>) -> Answer<Json<Page<Job>>> {
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let sight = caller.sight();
    let wanted = views::jobs::Wanted {
        state: query.state,
        deployment: query.deployment,
        project: query.project.as_ref(),
        target: query.target.as_ref(),
        before: page.before()?,
        sight: sight.as_deref(),
    };
    let mut conn = caller.app.store.read().await?;
    let jobs = views::jobs::page(&mut conn, wanted, page.rows()).await?;
    Ok(page.page(jobs, |job| job.number.to_string()))
}

/// `GET /api/v1/dead-letters`
pub(super) async fn dead_letters(
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<DeadLetter>>> {
    let mut conn = caller.app.store.read().await?;
    let letters = list_dead_letters::execute(&mut conn, page.before()?, page.rows()).await?;
    Ok(page.page(letters, |letter| letter.number.to_string()))
}

/// `GET /api/v1/jobs/{number}`
pub(super) async fn one(caller: Caller, Path(number): Path<i64>) -> Answer<Json<Job>> {
    let mut conn = caller.app.store.read().await?;
    let job = views::jobs::one(&mut conn, number).await?;
    Ok(Json(job.ok_or_else(|| unknown(number))?))
}

/// `?after=&epoch=&limit=`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct LogQuery {
    #[serde(default)]
    after: u64,
    epoch: Option<u32>,
    limit: Option<usize>,
}

/// `GET /api/v1/jobs/{number}/log`
pub(super) async fn log(
    caller: Caller,
    Path(number): Path<i64>,
    Query(query): Query<LogQuery>,
) -> Answer<Json<LogPage>> {
    let limit = query.limit.unwrap_or(USUAL_LINES).clamp(1, MOST_LINES);
    let mut conn = caller.app.store.read().await?;
    let page = views::logs::page(&mut conn, number, query.epoch, query.after, limit).await?;
    Ok(Json(page.ok_or_else(|| unknown(number))?))
}

/// `POST /api/v1/jobs/{number}/cancel`
pub(super) async fn cancel(
    caller: Caller,
    Path(number): Path<i64>,
    Json(wish): Json<CancelRequest>,
) -> Answer<Json<Job>> {
    cancel_job::execute(&caller.app, &caller.actor, number, wish.reason.as_deref()).await?;
    one(caller, Path(number)).await
}

fn unknown(number: i64) -> Refusal {
    Refusal::not_found("unknown_job", format!("there is no job #{number}")).hint("pointsman jobs")
}
