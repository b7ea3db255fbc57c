//! Locks and the global stop: set, released, shown.

use pointsman_shared::api::locks::{Lock, NewLock};
use pointsman_shared::name::TargetName;
use pointsman_store::locks;

use super::caller::Caller;
use super::extract::{Json, Path};
use super::problem::Answer;
use crate::operations::{release_lock, set_lock};

/// `GET /api/v1/locks`
pub(super) async fn list(caller: Caller) -> Answer<Json<Vec<Lock>>> {
    shown(&caller).await
}

/// `PUT /api/v1/targets/{target}/lock`
pub(super) async fn lock(
    caller: Caller,
    Path(target): Path<TargetName>,
    Json(wish): Json<NewLock>,
) -> Answer<Json<Vec<Lock>>> {
    set_lock::execute(&caller.app, &caller.actor, Some(&target), &wish).await?;
    shown(&caller).await
}

/// `DELETE /api/v1/targets/{target}/lock`
pub(super) async fn unlock(caller: Caller, Path(target): Path<TargetName>) -> Answer<Json<Vec<Lock>>> {
    release_lock::execute(&caller.app, &caller.actor, Some(&target)).await?;
    shown(&caller).await
}

/// `PUT /api/v1/stop`
pub(super) async fn stop(caller: Caller, Json(wish): Json<NewLock>) -> Answer<Json<Vec<Lock>>> {
    set_lock::execute(&caller.app, &caller.actor, None, &wish).await?;
    shown(&caller).await
}

/// `DELETE /api/v1/stop`
pub(super) async fn go_on(caller: Caller) -> Answer<Json<Vec<Lock>>> {
    release_lock::execute(&caller.app, &caller.actor, None).await?;
    shown(&caller).await
}

async fn shown(caller: &Caller) -> Answer<Json<Vec<Lock>>> {
    let mut conn = caller.app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    let mut held = locks::all(&mut conn, now).await?;
    held.retain(|lock| {
        lock.target
            .as_ref()
            .is_none_or(|target| caller.sees(&target.project))
    });
    Ok(Json(held))
}
