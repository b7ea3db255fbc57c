//! The variables of a running job: what its project, environment, target and host set, the narrower scope winning. A
//! build sees its project's and its builder's.

use pointsman_shared::api::agent::Variables;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::{TargetName, VariableName};
use pointsman_shared::wire::job::Order;
use pointsman_store::{PgConnection, StoreError, releases, variables};

use super::trust_agent::Trusted;
use crate::app::App;
use crate::error::OperationResult;

/// What the order of a migration does not say of its release; a variable of the same name cannot lie about it.
async fn release(
    conn: &mut PgConnection,
    id: ReleaseId,
) -> OperationResult<impl Iterator<Item = (VariableName, String)>> {
    let row = releases::get(conn, id)
        .await?
        .ok_or_else(|| StoreError::inconsistent("release", id, "its migrations run and it does not exist"))?;
    let ours = [
        ("POINTSMAN_RELEASE_LABEL", row.label.to_string()),
        ("POINTSMAN_COMMIT", row.commit.to_string()),
    ];
    Ok(ours
        .into_iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, value))))
}

/// Reads them.
pub async fn execute(app: &App, agent: &Trusted) -> OperationResult<Variables> {
    let body = &agent.body;
    let target = body.environment.clone().map(|environment| TargetName {
        project: body.project.clone(),
        environment,
    });
    let mut conn = app.store.read().await?;
    let mut plain = variables::seen_by(&mut conn, &body.project, target.as_ref(), &agent.host).await?;
    if let Order::Migrate(order) = &body.order {
        plain.extend(release(&mut conn, order.release).await?);
    }
    Ok(Variables {
        plain,
        secret: std::collections::BTreeMap::new(),
    })
}
