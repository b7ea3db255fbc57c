//! The channels of notifications: a finding for each that nobody hears from, and for what nobody sends.

use pointsman_shared::api::fleet::Finding;
use pointsman_shared::api::notifications::Channel;
use pointsman_store::{StoreResult, channels, notices};

use super::{fail, ok, warn};
use crate::app::App;

/// Channels that are looked at.
const MOST: i64 = 1_000;

/// Looks at every channel.
pub(super) async fn look(app: &App) -> StoreResult<Vec<Finding>> {
    let mut conn = app.store.read().await?;
    let channels = channels::list(&mut conn, None, None, MOST).await?;
    let mut findings: Vec<Finding> = channels.iter().filter_map(of).collect();
    let known = |key: &String| app.vault.as_ref().is_some_and(|vault| vault.knows(key));
    if !channels::keys(&mut conn).await?.iter().all(known) {
        findings.push(fail(
            "secrets of channels were sealed with keys that are not here",
            "give every coordinator the same secrets.key_file, or rotate the channels' secrets",
        ));
    }
    let late = notices::late(&mut conn).await?;
    if late > 0 {
        findings.push(warn(
            format!("{late} notifications wait for longer than a minute to be sent"),
            "check that a coordinator runs the role notify",
        ));
    }
    if findings.is_empty() && !channels.is_empty() {
        findings.push(ok(format!("{} channels, and none fails", channels.len())));
    }
    Ok(findings)
}

fn of(channel: &Channel) -> Option<Finding> {
    let name = &channel.name;
    if let (Some(at), Some(why)) = (channel.disabled_at, &channel.disabled_why) {
        return Some(warn(
            format!(
                "channel {name} is disabled since {}: {why}",
                at.format("%F %T UTC")
            ),
            format!("pointsman channel enable {name}, or remove it"),
        ));
    }
    let (since, error) = channel.failing_since.zip(channel.last_error.as_ref())?;
    Some(fail(
        format!(
            "channel {name}: every try since {} failed: {error}",
            since.format("%F %T UTC")
        ),
        format!("pointsman delivery ls --channel {name}; pointsman channel test {name}"),
    ))
}
