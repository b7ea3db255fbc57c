//! Looks whether the queue of reports is dead when the whole fleet falls silent: a quorum queue that lost its leader
//! takes nothing and says nothing.
//!
//! Agents cannot tell us, so it is tried as the relay tries its queues: a message that must be confirmed, and one on
//! another queue that proves the broker well. Publishing reports is not a right of the coordinator's user; this needs
//! the administrator's.

use std::time::Duration;

use pointsman_domain::presence::milliseconds;
use pointsman_shared::wire::topology::{self, COORDINATOR_PROBE, COORDINATOR_REPORTS, REPORTS};
use pointsman_store::hearing;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::connection::connect_to;
use super::error::BrokerResult;
use super::publisher::{Delivery, Publisher, settled};
use super::topology::Topology;
use crate::app::App;

/// Misses after which the queue is made again.
const MISSES: u32 = 2;

/// Looks at the fleet's silence until `stop`.
pub async fn run(app: &App, topology: &Topology, stop: &CancellationToken) {
    let pause = Duration::from_millis(app.config.timing.idle_beat_ms);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if let Err(error) = look(app, topology).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the silence of the fleet could not be looked into");
        }
    }
}

async fn look(app: &App, topology: &Topology) -> BrokerResult<()> {
    if !is_fleet_silent(app).await? {
        return Ok(());
    }
    let Some(url) = administrator(app) else {
        tracing::error!(
            "no agent was heard for three idle beats; without broker.admin_url it is not known whether {COORDINATOR_REPORTS} is dead"
        );
        return Ok(());
    };
    let connection = connect_to(url.as_str(), &app.config.broker, "hearing").await?;
    let publisher = Publisher::open(&connection).await?;
    let mut misses = 0;
    while misses < MISSES && is_dead(&publisher).await? && !connection.status().blocked() {
        misses += 1;
    }
    connection.close(200, "looked".into()).await.ok();
    if misses == MISSES {
        topology.replace_queue(COORDINATOR_REPORTS).await?;
    }
    Ok(())
}

async fn is_fleet_silent(app: &App) -> BrokerResult<bool> {
    let mut conn = app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    let patience = milliseconds(app.config.timing.idle_beat_ms * u64::from(app.config.timing.unseen_beats));
    Ok(hearing::last_heard(&mut conn)
        .await?
        .is_some_and(|last| last + patience < now))
}

/// Whether the queue of reports confirms nothing while another queue does.
async fn is_dead(publisher: &Publisher) -> BrokerResult<bool> {
    let confirm = publisher
        .send(REPORTS.name, topology::COORDINATOR_PROBE, b"{}", None)
        .await?;
    Ok(settled(confirm).await? == Delivery::Silent && publisher.probe().await?)
}

/// The broker's address with the administrator's user.
fn administrator(app: &App) -> Option<Url> {
    let admin = app.config.broker.admin_url.as_ref()?;
    let mut url = Url::parse(&app.config.broker.url).ok()?;
    if !admin.username().is_empty() {
        url.set_username(admin.username()).ok()?;
        url.set_password(admin.password()).ok()?;
    }
    Some(url)
}

/// Whether a report is one of these looks, and so nobody's word.
pub fn is_look(routing_key: &str) -> bool {
    routing_key == COORDINATOR_PROBE
}
