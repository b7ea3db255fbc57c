//! Sets a variable in one scope, or removes it. A secret one is sealed here, before the database sees it, and never told
//! again.

use pointsman_domain::{Action, Actor, Permit, Refusal};
use pointsman_shared::api::projects::{Variable, VariableRef, VariableScope};
use pointsman_store::variables::Stored;
use pointsman_store::{Transaction, variables};

use super::apply_document::Made;
use super::{act, known};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::vault::{Sealed, Vault};

/// Longest value in bytes.
const LONGEST: usize = 32 * 1024;

/// Sets a variable.
pub async fn execute(app: &App, actor: &Actor, wish: Variable) -> OperationResult<()> {
    let object = object(&reference(&wish));
    act::audited(app, actor, "variable.set", &object, async {
        authorize(actor, &wish.scope, &object)?;
        let mut tx = app.store.begin().await?;
        put(app, &mut tx, actor, &wish).await?;
        act::commit(tx).await
    })
    .await
}

/// What environments and hosts are given concerns every project on them.
pub(super) fn authorize(actor: &Actor, scope: &VariableScope, object: &str) -> Result<Permit, Refusal> {
    match scope {
        VariableScope::Project(project) => actor.authorize_in(project, Action::Configure, object),
        VariableScope::Target(target) => actor.authorize_in(&target.project, Action::Configure, object),
        VariableScope::Environment(_) | VariableScope::Host(_) => actor.authorize(Action::Configure, object),
    }
}

/// Removes a variable.
pub async fn remove(app: &App, actor: &Actor, variable: &VariableRef) -> OperationResult<()> {
    let object = object(variable);
    act::audited(app, actor, "variable.unset", &object, async {
        authorize(actor, &variable.scope, &object)?;
        let mut tx = app.store.begin().await?;
        if !variables::remove(&mut tx, variable).await? {
            let refusal = Refusal::not_found("unknown_variable", format!("{object} is not set"));
            return Err(refusal.hint("pointsman variable ls").into());
        }
        act::done(
            app,
            &mut tx,
            actor,
            "variable.unset",
            &object,
            serde_json::json!({}),
        )
        .await?;
        act::commit(tx).await
    })
    .await
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
    let variable = reference(wish);
    let before = variables::get(tx, &variable).await?;
    refuse_to_uncover(before.as_ref(), wish)?;
    if let Some(before) = &before
        && is_same(app, &variable, before, wish)?
    {
        return Ok(Made::Unchanged);
    }
    let value = stored(app, &variable, wish)?;
    variables::put(tx, &variable, &value, actor.principal, app.clock.now()).await?;
    // Values may be what nobody should read in a trail that is never deleted.
    let detail = serde_json::json!({ "bytes": wish.value.len(), "secret": wish.secret });
    act::done(app, tx, actor, "variable.set", &object(&variable), detail).await?;
    Ok(before.map_or(Made::Created, |_| Made::Updated))
}

/// A secret does not become plain, or nothing, because somebody forgot to say that it is one.
fn refuse_to_uncover(before: Option<&Stored>, wish: &Variable) -> Result<(), Refusal> {
    if wish.secret && wish.value.is_empty() {
        let what = format!("the secret {} is empty", wish.name);
        return Err(Refusal::invalid("invalid_value", what));
    }
    match before {
        Some(Stored::Sealed { .. }) if !wish.secret => {
            let what = format!("{} is a secret", wish.name);
            Err(Refusal::conflict("is_secret", what)
                .hint("set it as a secret, or unset it first: pointsman variable unset"))
        }
        Some(Stored::Sealed { .. } | Stored::Plain(_)) | None => Ok(()),
    }
}

/// What is stored of a wish.
fn stored(app: &App, variable: &VariableRef, wish: &Variable) -> OperationResult<Stored> {
    if !wish.secret {
        return Ok(Stored::Plain(wish.value.clone()));
    }
    let sealed = vault(app)?.seal(&variables::place(variable), &wish.value);
    let Sealed { key, bytes } =
        sealed.map_err(|error| OperationError::internal("sealing a secret", error))?;
    Ok(Stored::Sealed { key, bytes })
}

fn is_same(app: &App, variable: &VariableRef, before: &Stored, wish: &Variable) -> OperationResult<bool> {
    match before {
        Stored::Plain(value) => Ok(!wish.secret && *value == wish.value),
        Stored::Sealed { key, bytes } if wish.secret => {
            let sealed = Sealed {
                key: key.clone(),
                bytes: bytes.clone(),
            };
            // What does not open any more, or was sealed with an older key, is set anew.
            let vault = vault(app)?;
            let value = vault.unseal(&variables::place(variable), &sealed);
            Ok(vault.seals_with(key) && value.is_ok_and(|value| *value == wish.value))
        }
        Stored::Sealed { .. } => Ok(false),
    }
}

pub(super) fn vault(app: &App) -> Result<&Vault, Refusal> {
    app.vault.as_deref().ok_or_else(|| {
        let what = "this coordinator has no key for secrets";
        Refusal::conflict("no_secrets_key", what)
            .hint("configure secrets.key_file and run `pointsman-coordinator init`")
    })
}

fn reference(wish: &Variable) -> VariableRef {
    VariableRef {
        scope: wish.scope.clone(),
        name: wish.name.clone(),
    }
}

/// A variable's name for people.
fn object(variable: &VariableRef) -> String {
    let name = &variable.name;
    match &variable.scope {
        VariableScope::Project(scope) => format!("{name} of project {scope}"),
        VariableScope::Environment(scope) => format!("{name} of environment {scope}"),
        VariableScope::Target(scope) => format!("{name} of {scope}"),
        VariableScope::Host(scope) => format!("{name} of host {scope}"),
    }
}

/// The same, of a variable that is wished.
pub(super) fn wished(wish: &Variable) -> String {
    object(&reference(wish))
}
