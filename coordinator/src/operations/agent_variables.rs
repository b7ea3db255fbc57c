//! The variables of a running job: what its project, environment, target and host set, the narrower scope winning. A
//! build sees its project's and its builder's.

use pointsman_shared::api::agent::Variables;
use pointsman_shared::name::TargetName;
use pointsman_store::variables;

use super::trust_agent::Trusted;
use crate::app::App;
use crate::error::OperationResult;

/// Reads them.
pub async fn execute(app: &App, agent: &Trusted) -> OperationResult<Variables> {
    let body = &agent.body;
    let target = body.environment.clone().map(|environment| TargetName {
        project: body.project.clone(),
        environment,
    });
    let mut conn = app.store.read().await?;
    let plain = variables::seen_by(&mut conn, &body.project, target.as_ref(), &agent.host).await?;
    Ok(Variables {
        plain,
        secret: std::collections::BTreeMap::new(),
    })
}
