//! The ssh key of the repository that a running build fetches: the project's own, for its own repository, over ssh.
//! Every other job, and every other address, gets none.

use pointsman_shared::api::agent::RepositoryAccess;
use pointsman_shared::repository::Protocol;
use pointsman_shared::wire::job::Order;
use pointsman_store::{deploy_keys, projects};

use super::keep_deploy_key;
use super::trust_agent::{Trusted, forbidden};
use crate::app::App;
use crate::error::OperationResult;

/// Reads it.
pub async fn execute(app: &App, agent: &Trusted) -> OperationResult<RepositoryAccess> {
    let Order::Build(order) = &agent.body.order else {
        let what = format!("a {} job fetches no repository", agent.body.order.kind());
        return Err(forbidden("not_a_build", what).into());
    };
    let project = agent.body.project_id;
    let mut conn = app.store.read().await?;
    // The order may be older than a change of the project's address.
    let is_its_own = projects::find(&mut conn, &agent.body.project)
        .await?
        .is_some_and(|row| row.id == project && row.repository == order.repository);
    if !is_its_own || order.repository.protocol() != Protocol::Ssh {
        return Ok(RepositoryAccess::default());
    }
    let Some(row) = deploy_keys::get(&mut conn, project).await? else {
        return Ok(RepositoryAccess::default());
    };
    let known_hosts = row.known_hosts.clone();
    let private = keep_deploy_key::unseal(app, project, row)?;
    Ok(RepositoryAccess {
        private_key: Some(private.as_str().to_owned()),
        known_hosts,
    })
}
