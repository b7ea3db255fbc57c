//! Webhooks that forges call: one whose calls are refused is told nobody else.

use pointsman_shared::api::fleet::Finding;
use pointsman_store::StoreResult;
use pointsman_store::webhooks::{self, WebhookRow};

use super::warn;
use crate::app::App;

/// Looks at every webhook.
pub(super) async fn look(app: &App) -> StoreResult<Vec<Finding>> {
    let all = webhooks::all(&mut *app.store.read().await?).await?;
    Ok(all.iter().filter_map(of).collect())
}

/// Refused since the last push that was believed: most likely the forge has another secret.
fn of(webhook: &WebhookRow) -> Option<Finding> {
    let refused = webhook.refused_at?;
    if webhook.last_push_at.is_some_and(|push| push > refused) {
        return None;
    }
    let WebhookRow { project, name, .. } = webhook;
    let text = format!(
        "webhook {project}/{name}: its newest call was not signed as it should be, {}",
        refused.format("%F %T UTC")
    );
    let cure = format!("pointsman webhook renew {project} {name}, and give the forge the new secret");
    Some(warn(text, cure))
}
