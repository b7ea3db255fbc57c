//! What a target's open deployment means for a new wish, by the target's `when_busy`: the wish waits, is refused, or the
//! open one ends for it, as long as it has had no effect and is no way back.

use pointsman_domain::deployment::DeploymentKind;
use pointsman_domain::{Actor, Refusal};
use pointsman_shared::api::projects::WhenBusy;
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, deployments};

use super::{cancel_deployment, known};
use crate::app::App;
use crate::error::OperationResult;

/// Makes way for a wish, or refuses it.
pub(super) async fn execute(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
) -> OperationResult<()> {
    let open = deployments::open_of_target(tx, target.id).await?;
    let Some(open) = open.into_iter().find(|open| open.started) else {
        return Ok(());
    };
    match target.when_busy {
        WhenBusy::Queue => Ok(()),
        WhenBusy::Refuse => {
            let what = format!(
                "deployment #{} of {} is open, by {}",
                open.number, target.name, open.requested_by
            );
            Err(Refusal::conflict("target_busy", what)
                .hint(format!("pointsman watch {}", open.number))
                .into())
        }
        WhenBusy::Supersede => {
            let facts = known::facts_under_lock(tx, open.id).await?;
            let is_a_way_back = facts.kind == DeploymentKind::Rollback || facts.rollback.is_some();
            if facts.cancel.is_none() && !is_a_way_back && !facts.has_had_effect() {
                let reason = Some("a newer wish takes its place".to_owned());
                cancel_deployment::store(app, tx, actor, target, &facts, reason).await?;
            }
            Ok(())
        }
    }
}
