//! What a deployment that has not begun will do, as things stand: which release it leads away from, and which hosts stand
//! in which wave. Both are frozen when it starts, so nothing here is a promise.

use pointsman_domain::deployment::foreseen;
use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::name::HostId;
use pointsman_store::{PgConnection, StoreResult, deployments};
use serde::Serialize;

use super::format;

/// What it will do.
#[derive(Debug, Serialize)]
pub(super) struct Ahead {
    /// The good release that is live now.
    pub(super) from: Option<String>,
    /// The hosts of each wave.
    pub(super) waves: Vec<Vec<HostId>>,
}

impl Ahead {
    /// `3 hosts in 2 waves`
    pub(super) fn over(&self) -> String {
        let hosts: usize = self.waves.iter().map(Vec::len).sum();
        format!(
            "{} in {}",
            format::count(hosts, "host"),
            format::count(self.waves.len(), "wave")
        )
    }
}

/// Reads it; none once hosts are frozen, once it is over, and where no host could be chosen.
pub(super) async fn read(conn: &mut PgConnection, deployment: &Deployment) -> StoreResult<Option<Ahead>> {
    if deployment.started_at.is_some() || deployment.state.is_final() {
        return Ok(None);
    }
    let facts = deployments::facts(conn, deployment.id).await?;
    let ahead = facts.map(|facts| Ahead {
        waves: foreseen(&facts),
        from: facts.from.map(|from| from.label.to_string()),
    });
    Ok(ahead.filter(|ahead| !ahead.waves.is_empty()))
}
