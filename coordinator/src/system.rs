//! The coordinator itself as an actor, for acts that nobody asked for.

use pointsman_domain::{Actor, ActorKind};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::ids::PrincipalId;
use pointsman_store::{Transaction, principals};

use crate::app::App;
use crate::error::OperationResult;

/// The principal under which coordinators act by themselves.
const NAME: &str = "coordinator";

/// The coordinator as an actor.
pub async fn actor(app: &App, tx: &mut Transaction) -> OperationResult<Actor> {
    let fresh = PrincipalId(app.ids.next());
    let principal = principals::ensure(tx, fresh, ActorKind::System, NAME, app.clock.now()).await?;
    Ok(Actor {
        principal,
        kind: ActorKind::System,
        name: NAME.to_owned(),
        role: RoleName::Admin,
        address: None,
        trace: None,
    })
}
