//! Pauses a host: it gets nothing new and finishes what it does; what is meant for it waits, as it does for a host that
//! is away. Resumed, it is brought to what is live by then.

use pointsman_domain::presence::Pause;
use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::api::fleet::NewHostPause;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::name::HostId;
use pointsman_store::events::NewEvent;
use pointsman_store::hosts::HostRow;
use pointsman_store::{Transaction, events, hosts, jobs, join_tokens};

use super::{act, known, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// Pauses it; pausing it again says why anew.
pub async fn pause(app: &App, actor: &Actor, host: &HostId, wish: &NewHostPause) -> OperationResult<()> {
    let object = format!("host {host}");
    act::audited(app, actor, "host.pause", &object, async {
        actor.authorize(Action::ManageHosts, &object)?;
        reason::judge_needed("pause", &wish.reason)?;
        let reason = wish.reason.trim();
        let mut tx = app.store.begin().await?;
        let row = member(&mut tx, host).await?;
        let now = pointsman_store::now(&mut tx).await?;
        let pause = Pause {
            since: row.presence.paused.map_or(now, |before| before.since),
            by: Some(actor.name.clone()),
            reason: Some(reason.to_owned()),
        };
        hosts::set_pause(&mut tx, host, Some(&pause)).await?;
        // What nobody began is deferred now, not when its offer ends.
        for job in jobs::waiting_for_host(&mut tx, host).await? {
            offer_job::offer_or_defer(app, &mut tx, &job).await?;
        }
        let detail = serde_json::json!({ "reason": reason });
        act::done(app, &mut tx, actor, "host.pause", &object, detail).await?;
        let message = format!("{host} is paused by {}: {reason}", actor.name);
        tell(&mut tx, host, "host.paused", message).await?;
        act::commit(tx).await
    })
    .await?;
    app.bells.ring();
    Ok(())
}

/// Lets it go on.
pub async fn resume(app: &App, actor: &Actor, host: &HostId) -> OperationResult<()> {
    let object = format!("host {host}");
    act::audited(app, actor, "host.resume", &object, async {
        actor.authorize(Action::ManageHosts, &object)?;
        let mut tx = app.store.begin().await?;
        let row = member(&mut tx, host).await?;
        let Some(pause) = row.presence.paused else {
            let refusal = Refusal::conflict("host_not_paused", format!("{host} is not paused"));
            return Err(refusal.hint(format!("pointsman hosts show {host}")).into());
        };
        hosts::set_pause(&mut tx, host, None).await?;
        let pools: Vec<String> = row.pools.iter().map(ToString::to_string).collect();
        jobs::end_waiting(&mut tx, host, &pools).await?;
        for job in jobs::waiting_for_host(&mut tx, host).await? {
            if job.state == JobState::Deferred {
                offer_job::offer_or_defer(app, &mut tx, &job).await?;
            }
        }
        let detail = serde_json::json!({ "since": pause.since, "by": pause.by, "reason": pause.reason });
        act::done(app, &mut tx, actor, "host.resume", &object, detail).await?;
        let message = format!("{host} goes on, says {}", actor.name);
        tell(&mut tx, host, "host.resumed", message).await?;
        act::commit(tx).await
    })
    .await?;
    app.bells.ring();
    Ok(())
}

/// The host, locked; one that is no member has nothing to pause.
async fn member(tx: &mut Transaction, host: &HostId) -> OperationResult<HostRow> {
    let row = hosts::lock(tx, host).await?.filter(|row| row.key.is_some());
    if let Some(row) = row {
        return Ok(row);
    }
    let names = join_tokens::host_names(tx).await?;
    Err(known::unknown("host", "unknown_host", host.as_str(), &names, "pointsman hosts").into())
}

async fn tell(tx: &mut Transaction, host: &HostId, kind: &str, message: String) -> OperationResult<()> {
    let event = NewEvent {
        kind,
        host: Some(host.as_str()),
        message,
        ..NewEvent::default()
    };
    let now = pointsman_store::now(tx).await?;
    Ok(events::append(tx, now, &event).await?)
}
