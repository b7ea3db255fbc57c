//! What a job is given besides its order, fetched with its grant: variables, and the key of a repository. Neither ever
//! travels in a message.

use std::collections::BTreeMap;

use pointsman_shared::api::agent::{RepositoryAccess, Variables};
use pointsman_shared::repository::Protocol;
use pointsman_shared::wire::job::Order;

use crate::artifact::{ArtifactError, Artifacts};
use crate::logs::Secrets;

/// What came.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) variables: Variables,
    pub(super) access: RepositoryAccess,
}

impl Given {
    /// Asks for what this order needs, and for nothing else.
    pub(super) async fn fetch(artifacts: &Artifacts, order: &Order) -> Result<Self, ArtifactError> {
        Ok(Self {
            variables: variables(artifacts, order).await?,
            access: access(artifacts, order).await?,
        })
    }

    /// Everything that no log may show.
    pub(super) fn secrets(&self) -> Secrets {
        let values = self.variables.secret.values().map(String::as_str);
        Secrets::new(values.chain(lines_of_key(&self.access)))
    }
}

async fn variables(artifacts: &Artifacts, order: &Order) -> Result<Variables, ArtifactError> {
    if needs_variables(order) {
        return artifacts.variables().await;
    }
    Ok(Variables {
        plain: BTreeMap::new(),
        secret: BTreeMap::new(),
    })
}

/// Work without commands and addresses goes on when the coordinator's HTTP side is away.
fn needs_variables(order: &Order) -> bool {
    match order {
        Order::Build(order) => order.recipe.is_some(),
        Order::Install(_) | Order::CollectGarbage(_) | Order::CollectWorkshop(_) => false,
        Order::Activate(order) | Order::Rollback(order) => {
            !order.hooks.before.is_empty() || !order.hooks.after.is_empty() || order.health.is_some()
        }
        Order::Migrate(_) => true,
    }
}

/// What a build over ssh may reach its repository with.
async fn access(artifacts: &Artifacts, order: &Order) -> Result<RepositoryAccess, ArtifactError> {
    match order {
        Order::Build(order) if order.repository.protocol() == Protocol::Ssh => {
            artifacts.repository_access().await
        }
        Order::Build(_)
        | Order::Install(_)
        | Order::Activate(_)
        | Order::Rollback(_)
        | Order::Migrate(_)
        | Order::CollectGarbage(_)
        | Order::CollectWorkshop(_) => Ok(RepositoryAccess::default()),
    }
}

/// A key is found in a log by each of its lines; those that every key begins and ends with tell nothing.
fn lines_of_key(access: &RepositoryAccess) -> impl Iterator<Item = &str> {
    let lines = access.private_key.iter().flat_map(|key| key.lines());
    lines.filter(|line| !line.starts_with("-----"))
}
