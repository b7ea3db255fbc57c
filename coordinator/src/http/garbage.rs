//! Garbage: looked at, collected, brought back, and collected by the clock.

use axum::http::StatusCode;
use pointsman_shared::api::garbage::{Garbage, GarbageRequest, GarbageSchedule, UndoRequest, Undone};
use pointsman_store::schedules::{self, ScheduleRow};

use super::caller::Caller;
use super::extract::Json;
use super::problem::Answer;
use crate::operations::{collect_garbage, set_schedule, undo_collection};

/// `POST /api/v1/garbage`
pub(super) async fn collect(
    caller: Caller,
    Json(wish): Json<GarbageRequest>,
) -> Answer<(StatusCode, Json<Garbage>)> {
    let found = collect_garbage::execute(&caller.app, &caller.actor, &wish).await?;
    let status = if wish.dry_run {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(found)))
}

/// `POST /api/v1/garbage/undo`
pub(super) async fn undo(
    caller: Caller,
    Json(wish): Json<UndoRequest>,
) -> Answer<(StatusCode, Json<Undone>)> {
    let undone = undo_collection::execute(&caller.app, &caller.actor, &wish).await?;
    Ok((StatusCode::ACCEPTED, Json(undone)))
}

/// `GET /api/v1/garbage/schedules`
pub(super) async fn schedules(caller: Caller) -> Answer<Json<Vec<GarbageSchedule>>> {
    let rows = schedules::all(&mut *caller.app.store.read().await?).await?;
    let seen = rows.into_iter().filter(|schedule| caller.sees(&schedule.project));
    Ok(Json(seen.map(shown).collect()))
}

/// `PUT /api/v1/garbage/schedules`
pub(super) async fn set_schedule(
    caller: Caller,
    Json(wish): Json<GarbageSchedule>,
) -> Answer<Json<GarbageSchedule>> {
    Ok(Json(
        set_schedule::execute(&caller.app, &caller.actor, &wish).await?,
    ))
}

pub(super) fn shown(row: ScheduleRow) -> GarbageSchedule {
    GarbageSchedule {
        project: row.project,
        next: row.enabled.then_some(row.next_run_at),
        cron: row.enabled.then_some(row.expression),
        last: row.last_run_at,
    }
}
