//! Says where a rollback of a target would go, on how many hosts that release lies, and what would refuse it: the price of
//! a press, before it is pressed. It changes nothing; the press is judged again.

use pointsman_domain::Refusal;
use pointsman_domain::deployment::DeploymentKind;
use pointsman_shared::name::ReleaseLabel;
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, placements, releases};

use super::{judge_rollback, judge_target, request_rollback};
use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// What a rollback would come to.
#[derive(Debug)]
pub struct Foreseen {
    /// The release that would come back; none where there is none.
    pub to: Option<ReleaseLabel>,
    /// Hosts on which it lies.
    pub ready: usize,
    /// Hosts of the target.
    pub hosts: usize,
    /// Why it would be refused.
    pub refusal: Option<Refusal>,
}

/// Looks at the target as it is.
pub async fn execute(app: &App, target: &TargetRow) -> OperationResult<Foreseen> {
    let mut tx = app.store.begin().await?;
    let of_target = placements::of_target(&mut tx, target.id).await?;
    let mut foreseen = Foreseen {
        to: None,
        ready: 0,
        hosts: of_target.len(),
        refusal: None,
    };
    let to = match request_rollback::destination(&mut tx, target, None).await {
        Ok(to) => to,
        Err(OperationError::Refused(refusal)) => {
            foreseen.refusal = Some(refusal);
            return Ok(foreseen);
        }
        Err(error) => return Err(error),
    };
    let row = releases::get(&mut tx, to)
        .await?
        .ok_or_else(|| StoreError::inconsistent("release", to, "it is good and does not exist"))?;
    foreseen.ready = placements::holding(&mut tx, target.id, to).await?;
    foreseen.to = Some(row.label);
    let judged = match judge_rollback::judge(&mut tx, target, to).await {
        Ok(_) => judge_target::refuse_when_locked(&mut tx, target, DeploymentKind::Rollback).await,
        Err(error) => Err(error),
    };
    match judged {
        Ok(()) => {}
        Err(OperationError::Refused(refusal)) => foreseen.refusal = Some(refusal),
        Err(error) => return Err(error),
    }
    Ok(foreseen)
}
