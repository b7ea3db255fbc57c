//! Keeps a project's webhooks: made, given another secret, removed. The secret is shown once, and sealed like a secret
//! variable; a call is checked with it, never compared with anything in the clear.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::pushes::{IssuedWebhook, NewWebhook, Webhook};
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::name::{ProjectName, WebhookName};
use pointsman_store::webhooks::{self, NewWebhookRow, WebhookRow};
use pointsman_store::{PgConnection, StoreError, principals};
use zeroize::Zeroizing;

use super::{act, known, set_variable};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::secrets;
use crate::vault::Sealed;

/// Makes a webhook.
pub async fn add(app: &App, actor: &Actor, wish: &NewWebhook) -> OperationResult<IssuedWebhook> {
    let name = match &wish.name {
        Some(name) => name.clone(),
        None => named_after(wish)?,
    };
    let object = object(&wish.project, &name);
    act::audited(app, actor, "webhook.add", &object, async {
        actor.authorize_in(&wish.project, Action::Configure, &object)?;
        let (secret, sealed) = sealed(app, &object)?;
        let mut tx = app.store.begin().await?;
        let project = known::project(&mut tx, &wish.project).await?;
        let now = pointsman_store::now(&mut tx).await?;
        let fresh = PrincipalId(app.ids.next());
        let principal =
            principals::ensure(&mut tx, fresh, webhooks::ACTS_AS, &principal_name(&object), now).await?;
        let row = NewWebhookRow {
            id: app.ids.next(),
            project: project.id,
            name: &name,
            forge: wish.forge,
            secret: &sealed.bytes,
            key: &sealed.key,
            principal,
            at: now,
        };
        webhooks::insert(&mut tx, &row)
            .await
            .map_err(|error| match error.constraint() {
                Some("webhook_one_per_name") => exists(&object).into(),
                Some(_) | None => OperationError::from(error),
            })?;
        let detail = serde_json::json!({ "forge": wish.forge });
        act::done(app, &mut tx, actor, "webhook.add", &object, detail).await?;
        let webhook = shown(app, &find(&mut tx, &wish.project, &name).await?);
        act::commit(tx).await?;
        Ok(IssuedWebhook {
            webhook,
            secret: secret.to_string(),
        })
    })
    .await
}

/// Gives a webhook another secret; the old one is void at once.
pub async fn renew(
    app: &App,
    actor: &Actor,
    project: &ProjectName,
    name: &WebhookName,
) -> OperationResult<IssuedWebhook> {
    let object = object(project, name);
    act::audited(app, actor, "webhook.renew", &object, async {
        actor.authorize_in(project, Action::Configure, &object)?;
        let (secret, sealed) = sealed(app, &object)?;
        let mut tx = app.store.begin().await?;
        let row = find(&mut tx, project, name).await?;
        webhooks::set_secret(&mut tx, row.id, &sealed.bytes, &sealed.key).await?;
        act::done(
            app,
            &mut tx,
            actor,
            "webhook.renew",
            &object,
            serde_json::json!({}),
        )
        .await?;
        act::commit(tx).await?;
        Ok(IssuedWebhook {
            webhook: shown(app, &row),
            secret: secret.to_string(),
        })
    })
    .await
}

/// Removes a webhook; what it told stays in the list of pushes.
pub async fn remove(
    app: &App,
    actor: &Actor,
    project: &ProjectName,
    name: &WebhookName,
) -> OperationResult<()> {
    let object = object(project, name);
    act::audited(app, actor, "webhook.remove", &object, async {
        actor.authorize_in(project, Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        let row = find(&mut tx, project, name).await?;
        let now = pointsman_store::now(&mut tx).await?;
        webhooks::remove(&mut tx, row.id, now).await?;
        act::done(
            app,
            &mut tx,
            actor,
            "webhook.remove",
            &object,
            serde_json::json!({}),
        )
        .await?;
        act::commit(tx).await
    })
    .await
}

/// A webhook as people see it.
pub fn shown(app: &App, row: &WebhookRow) -> Webhook {
    let base = app.config.http.public_url.as_str().trim_end_matches('/');
    Webhook {
        project: row.project.clone(),
        name: row.name.clone(),
        forge: row.forge,
        url: format!("{base}/api/v1/webhooks/{}/{}", row.project, row.name),
        created_at: row.created_at,
        last_push_at: row.last_push_at,
        refused_at: row.refused_at,
    }
}

/// A webhook's secret, to check a call with.
pub(super) fn secret_of(app: &App, row: &WebhookRow) -> OperationResult<Zeroizing<String>> {
    let sealed = Sealed {
        key: row.key.clone(),
        bytes: row.secret.clone(),
    };
    let opened = set_variable::vault(app)?.unseal(&place(&object(&row.project, &row.name)), &sealed);
    opened.map_err(|error| OperationError::internal("opening a webhook's secret", error))
}

async fn find(
    conn: &mut PgConnection,
    project: &ProjectName,
    name: &WebhookName,
) -> OperationResult<WebhookRow> {
    let row = webhooks::find(conn, project, name).await?;
    row.ok_or_else(|| {
        let what = format!("there is no webhook {}", object(project, name));
        Refusal::not_found("unknown_webhook", what)
            .hint("pointsman webhook ls")
            .into()
    })
}

fn sealed(app: &App, object: &str) -> OperationResult<(Zeroizing<String>, Sealed)> {
    let secret = secrets::draw::<32>()?;
    let sealed = set_variable::vault(app)?.seal(&place(object), &secret);
    let sealed = sealed.map_err(|error| OperationError::internal("sealing a webhook's secret", error))?;
    Ok((secret, sealed))
}

fn named_after(wish: &NewWebhook) -> OperationResult<WebhookName> {
    let name = wish.forge.as_str().parse();
    name.map_err(|error: pointsman_shared::name::InvalidName| {
        StoreError::inconsistent("webhook", wish.forge.as_str(), error).into()
    })
}

fn exists(object: &str) -> Refusal {
    Refusal::conflict("webhook_exists", format!("there is a webhook {object} already"))
        .hint("give it another name, or a new secret: pointsman webhook renew")
}

/// A webhook's name for people, such as `shop/github`.
pub fn object(project: &ProjectName, name: &WebhookName) -> String {
    format!("{project}/{name}")
}

/// Whose name it acts in.
pub fn principal_name(object: &str) -> String {
    format!("webhook {object}")
}

/// Whether this is the name of a webhook's principal; names of tokens have no slash.
pub(super) fn is_principal(name: &str) -> bool {
    name.strip_prefix("webhook ")
        .is_some_and(|object| object.contains('/'))
}

fn place(object: &str) -> String {
    format!("webhook/{object}")
}
