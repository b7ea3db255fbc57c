//! Adds a rule: what a channel is told of.

use pointsman_domain::notify::Selection;
use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::notifications::{NewRule, Rule};
use pointsman_store::notification_rules::{self, NewRuleRow};
use pointsman_store::{StoreError, Transaction, projects};

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Patterns or environments at most.
const MOST: usize = 50;

/// Adds it.
pub async fn execute(app: &App, actor: &Actor, wish: &NewRule) -> OperationResult<Rule> {
    let object = format!("channel {}", wish.channel);
    act::audited(app, actor, "rule.add", &object, async {
        actor.authorize(Action::Configure, &object)?;
        if wish.events.len() > MOST || wish.environments.len() > MOST {
            let what = format!("a rule names at most {MOST} events and environments");
            return Err(Refusal::invalid("invalid_rule", what).into());
        }
        Selection::read(&wish.events)?;
        let mut tx = app.store.begin().await?;
        let number = insert(app, &mut tx, actor, wish).await?;
        let made = notification_rules::list(&mut tx, Some(number), 0, 1).await?;
        let made = made.into_iter().next();
        let rule = made.ok_or_else(|| {
            StoreError::inconsistent("notification_rule", number, "it vanished while it was made")
        })?;
        let detail = serde_json::json!({
            "rule": number, "project": rule.project, "environments": rule.environments, "events": rule.events,
        });
        act::done(app, &mut tx, actor, "rule.add", &object, detail).await?;
        act::commit(tx).await?;
        Ok(rule)
    })
    .await
}

async fn insert(app: &App, tx: &mut Transaction, actor: &Actor, wish: &NewRule) -> OperationResult<i64> {
    let channel = known::channel(tx, &wish.channel).await?;
    let asked = match &wish.project {
        Some(name) => Some(known::project(tx, name).await?.id),
        None => None,
    };
    let project = match (channel.project, asked) {
        (Some(own), Some(asked)) if own != asked => {
            let own = projects::get(tx, own).await?;
            let own = own.map_or_else(
                || "another project".to_owned(),
                |own| format!("project {}", own.name),
            );
            let what = format!("channel {} is for {own} alone", channel.name);
            return Err(Refusal::conflict("channel_of_another_project", what)
                .hint("make a channel for this project, or one for all")
                .into());
        }
        (own, asked) => own.or(asked),
    };
    for name in &wish.environments {
        known::environment(tx, name).await?;
    }
    let environments: Vec<String> = wish.environments.iter().map(ToString::to_string).collect();
    let rule = NewRuleRow {
        id: app.ids.next(),
        channel: channel.id,
        project,
        environments: &environments,
        events: &wish.events,
        by: actor.principal,
        at: pointsman_store::now(tx).await?,
    };
    Ok(notification_rules::insert(tx, &rule).await?)
}
