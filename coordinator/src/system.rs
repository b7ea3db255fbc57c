//! The coordinator itself as an actor, for acts that nobody asked for.

use chrono::{DateTime, Utc};
use pointsman_domain::{Actor, ActorKind};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::ids::PrincipalId;
use pointsman_store::{StoreResult, Transaction, principals};

use crate::app::App;
use crate::error::OperationResult;

/// The principal under which coordinators act by themselves.
const NAME: &str = "coordinator";

/// The coordinator as an actor.
pub async fn actor(app: &App, tx: &mut Transaction) -> OperationResult<Actor> {
    Ok(of(tx, PrincipalId(app.ids.next()), app.clock.now()).await?)
}

/// The same where no application runs; `fresh` is its principal's id, should it have none yet.
pub async fn of(tx: &mut Transaction, fresh: PrincipalId, now: DateTime<Utc>) -> StoreResult<Actor> {
    let principal = principals::ensure(tx, fresh, ActorKind::System, NAME, now).await?;
    Ok(Actor {
        principal,
        kind: ActorKind::System,
        name: NAME.to_owned(),
        rights: RoleName::Admin.into(),
        address: None,
        trace: None,
    })
}
