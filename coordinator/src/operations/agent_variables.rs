//! The variables of a running job: what its project, environment, target and host set, the narrower scope winning. A
//! build sees its project's and its builder's.

use std::collections::BTreeMap;

use pointsman_domain::Refusal;
use pointsman_shared::api::agent::Variables;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::{TargetName, VariableName};
use pointsman_shared::wire::job::Order;
use pointsman_store::variables::Stored;
use pointsman_store::{PgConnection, StoreError, releases, variables};

use super::trust_agent::Trusted;
use crate::app::App;
use crate::error::OperationResult;
use crate::vault::Sealed;

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
    let (mut plain, mut secret) = (BTreeMap::new(), BTreeMap::new());
    for (name, (place, stored)) in
        variables::seen_by(&mut conn, &body.project, target.as_ref(), &agent.host).await?
    {
        match stored {
            Stored::Plain(value) => drop(plain.insert(name, value)),
            Stored::Sealed { key, bytes } => {
                let value = unseal(app, &name, &place, &Sealed { key, bytes })?;
                secret.insert(name, value);
            }
        }
    }
    if let Order::Migrate(order) = &body.order {
        plain.extend(release(&mut conn, order.release).await?);
    }
    Ok(Variables { plain, secret })
}

fn unseal(app: &App, name: &VariableName, place: &str, sealed: &Sealed) -> OperationResult<String> {
    let refuse = |why: String| {
        let what = format!("the secret {name} cannot be read: {why}");
        Refusal::conflict("secret_unreadable", what)
            .hint("give every coordinator the same secrets.key_file, or set the secret anew")
    };
    let vault = app.vault.as_deref();
    let vault = vault.ok_or_else(|| refuse("this coordinator has no secrets.key_file".to_owned()))?;
    let value = vault
        .unseal(place, sealed)
        .map_err(|error| refuse(error.to_string()))?;
    Ok(value.as_str().to_owned())
}
