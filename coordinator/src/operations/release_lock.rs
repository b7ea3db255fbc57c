//! Releases a target's lock, or lets everything go on after a stop: its owner may, and whoever may configure.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::name::TargetName;
use pointsman_store::locks;

use super::{act, known, offer_job, set_lock};
use crate::app::App;
use crate::error::OperationResult;

/// Releases it; without a target the global stop.
pub async fn execute(app: &App, actor: &Actor, target: Option<&TargetName>) -> OperationResult<()> {
    let object = target.map_or_else(|| "everything".to_owned(), ToString::to_string);
    let action = if target.is_some() {
        "target.unlock"
    } else {
        "stop.lift"
    };
    act::audited(app, actor, action, &object, async {
        known::authorize(
            actor,
            target.map(|target| &target.project),
            Action::Deploy,
            &object,
        )?;
        let mut tx = app.store.begin().await?;
        let id = match target {
            Some(name) => Some(known::target(&mut tx, name).await?.id),
            None => None,
        };
        let now = pointsman_store::now(&mut tx).await?;
        let Some(held) = locks::held(&mut tx, id, now).await? else {
            let what = match target {
                Some(name) => format!("{name} is not locked"),
                None => "nothing is stopped".to_owned(),
            };
            return Err(Refusal::conflict("not_locked", what)
                .hint("pointsman locks")
                .into());
        };
        if held.owner != actor.principal {
            known::authorize(
                actor,
                target.map(|target| &target.project),
                Action::Configure,
                &object,
            )?;
        }
        locks::release(&mut tx, id, actor.principal, now).await?;
        let detail = serde_json::json!({ "owner": held.owner_name, "reason": held.reason });
        act::done(app, &mut tx, actor, action, &object, detail).await?;
        let message = match target {
            Some(name) => format!("{name} was unlocked by {}", actor.name),
            None => format!("{} lets everything go on", actor.name),
        };
        set_lock::tell(&mut tx, target, action, message).await?;
        act::commit(tx).await
    })
    .await?;
    // What fails here is left to the sweep, which offers again what nobody took in time.
    if target.is_none()
        && let Err(error) = offer_job::all_again(app).await
    {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "offers refused under the stop are left to the sweep"
        );
    }
    app.bells.ring();
    Ok(())
}
