//! Takes an agent's hello: decides which process speaks for the host, frees what its predecessor held, welcomes it, and
//! offers what waited for it.

use chrono::{DateTime, Utc};
use pointsman_domain::instance::{self, Known, Standing};
use pointsman_domain::job::{AttemptEnding, JobEvent};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::InstanceId;
use pointsman_shared::wire;
use pointsman_shared::wire::from_agent::Hello;
use pointsman_shared::wire::to_agent::{Unwelcome, Welcome};
use pointsman_store::events::NewEvent;
use pointsman_store::hosts::{Greeting, HostRow};
use pointsman_store::refused_messages::RefusedMessage;
use pointsman_store::{
    StoreError, Transaction, events, hosts, jobs, placement_pages, refused_messages, signing_keys,
};

use super::{act, change_job, offer_job, record_placement_state};
use crate::app::App;
use crate::error::OperationResult;
use crate::reply::Reply;

/// Answers a verified hello.
pub async fn execute(app: &App, hello: &Hello) -> OperationResult<Vec<Reply>> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let host = hosts::lock(&mut tx, &hello.host)
        .await?
        .ok_or_else(|| StoreError::inconsistent("host", &hello.host, "it signed and does not exist"))?;
    let standing = standing(app, &host, hello, now);
    let reply = if let Some(reason) = why_unwelcome(hello, standing) {
        deny(app, &mut tx, hello, reason, now).await?
    } else {
        accept(app, &mut tx, &host, hello, standing, now).await?;
        welcome(app, &mut tx, &host, hello, now).await?
    };
    act::commit(tx).await?;
    app.bells.ring();
    Ok(vec![reply])
}

fn standing(app: &App, host: &HostRow, hello: &Hello, now: DateTime<Utc>) -> Standing {
    let known = host
        .instance
        .zip(host.presence.last_seen_at)
        .map(|(instance, last_seen_at)| Known {
            instance,
            last_seen_at,
        });
    instance::judge(
        known,
        hello.instance,
        hello.previous,
        now,
        app.config.timing.lease_ms,
    )
}

fn why_unwelcome(hello: &Hello, standing: Standing) -> Option<String> {
    if let Standing::Foreign { last_seen_at } = standing {
        return Some(format!(
            "another agent speaks for {} and was heard at {}; stop one of the two, or wait until it falls silent",
            hello.host,
            last_seen_at.format("%F %T UTC")
        ));
    }
    (!hello.wire.contains(&wire::VERSION)).then(|| {
        format!(
            "this agent reads wire versions {:?}, the coordinator speaks {}; upgrade the agent",
            hello.wire,
            wire::VERSION
        )
    })
}

async fn accept(
    app: &App,
    tx: &mut Transaction,
    host: &HostRow,
    hello: &Hello,
    standing: Standing,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let new_instance = standing != Standing::Same;
    let absence = host.presence.absence(now, &app.config.timing.rhythm());
    let was_absent = absence.is_some_and(|absence| !absence.is_wanted());
    let greeting = Greeting {
        hello,
        new_instance,
        clock_offset_ms: hello.at.saturating_sub(now.timestamp_millis()),
        at: now,
    };
    hosts::greet(tx, &greeting).await?;
    placement_pages::announce(tx, &host.id, &hello.state_digest, hello.placements).await?;
    placement_pages::forget_others(tx, &host.id, &hello.nonce).await?;
    record_placement_state::record_early(app, tx, &host.id, &hello.nonce, now).await?;
    if new_instance {
        if let Some(old) = host.instance {
            free_leases(app, tx, host, old, now).await?;
        }
        jobs::forget_declines(tx, &host.id).await?;
    }
    if new_instance || was_absent {
        let pools: Vec<String> = host.pools.iter().map(ToString::to_string).collect();
        jobs::end_waiting(tx, &host.id, &pools).await?;
        let message = format!("{} is here (agent {})", host.id, hello.software);
        tell(tx, host, "host.seen", message, now).await?;
    }
    offer_waiting(app, tx, host, new_instance, now).await
}

/// The predecessor is dead: what it worked on is lost now, not when its lease would have ended.
async fn free_leases(
    app: &App,
    tx: &mut Transaction,
    host: &HostRow,
    old: InstanceId,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    for job in jobs::lock_running_of(tx, &host.id, old).await? {
        let event = JobEvent::Lost {
            epoch: job.epoch,
            how: AttemptEnding::Replaced,
            why: format!("the agent on {} was restarted", host.id),
            until: offer_job::offer_until(app, now),
        };
        change_job::apply(app, tx, &job, event, now).await?;
    }
    Ok(())
}

/// Offers what was deferred; and to a new process also what its predecessor may have taken from the queue.
async fn offer_waiting(
    app: &App,
    tx: &mut Transaction,
    host: &HostRow,
    new_instance: bool,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    for job in jobs::waiting_for_host(tx, &host.id).await? {
        let offered_just_now = job.offered_at == Some(now);
        if job.state == JobState::Deferred || (new_instance && !offered_just_now) {
            offer_job::offer_or_defer(app, tx, &job).await?;
        }
    }
    Ok(())
}

async fn welcome(
    app: &App,
    tx: &mut Transaction,
    host: &HostRow,
    hello: &Hello,
    now: DateTime<Utc>,
) -> OperationResult<Reply> {
    let welcome = Welcome {
        v: wire::VERSION,
        host: host.id.clone(),
        instance: hello.instance,
        nonce: hello.nonce.clone(),
        keys: signing_keys::key_set(tx).await?,
        pools: host.pools.clone(),
        kinds: host.kinds.clone(),
        placements: placement_pages::known(tx, &host.id).await?,
        times: app.config.timing.leases(hosts::working(tx).await?),
        at: now.timestamp_millis(),
    };
    Ok(Reply {
        host: host.id.clone(),
        envelope: app.signatory.sign_welcome(welcome),
    })
}

async fn deny(
    app: &App,
    tx: &mut Transaction,
    hello: &Hello,
    reason: String,
    now: DateTime<Utc>,
) -> OperationResult<Reply> {
    let refused = RefusedMessage {
        queue: pointsman_shared::wire::topology::COORDINATOR_REPORTS,
        reason: "foreign_instance",
        claimed_host: Some(hello.host.as_str()),
        bytes: 0,
        sample: &reason,
    };
    if refused_messages::append(tx, &refused, now).await? {
        let message = format!("a second agent says hello as {}: {reason}", hello.host);
        super::refuse_message::audit(app, tx, hello.host.as_str(), "agent.hello", &message, now).await?;
    }
    Ok(Reply {
        host: hello.host.clone(),
        envelope: app.signatory.sign_unwelcome(Unwelcome {
            v: wire::VERSION,
            host: hello.host.clone(),
            instance: hello.instance,
            nonce: hello.nonce.clone(),
            reason,
        }),
    })
}

async fn tell(
    tx: &mut Transaction,
    host: &HostRow,
    kind: &str,
    message: String,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let event = NewEvent {
        kind,
        host: Some(host.id.as_str()),
        message,
        ..NewEvent::default()
    };
    events::append(tx, now, &event).await?;
    Ok(())
}
