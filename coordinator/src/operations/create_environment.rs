//! Creates an environment, and for [`super::apply_document`] moves one.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::projects::{Environment, NewEnvironment};
use pointsman_shared::ids::EnvironmentId;
use pointsman_store::{Transaction, environments};

use super::act;
use super::apply_document::Made;
use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// Creates an environment.
pub async fn execute(app: &App, actor: &Actor, wish: NewEnvironment) -> OperationResult<Environment> {
    let object = wish.name.to_string();
    let create = create(app, actor, &wish);
    act::audited(app, actor, "environment.create", &object, create).await
}

async fn create(app: &App, actor: &Actor, wish: &NewEnvironment) -> OperationResult<Environment> {
    actor.authorize(Action::ManageEnvironments, wish.name.as_str())?;
    let mut tx = app.store.begin().await?;
    if environments::lock(&mut tx, &wish.name).await?.is_some() {
        return Err(exists(wish).into());
    }
    put(app, &mut tx, actor, wish).await?;
    act::commit(tx).await?;
    Ok(Environment {
        name: wish.name.clone(),
        position: wish.position,
    })
}

/// Makes the environment be as wished, in the caller's transaction.
pub(super) async fn put(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    wish: &NewEnvironment,
) -> OperationResult<Made> {
    let known = environments::lock(tx, &wish.name).await?;
    if known
        .as_ref()
        .is_some_and(|(_, known)| known.position == wish.position)
    {
        return Ok(Made::Unchanged);
    }
    actor.authorize(Action::ManageEnvironments, wish.name.as_str())?;
    let (made, action) = if let Some((id, _)) = known {
        environments::set_position(tx, id, wish.position).await?;
        (Made::Updated, "environment.change")
    } else {
        insert(app, tx, wish).await?;
        (Made::Created, "environment.create")
    };
    let detail = serde_json::json!({ "position": wish.position });
    act::done(app, tx, actor, action, wish.name.as_str(), detail).await?;
    Ok(made)
}

async fn insert(app: &App, tx: &mut Transaction, wish: &NewEnvironment) -> OperationResult<()> {
    let environment = Environment {
        name: wish.name.clone(),
        position: wish.position,
    };
    environments::insert(tx, EnvironmentId(app.ids.next()), &environment, app.clock.now())
        .await
        .map_err(|error| match error.constraint() {
            Some("environment_name_key") => exists(wish).into(),
            Some(_) | None => OperationError::from(error),
        })
}

fn exists(wish: &NewEnvironment) -> Refusal {
    let what = format!("there is an environment {} already", wish.name);
    Refusal::conflict("environment_exists", what).hint("change it with: pointsman apply -f FILE")
}
