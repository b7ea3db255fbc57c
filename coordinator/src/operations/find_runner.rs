//! Chooses the host that works on a target's migrations: the one that was named, else the lowest id that is seen.

use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::HostId;
use pointsman_store::placements::PlacementRow;
use pointsman_store::{Transaction, hosts, placements};

use crate::app::App;
use crate::error::OperationResult;

/// A target's host for its migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// The target on it.
    pub placement: PlacementRow,
    /// Whether the release lies there.
    pub has_release: bool,
}

/// The best host there is: one that has the release before one that has not, one that is seen before one that is not.
/// `named` is taken whatever it is, and `before`, where a run was, as long as it is seen. None = the target has no host.
pub async fn choose(
    app: &App,
    tx: &mut Transaction,
    placements: &[PlacementRow],
    release: ReleaseId,
    named: Option<&HostId>,
    before: Option<&HostId>,
) -> OperationResult<Option<Runner>> {
    let now = pointsman_store::now(tx).await?;
    let mut best: Option<((bool, bool, bool, bool), Runner)> = None;
    for placement in placements {
        let has_release = placements::has_release(tx, placement.id, release).await?;
        let host = hosts::get(tx, &placement.host).await?;
        let seen = host.is_some_and(|host| host.presence.absence(now, &app.config.timing.rhythm()).is_none());
        let rank = (
            named == Some(&placement.host),
            seen && has_release && before == Some(&placement.host),
            has_release && seen,
            seen,
        );
        // Placements come by host id, so that an equal one later is not better.
        if best.as_ref().is_none_or(|(other, _)| rank > *other) {
            let runner = Runner {
                placement: placement.clone(),
                has_release,
            };
            best = Some((rank, runner));
        }
    }
    Ok(best.map(|(_, runner)| runner))
}
