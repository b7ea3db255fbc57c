//! Runs what is due by the clock. A run is claimed by moving its time on, so several coordinators run it once; what was
//! missed while none was there is made up for by one run.

use pointsman_domain::{Actor, ActorKind, schedule};
use pointsman_shared::api::garbage::GarbageRequest;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::ids::PrincipalId;
use pointsman_store::schedules::{self, ScheduleRow};
use pointsman_store::{StoreError, Transaction, principals};

use super::{act, collect_garbage};
use crate::app::App;
use crate::error::OperationResult;

/// Runs everything that is due.
pub async fn execute(app: &App) -> OperationResult<()> {
    for row in due(app).await? {
        let actor = actor(app).await?;
        let wish = GarbageRequest {
            project: Some(row.project.clone()),
            reason: Some(format!("scheduled: {}", row.expression)),
            ..GarbageRequest::default()
        };
        match collect_garbage::execute(app, &actor, &wish).await {
            Ok(found) => tracing::info!(
                project = %row.project,
                jobs = found.jobs.len(),
                bytes = found.bytes(),
                pruned = found.pruned.len(),
                "garbage is collected"
            ),
            // The others have their turn; this one has it again at its next time.
            Err(error) => tracing::warn!(
                project = %row.project,
                error = &error as &dyn std::error::Error,
                "garbage could not be collected"
            ),
        }
    }
    Ok(())
}

/// What was claimed.
async fn due(app: &App) -> OperationResult<Vec<ScheduleRow>> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    for project in schedules::missing(&mut tx).await? {
        let nightly = schedule::nightly(&project);
        let next = schedule::next(&nightly, now)?;
        schedules::set(&mut tx, app.ids.next(), &project, Some(&nightly), next).await?;
    }
    let mut claimed = Vec::new();
    for row in schedules::all(&mut tx).await? {
        if !row.enabled || row.next_run_at > now {
            continue;
        }
        let next = schedule::next(&row.expression, now)
            .map_err(|refusal| StoreError::inconsistent("schedule", row.id, refusal))?;
        if schedules::claim(&mut tx, &row, next, now).await? {
            claimed.push(row);
        }
    }
    act::commit(tx).await?;
    Ok(claimed)
}

/// The schedule is a principal of its own: the audit trail shows who collected.
pub async fn actor(app: &App) -> OperationResult<Actor> {
    let mut tx: Transaction = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let fresh = PrincipalId(app.ids.next());
    let principal = principals::ensure(&mut tx, fresh, ActorKind::Schedule, "schedule", now).await?;
    act::commit(tx).await?;
    Ok(Actor {
        principal,
        kind: ActorKind::Schedule,
        name: "schedule".to_owned(),
        rights: RoleName::Maintainer.into(),
        address: None,
        trace: None,
    })
}
