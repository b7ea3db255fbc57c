//! Takes what a forge tells, once it is known to be the forge: noted, and answered later by [`super::answer_pushes`], so
//! that the forge does not wait. The same call told again is noted once.

use pointsman_domain::{Refusal, RefusalKind};
use pointsman_shared::api::pushes::Taken;
use pointsman_shared::name::{ProjectName, WebhookName};
use pointsman_store::pushes::{self, NewPush};
use pointsman_store::webhooks::{self, WebhookRow};

use super::{act, keep_webhook};
use crate::app::App;
use crate::error::OperationResult;
use crate::forge::{self, Headers, Mismatch, Told};

/// Takes a call of the webhook with this name.
pub async fn execute(
    app: &App,
    project: &ProjectName,
    name: &WebhookName,
    headers: &impl Headers,
    body: &[u8],
) -> OperationResult<Taken> {
    let now = app.clock.now();
    let found = webhooks::find(&mut *app.store.read().await?, project, name).await?;
    // Whether a webhook exists is nobody's business but of those who know its secret: one answer for all.
    let webhook = found.ok_or_else(refused)?;
    let secret = match keep_webhook::secret_of(app, &webhook) {
        Ok(secret) => secret,
        Err(error) => {
            let object = keep_webhook::object(&webhook.project, &webhook.name);
            tracing::warn!(
                webhook = object,
                error = &error as &dyn std::error::Error,
                "its secret cannot be read"
            );
            return Err(refused().into());
        }
    };
    if let Err(mismatch) = forge::check(webhook.forge, &secret, headers, body, now) {
        return refuse(app, &webhook, mismatch).await;
    }
    let call =
        forge::read(webhook.forge, headers, body).map_err(|why| Refusal::invalid("unreadable_push", why))?;
    let (reference, by) = match call.told {
        Told::Push { reference, by } => (reference, by),
        Told::Deleted { reference } => return Ok(ignored(format!("{reference} is gone; nothing to deploy"))),
        Told::Other(event) => return Ok(ignored(format!("{event} is no push; nothing to deploy"))),
    };
    let mut tx = app.store.begin().await?;
    let new = NewPush {
        webhook: webhook.id,
        delivery: &call.delivery,
        fingerprint: &call.fingerprint,
        reference: &reference,
        by: by.as_deref(),
        at: pointsman_store::now(&mut tx).await?,
    };
    let number = pushes::insert(&mut tx, &new).await?;
    let taken = match number {
        Some(number) => Taken {
            push: Some(number),
            message: format!("push #{number} of {reference} is noted"),
        },
        None => Taken {
            push: pushes::number_of(&mut tx, webhook.id, &call.fingerprint).await?,
            message: format!("delivery {} was told before", call.delivery),
        },
    };
    act::commit(tx).await?;
    app.bells.pushes.notify_one();
    Ok(taken)
}

fn ignored(message: String) -> Taken {
    Taken { push: None, message }
}

/// The caller is told little; the project's people see in the list of webhooks that somebody called wrongly.
async fn refuse(app: &App, webhook: &WebhookRow, mismatch: Mismatch) -> OperationResult<Taken> {
    let mut conn = app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    webhooks::note_refused(&mut conn, webhook.id, now).await?;
    let object = keep_webhook::object(&webhook.project, &webhook.name);
    tracing::warn!(webhook = object, %mismatch, "a call of a webhook was refused");
    Err(refused().into())
}

fn refused() -> Refusal {
    let what = "there is no such webhook, or the call is not signed as it should be";
    Refusal::new(RefusalKind::Forbidden, "bad_signature", what).hint(
        "pointsman webhook ls shows when a call was refused; pointsman webhook renew makes another secret",
    )
}
