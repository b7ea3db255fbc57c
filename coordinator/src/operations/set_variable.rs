//! Sets a plain variable in one scope.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::projects::{Variable, VariableScope};
use pointsman_store::variables::Setting;
use pointsman_store::{Transaction, variables};

use super::apply_document::Made;
use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Longest value in bytes.
const LONGEST: usize = 32 * 1024;

/// Sets a variable.
pub async fn execute(app: &App, actor: &Actor, wish: Variable) -> OperationResult<()> {
    let object = object(&wish);
    act::audited(app, actor, "variable.set", &object, set(app, actor, &wish)).await
}

async fn set(app: &App, actor: &Actor, wish: &Variable) -> OperationResult<()> {
    actor.authorize(Action::Configure, &object(wish))?;
    let mut tx = app.store.begin().await?;
    put(app, &mut tx, actor, wish).await?;
    act::commit(tx).await
}

/// Makes the variable be as wished, in the caller's transaction.
pub(super) async fn put(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    wish: &Variable,
) -> OperationResult<Made> {
    if wish.value.len() > LONGEST || wish.value.contains('\0') {
        let what = format!(
            "the value of {} is longer than 32 KiB or holds a NUL byte",
            wish.name
        );
        return Err(Refusal::invalid("invalid_value", what).into());
    }
    match &wish.scope {
        VariableScope::Project(name) => drop(known::project(tx, name).await?),
        VariableScope::Environment(name) => drop(known::environment(tx, name).await?),
        VariableScope::Target(name) => drop(known::target(tx, name).await?),
        VariableScope::Host(id) => known::host(tx, id).await?,
    }
    let made = match variables::set(tx, wish, actor.principal, app.clock.now()).await? {
        Setting::Created => Made::Created,
        Setting::Updated => Made::Updated,
        Setting::Unchanged => return Ok(Made::Unchanged),
    };
    // Values may be what nobody should read in a trail that is never deleted.
    let detail = serde_json::json!({ "bytes": wish.value.len() });
    act::done(app, tx, actor, "variable.set", &object(wish), detail).await?;
    Ok(made)
}

/// A variable's name for people.
pub(super) fn object(variable: &Variable) -> String {
    let name = &variable.name;
    match &variable.scope {
        VariableScope::Project(scope) => format!("{name} of project {scope}"),
        VariableScope::Environment(scope) => format!("{name} of environment {scope}"),
        VariableScope::Target(scope) => format!("{name} of {scope}"),
        VariableScope::Host(scope) => format!("{name} of host {scope}"),
    }
}
