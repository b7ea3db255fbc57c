//! Sets when a project's garbage is collected by itself, or that it never is.

use pointsman_domain::{Action, Actor, schedule};
use pointsman_shared::api::garbage::GarbageSchedule;
use pointsman_store::schedules;

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Sets it; returns it with its next time.
pub async fn execute(app: &App, actor: &Actor, wish: &GarbageSchedule) -> OperationResult<GarbageSchedule> {
    let object = wish.project.to_string();
    act::audited(app, actor, "schedule.set", &object, async {
        actor.authorize_in(&wish.project, Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        known::project(&mut tx, &wish.project).await?;
        let now = pointsman_store::now(&mut tx).await?;
        let next = match &wish.cron {
            Some(cron) => Some(schedule::next(cron, now)?),
            None => None,
        };
        schedules::set(
            &mut tx,
            app.ids.next(),
            &wish.project,
            wish.cron.as_deref(),
            next.unwrap_or(now),
        )
        .await?;
        let detail = serde_json::json!({ "cron": wish.cron });
        act::done(app, &mut tx, actor, "schedule.set", &object, detail).await?;
        act::commit(tx).await?;
        Ok(GarbageSchedule {
            project: wish.project.clone(),
            cron: wish.cron.clone(),
            next,
            last: None,
        })
    })
    .await
}
