//! Removes a rule.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::notifications::Rule;
use pointsman_store::notification_rules;

use super::act;
use crate::app::App;
use crate::error::OperationResult;

/// Removes it, and returns what it was.
pub async fn execute(app: &App, actor: &Actor, number: i64) -> OperationResult<Rule> {
    let object = format!("rule {number}");
    act::audited(app, actor, "rule.remove", &object, async {
        actor.authorize(Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        let rules = notification_rules::list(&mut tx, Some(number), 0, 1).await?;
        let unknown = || {
            Refusal::not_found("unknown_rule", format!("there is no rule {number}")).hint("pointsman rule ls")
        };
        let rule = rules.into_iter().next().ok_or_else(unknown)?;
        notification_rules::remove(&mut tx, number).await?;
        let detail = serde_json::json!({
            "channel": rule.channel, "project": rule.project, "environments": rule.environments, "events": rule.events,
        });
        act::done(app, &mut tx, actor, "rule.remove", &object, detail).await?;
        act::commit(tx).await?;
        Ok(rule)
    })
    .await
}
