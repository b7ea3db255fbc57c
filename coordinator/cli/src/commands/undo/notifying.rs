//! What takes acts on channels and rules back.

use pointsman_shared::api::notifications::NewRule;
use pointsman_shared::api::tokens::AuditEntry;
use pointsman_shared::name::ChannelName;

use super::inverse::{Inverse, Way};
use crate::client::Client;
use crate::commands::rule;
use crate::error::CliError;

/// What is done.
#[derive(Debug)]
pub enum Telling {
    /// A channel is enabled, or disabled.
    EnableChannel(ChannelName, bool),
    /// A rule is removed.
    RemoveRule(i64),
    /// A rule is made again.
    AddRule(NewRule),
}

/// Does it.
pub async fn carry_out(client: &Client, telling: Telling) -> Result<(), CliError> {
    match telling {
        Telling::EnableChannel(channel, enabled) => client.enable_channel(&channel, enabled).await.map(drop),
        Telling::RemoveRule(number) => client.remove_rule(number).await.map(drop),
        Telling::AddRule(rule) => client.add_rule(&rule).await.map(drop),
    }
}

/// A channel that was disabled is enabled, and the other way round.
pub async fn of_switch(client: &Client, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let name = act.object.strip_prefix("channel ");
    let Some(Ok(name)) = name.map(str::parse::<ChannelName>) else {
        return Ok(None);
    };
    let enabled = act.action == "channel.enable";
    let channels = client.channels(usize::MAX).await?.items;
    let stands = channels
        .iter()
        .any(|channel| channel.name == name && channel.disabled_at.is_none() == enabled);
    let (enable, disable) = (
        format!("pointsman channel enable {name}"),
        format!("pointsman channel disable {name}"),
    );
    let (command, redo) = if enabled {
        (disable, enable)
    } else {
        (enable, disable)
    };
    Ok(stands.then_some(Way {
        inverse: Inverse::Telling(Telling::EnableChannel(name, !enabled)),
        command,
        redo,
    }))
}

/// A rule that was added is removed.
pub async fn of_rule(client: &Client, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let rules = client.rules(usize::MAX).await?.items;
    let number = act.detail["rule"].as_i64();
    let rule = rules.into_iter().find(|rule| Some(rule.number) == number);
    Ok(rule.map(|known| Way {
        inverse: Inverse::Telling(Telling::RemoveRule(known.number)),
        command: format!("pointsman rule remove {}", known.number),
        redo: rule::command(&NewRule {
            channel: known.channel,
            project: known.project,
            environments: known.environments,
            events: known.events,
        }),
    }))
}

/// A rule that was removed is made again, under another number.
pub fn of_removed_rule(act: &AuditEntry) -> Option<Way> {
    let rule: NewRule = serde_json::from_value(act.detail.clone()).ok()?;
    Some(Way {
        command: rule::command(&rule),
        redo: "pointsman rule remove NUMBER".to_owned(),
        inverse: Inverse::Telling(Telling::AddRule(rule)),
    })
}
