//! Who I am.

use pointsman_shared::api::tokens::WhoAmI;
use pointsman_store::principals;

use super::caller::Caller;
use super::extract::Json;

/// `GET /api/v1/whoami`
pub(super) async fn whoami(caller: Caller) -> Json<WhoAmI> {
    Json(WhoAmI {
        name: caller.actor.name,
        kind: principals::kind_name(caller.actor.kind).to_owned(),
        role: caller.actor.rights.role,
        projects: caller.actor.rights.projects,
        installation: caller.app.config.installation.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: caller.app.clock.now(),
    })
}
