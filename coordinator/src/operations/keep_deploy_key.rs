//! Keeps the ssh key of a project's repository: one that somebody gives, or one that is made here. Its private half is
//! sealed before the database sees it, and goes to nobody but the builds of that project.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::deploy_keys::{DeployKey, MakeDeployKey, SetDeployKey};
use pointsman_shared::ids::ProjectId;
use pointsman_shared::name::ProjectName;
use pointsman_store::deploy_keys::{self, DeployKeyRow, NewDeployKey};
use pointsman_store::{PgConnection, Transaction};
use zeroize::Zeroizing;

use super::{act, known, set_variable};
use crate::app::App;
use crate::deploy_key::{self, KeyError};
use crate::error::{OperationError, OperationResult};
use crate::vault::Sealed;

/// Stores a key that somebody gives, or other known hosts for the one that is there.
pub async fn set(app: &App, actor: &Actor, project: &ProjectName, wish: SetDeployKey) -> OperationResult<()> {
    let object = project.as_str();
    let private = wish.private_key.map(Zeroizing::new);
    act::audited(app, actor, "deploy_key.set", object, async {
        actor.authorize_in(project, Action::Configure, object)?;
        let key = private.as_deref().map(|text| deploy_key::read(text, project));
        let hosts = wish.known_hosts.as_deref().map(deploy_key::known_hosts);
        let change = Change {
            key: key.transpose().map_err(|error| refused(&error))?,
            known_hosts: hosts.transpose().map_err(|error| refused(&error))?,
        };
        store(app, actor, "deploy_key.set", project, change).await
    })
    .await
}

/// Makes a key and stores it.
pub async fn make(
    app: &App,
    actor: &Actor,
    project: &ProjectName,
    wish: MakeDeployKey,
) -> OperationResult<()> {
    let object = project.as_str();
    act::audited(app, actor, "deploy_key.make", object, async {
        actor.authorize_in(project, Action::Configure, object)?;
        let hosts = wish.known_hosts.as_deref().map(deploy_key::known_hosts);
        let change = Change {
            key: Some(
                deploy_key::make(project).map_err(|error| OperationError::internal("making a key", error))?,
            ),
            known_hosts: hosts.transpose().map_err(|error| refused(&error))?,
        };
        store(app, actor, "deploy_key.make", project, change).await
    })
    .await
}

/// Removes a key.
pub async fn remove(app: &App, actor: &Actor, project: &ProjectName) -> OperationResult<()> {
    let object = project.as_str();
    act::audited(app, actor, "deploy_key.remove", object, async {
        actor.authorize_in(project, Action::Configure, object)?;
        let mut tx = app.store.begin().await?;
        let row = known::project(&mut tx, project).await?;
        let before = deploy_keys::get(&mut tx, row.id)
            .await?
            .ok_or_else(|| none(project))?;
        deploy_keys::remove(&mut tx, row.id).await?;
        let detail = serde_json::json!({ "fingerprint": before.fingerprint });
        act::done(app, &mut tx, actor, "deploy_key.remove", object, detail).await?;
        act::commit(tx).await
    })
    .await
}

/// What may be shown of a key.
pub async fn read(conn: &mut PgConnection, project: &ProjectName) -> OperationResult<DeployKey> {
    let row = known::project(conn, project).await?;
    let key = deploy_keys::shown(conn, row.id).await?;
    Ok(key.ok_or_else(|| none(project))?)
}

/// The private half of a stored key, for whoever fetches the project's repository.
pub(crate) fn unseal(app: &App, project: ProjectId, row: DeployKeyRow) -> OperationResult<Zeroizing<String>> {
    let refuse = |why: String| {
        let what = format!("the deploy key {} cannot be read: {why}", row.fingerprint);
        Refusal::conflict("secret_unreadable", what)
            .hint("give every coordinator the same secrets.key_file, or set the key anew")
    };
    let vault = app.vault.as_deref();
    let vault = vault.ok_or_else(|| refuse("this coordinator has no secrets.key_file".to_owned()))?;
    let sealed = Sealed {
        key: row.sealed_with,
        bytes: row.sealed,
    };
    let opened = vault.unseal(&deploy_keys::place(project), &sealed);
    Ok(opened.map_err(|error| refuse(error.to_string()))?)
}

/// What becomes of a key; what is absent stays.
struct Change {
    key: Option<deploy_key::DeployKey>,
    known_hosts: Option<String>,
}

async fn store(
    app: &App,
    actor: &Actor,
    action: &str,
    project: &ProjectName,
    change: Change,
) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let row = known::project(&mut tx, project).await?;
    let before = deploy_keys::get(&mut tx, row.id).await?;
    let known_hosts = match (&change.known_hosts, &before) {
        (Some(lines), _) => lines.clone(),
        (None, Some(before)) => before.known_hosts.clone(),
        (None, None) => String::new(),
    };
    let kept = put(
        app,
        &mut tx,
        actor,
        row.id,
        &change,
        before.as_ref(),
        &known_hosts,
    )
    .await?;
    let Some(fingerprint) = kept else {
        return Err(none(project).into());
    };
    let detail = serde_json::json!({
        "fingerprint": fingerprint, "before": before.map(|before| before.fingerprint),
        "known_hosts": known_hosts.lines().count(),
    });
    act::done(app, &mut tx, actor, action, project.as_str(), detail).await?;
    act::commit(tx).await
}

/// Writes the row; returns the fingerprint, none where there is no key to write.
async fn put(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    project: ProjectId,
    change: &Change,
    before: Option<&DeployKeyRow>,
    known_hosts: &str,
) -> OperationResult<Option<String>> {
    let sealed;
    let new = match (&change.key, before) {
        (Some(key), _) => {
            let vault = set_variable::vault(app)?;
            sealed = vault
                .seal(&deploy_keys::place(project), &key.private)
                .map_err(|error| OperationError::internal("sealing a key", error))?;
            NewDeployKey {
                sealed_with: &sealed.key,
                sealed: &sealed.bytes,
                public_key: &key.public,
                fingerprint: &key.fingerprint,
                known_hosts,
            }
        }
        (None, Some(before)) => NewDeployKey {
            sealed_with: &before.sealed_with,
            sealed: &before.sealed,
            public_key: &before.public_key,
            fingerprint: &before.fingerprint,
            known_hosts,
        },
        (None, None) => return Ok(None),
    };
    deploy_keys::put(tx, project, &new, actor.principal, app.clock.now()).await?;
    Ok(Some(new.fingerprint.to_owned()))
}

fn refused(error: &KeyError) -> Refusal {
    Refusal::invalid("invalid_key", error.to_string()).hint(error.cure())
}

fn none(project: &ProjectName) -> Refusal {
    let what = format!("{project} has no deploy key");
    Refusal::not_found("no_deploy_key", what).hint(format!("pointsman project key generate {project}"))
}
