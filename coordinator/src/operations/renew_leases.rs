//! Answers a heartbeat: renews every epoch it lists in one query, and says what becomes of each.

use chrono::{DateTime, Utc};
use pointsman_domain::presence::milliseconds;
use pointsman_shared::wire;
use pointsman_shared::wire::from_agent::Heartbeat;
use pointsman_shared::wire::to_agent::{HeartbeatReply, LeaseReply, LeaseVerdict};
use pointsman_store::events::NewEvent;
use pointsman_store::hosts::HostRow;
use pointsman_store::leases::{self, Renewed};
use pointsman_store::{StoreError, Transaction, events, hosts, jobs, placements, signing_keys};

use super::act;
use crate::app::App;
use crate::error::OperationResult;
use crate::reply::Reply;

/// Answers a verified heartbeat. A process that is not the current one is told that nothing is its own any more, and to
/// say hello, which decides about it.
pub async fn execute(app: &App, beat: &Heartbeat) -> OperationResult<Vec<Reply>> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let host = hosts::lock(&mut tx, &beat.host)
        .await?
        .ok_or_else(|| StoreError::inconsistent("host", &beat.host, "it signed and does not exist"))?;
    let current = host.instance == Some(beat.instance);
    // Only a newer beat tells that the process lives; one that is delivered again or replayed is answered, and that is
    // all.
    let newer = current && beat.beat > host.last_beat;
    if newer {
        hosts::heard(&mut tx, beat, beat.at.saturating_sub(now.timestamp_millis()), now).await?;
        note_return(app, &mut tx, &host, now).await?;
    }
    let times = app.config.timing.leases(hosts::working(&mut tx).await?);
    let renewed = if current {
        let until = if newer {
            now + milliseconds(times.lease_ms)
        } else {
            now
        };
        leases::renew(&mut tx, &beat.host, beat.instance, &beat.working, until).await?
    } else {
        Vec::new()
    };
    let reply = HeartbeatReply {
        v: wire::VERSION,
        host: beat.host.clone(),
        instance: beat.instance,
        beat: beat.beat,
        leases: verdicts(beat, &renewed),
        say_hello: !current
            || is_state_unknown(app, &host, beat, now)
            || placements::any_in_doubt(&mut tx, &beat.host).await?,
        keys_version: signing_keys::key_set(&mut tx).await?.version,
        times,
        at: now.timestamp_millis(),
    };
    act::commit(tx).await?;
    Ok(vec![Reply {
        host: beat.host.clone(),
        envelope: app.signatory.sign_heartbeat_reply(reply),
    }])
}

/// A host that was absent and beats again is seen; the next sweep offers it what was deferred.
async fn note_return(
    app: &App,
    tx: &mut Transaction,
    host: &HostRow,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    // A paused host was there all the time.
    let absence = host.presence.absence(now, &app.config.timing.rhythm());
    if absence.is_none_or(|absence| absence.is_wanted()) {
        return Ok(());
    }
    let pools: Vec<String> = host.pools.iter().map(ToString::to_string).collect();
    jobs::end_waiting(tx, &host.id, &pools).await?;
    let event = NewEvent {
        kind: "host.seen",
        host: Some(host.id.as_str()),
        message: format!("{} is heard again", host.id),
        ..NewEvent::default()
    };
    events::append(tx, now, &event).await?;
    app.bells.reconcile.notify_one();
    Ok(())
}

fn verdicts(beat: &Heartbeat, renewed: &[Renewed]) -> Vec<LeaseReply> {
    beat.working
        .iter()
        .map(|on| {
            let lives = renewed
                .iter()
                .find(|renewed| renewed.job == on.job && renewed.epoch == on.epoch);
            let verdict = match lives.map(|renewed| &renewed.cancel) {
                None => LeaseVerdict::Lost,
                Some(None) => LeaseVerdict::Renewed,
                Some(Some(request)) => LeaseVerdict::Cancel {
                    reason: request.reason.clone(),
                },
            };
            LeaseReply {
                job: on.job,
                epoch: on.epoch,
                verdict,
            }
        })
        .collect()
}

/// Whether the host's state is another than the stored one, and no hello that tells it is on its way.
fn is_state_unknown(app: &App, host: &HostRow, beat: &Heartbeat, now: DateTime<Utc>) -> bool {
    if host.state_digest == Some(beat.state_digest) {
        return false;
    }
    let announced = host.hello_digest == Some(beat.state_digest);
    let lately = host
        .hello_at
        .is_some_and(|at| at + milliseconds(app.config.timing.beat_ms) > now);
    !(announced && lately)
}
