//! Whether a target takes wishes now: it is not locked, and has hosts that could fulfil them.

use pointsman_domain::deployment::DeploymentKind;
use pointsman_domain::{Refusal, RefusalKind};
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, locks};

use super::sync_placements;
use crate::app::App;
use crate::error::OperationResult;

/// Refuses new wishes for a locked target, and while the global stop is on; the stop lets rollbacks pass.
pub(super) async fn refuse_when_locked(
    tx: &mut Transaction,
    target: &TargetRow,
    kind: DeploymentKind,
) -> OperationResult<()> {
    let now = pointsman_store::now(tx).await?;
    let refuse = |code, what: String, hint: String| {
        Err(Refusal::new(RefusalKind::Locked, code, what).hint(hint).into())
    };
    match locks::held_lock(tx, target.id, now).await? {
        Some(lock) if lock.global && kind == DeploymentKind::Rollback => Ok(()),
        Some(lock) if lock.global => refuse(
            "stopped",
            format!("everything is stopped by {}: {}", lock.owner, lock.reason),
            format!("ask {}; pointsman resume ends it", lock.owner),
        ),
        Some(lock) => {
            let until = lock
                .expires_at
                .map_or_else(String::new, |at| format!(" until {}", at.format("%F %T UTC")));
            let what = format!(
                "{} is locked by {}{until}: {}",
                target.name, lock.owner, lock.reason
            );
            let hint = format!("ask {}; pointsman unlock {} ends it", lock.owner, target.name);
            refuse("locked", what, hint)
        }
        None => Ok(()),
    }
}

/// Refuses a wish that no host could fulfil, and one whose root belongs to another target.
pub(super) async fn refuse_without_hosts(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
) -> OperationResult<()> {
    let conflicts = sync_placements::sync(app, tx, target).await?;
    if let Some(conflict) = conflicts.first() {
        let what = format!(
            "{} and {} both have the root {} on {}",
            target.name, conflict.other, target.root, conflict.host
        );
        return Err(Refusal::conflict("root_taken", what)
            .hint(format!("give {} a root of its own", target.name))
            .into());
    }
    if pointsman_store::placements::of_target(tx, target.id)
        .await?
        .is_empty()
    {
        let labels: Vec<_> = target
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let what = format!(
            "{} has no host: none that joined has the labels {}",
            target.name,
            labels.join(", ")
        );
        return Err(Refusal::conflict("no_hosts", what)
            .hint("pointsman hosts shows labels; a join token gives them")
            .into());
    }
    Ok(())
}
