//! Keeps the broker as the fleet needs it: exchanges, queues, bindings, users and rights, made where they are missing,
//! however often it is asked. A wiped broker is whole again after one pass.
//!
//! It needs the management API (`broker.admin_url`). Without it nothing is repaired; [`inspect`] names what is missing.

mod misses;
mod pass;
mod wanted;

pub use wanted::{Wanted, WantedUser, broker_user};

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use pointsman_shared::wire::topology::{self, Queue};
use pointsman_store::jobs;
use tokio::sync::Mutex;

use super::connection::{address, connect};
use super::error::{BrokerError, BrokerResult, words};
use super::management::Management;
use crate::app::App;

/// How long a queue may be without a leader: a broker that just started may still be about to give it one.
const LEADERLESS: Duration = Duration::from_secs(5);
/// How long a leader of a new queue is waited for, once the queue is as old as `timing.settle_ms` asks.
const LEADER: Duration = Duration::from_secs(15);

/// One repairer at a time in this process: whoever comes second finds the work done and the queues settled.
#[derive(Debug)]
pub struct Topology {
    app: App,
    turn: Mutex<()>,
    misses: misses::Misses,
}

/// What a pass did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// Queues that were declared.
    pub queues: Vec<String>,
    /// Everything else that was made or changed, for the log.
    pub others: Vec<String>,
}

impl Topology {
    /// A repairer for the configured broker.
    pub fn new(app: App) -> Self {
        Self {
            app,
            turn: Mutex::new(()),
            misses: misses::Misses::default(),
        }
    }

    /// Makes what is missing for the whole fleet, and waits until new queues are safe to use.
    pub async fn ensure(&self) -> BrokerResult<Ensured> {
        let _turn = self.turn.lock().await;
        let Some(management) = management(&self.app)? else {
            return Ok(Ensured::default());
        };
        let wanted = Wanted::of_fleet(&self.app, management.vhost()).await?;
        bury_dead(&management, &wanted).await?;
        let mut ensured = pass::ensure(&management, &wanted).await?;
        self.shut_out(&management, &mut ensured).await?;
        if !ensured.queues.is_empty() || !ensured.others.is_empty() {
            tracing::info!(queues = ?ensured.queues, others = ?ensured.others, "broker topology repaired");
        }
        self.offer_again(&ensured).await?;
        settle(&management, &ensured.queues, settled(&self.app)).await?;
        Ok(ensured)
    }

    /// Deletes the users of revoked hosts: the broker was away when one was revoked, or a pass that had read the fleet
    /// just before made the user again. Who is revoked is read last, because a host may be joining again right now.
    async fn shut_out(&self, management: &Management, ensured: &mut Ensured) -> BrokerResult<()> {
        let there = pass::users_there(management).await?;
        let mut conn = self.app.store.read().await?;
        for host in pointsman_store::topology::former_members(&mut conn).await? {
            let user = broker_user(management.vhost(), &host);
            if there.contains(&user) {
                management.delete(&["users", &user]).await?;
                ensured.others.push(format!("end of user {user}"));
            }
        }
        Ok(())
    }

    /// Deletes a queue that does not answer and declares the same name again.
    pub async fn replace_queue(&self, name: &str) -> BrokerResult<()> {
        let Some(management) = management(&self.app)? else {
            tracing::error!(
                queue = name,
                "a queue does not confirm and broker.admin_url is not set: delete and declare it by hand"
            );
            return Ok(());
        };
        tracing::warn!(
            queue = name,
            "a queue does not confirm; it is deleted and declared again"
        );
        management.delete(&["queues", management.vhost(), name]).await?;
        self.ensure().await.map(drop)
    }

    /// Offers that lay in a queue that had to be made again are gone; the next sweep offers them again.
    async fn offer_again(&self, ensured: &Ensured) -> BrokerResult<()> {
        if ensured.queues.iter().any(|queue| topology::holds_offers(queue)) {
            let mut conn = self.app.store.read().await?;
            jobs::void_offers(&mut conn).await?;
        }
        Ok(())
    }
}

/// Deletes queues that have no leader and can get none, so that they are declared again: who consumes one is thrown out
/// of the broker. A queue with several members may be waiting for one to return, and is left to the relay's misses.
async fn bury_dead(management: &Management, wanted: &Wanted) -> BrokerResult<()> {
    let suspects = pass::dead(management, wanted).await?;
    if suspects.is_empty() {
        return Ok(());
    }
    tokio::time::sleep(LEADERLESS).await;
    for name in pass::dead(management, wanted).await? {
        if suspects.contains(&name) {
            tracing::warn!(
                queue = name,
                "a queue has no leader; it is deleted and declared again"
            );
            management.delete(&["queues", management.vhost(), &name]).await?;
        }
    }
    Ok(())
}

/// The management API, when it is configured.
pub(super) fn management(app: &App) -> BrokerResult<Option<Management>> {
    let broker = &app.config.broker;
    let Some(base) = &broker.admin_url else {
        return Ok(None);
    };
    Management::new(base.clone(), vhost(app)?, broker.ca_file.as_deref()).map(Some)
}

/// The virtual host of the configured broker.
pub(super) fn vhost(app: &App) -> BrokerResult<String> {
    Ok(address(&app.config.broker.url)?.vhost)
}

/// Makes what `wanted` lists and is missing, and waits until new queues are safe to use.
pub(super) async fn ensure_only(
    app: &App,
    management: &Management,
    wanted: &Wanted,
) -> BrokerResult<Ensured> {
    let ensured = pass::ensure(management, wanted).await?;
    settle(management, &ensured.queues, settled(app)).await?;
    Ok(ensured)
}

/// The age at which a queue survives the death of its broker: a younger one comes back empty and without a leader.
fn settled(app: &App) -> Duration {
    Duration::from_millis(app.config.timing.settle_ms)
}

/// Waits until queues that were just declared have a leader and are old enough to survive the death of the broker.
async fn settle(management: &Management, queues: &[String], settled: Duration) -> BrokerResult<()> {
    if queues.is_empty() {
        return Ok(());
    }
    tokio::time::sleep(settled).await;
    let deadline = tokio::time::Instant::now() + LEADER;
    loop {
        let leaderless = pass::leaderless(management, queues).await?;
        if leaderless.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            return Err(BrokerError::NoLeader {
                queues: leaderless.join(", "),
                seconds: (settled + LEADER).as_secs(),
            });
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What can be said of the broker without an administrator's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Whether a connection can be opened; else why not.
    pub unreachable: Option<String>,
    /// Queues that the fleet needs and the broker does not have.
    pub missing: Vec<String>,
    /// Whether they will be made without hands.
    pub repairs_itself: bool,
}

/// Looks whether the broker can be reached and holds every queue.
pub async fn inspect(app: &App) -> BrokerResult<Inspection> {
    let repairs_itself = app.config.broker.admin_url.is_some();
    let connection = match connect(&app.config.broker, "inspection").await {
        Ok(connection) => connection,
        Err(error) => {
            return Ok(Inspection {
                unreachable: Some(words(&error)),
                missing: Vec::new(),
                repairs_itself,
            });
        }
    };
    let wanted = Wanted::of_fleet(app, &vhost(app)?).await?;
    let mut missing = Vec::new();
    for Queue { name, .. } in &wanted.queues {
        // A queue that is missing closes the channel it was asked on.
        let channel = connection
            .create_channel()
            .await
            .map_err(BrokerError::amqp("opening a channel"))?;
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        match channel
            .queue_declare(name.as_str().into(), options, FieldTable::default())
            .await
        {
            Ok(_) => drop(channel.close(200, "done".into()).await),
            Err(_) => missing.push(name.clone()),
        }
    }
    drop(connection.close(200, "done".into()).await);
    Ok(Inspection {
        unreachable: None,
        missing,
        repairs_itself,
    })
}

/// Queues that stand with other arguments than this version declares: made by an earlier one, or by hand. They work, and
/// are left alone: arguments cannot be changed, and a queue is deleted only by who knows that nothing is under way.
pub async fn outdated(app: &App) -> BrokerResult<Vec<String>> {
    let Some(management) = management(app)? else {
        return Ok(Vec::new());
    };
    let wanted = Wanted::of_fleet(app, management.vhost()).await?;
    pass::outdated(&management, &wanted.queues).await
}

/// What an administrator runs by hand when `broker.admin_url` is not set.
pub fn administrator_lines(vhost: &str, wanted: &Wanted) -> Vec<String> {
    let mut lines: Vec<String> = topology::EXCHANGES
        .iter()
        .map(|exchange| {
            format!(
                "rabbitmqadmin -V {vhost} declare exchange name={} type={} durable=true",
                exchange.name,
                exchange.kind.as_str()
            )
        })
        .collect();
    for queue in &wanted.queues {
        let name = &queue.name;
        let arguments = wanted::arguments(queue);
        lines.push(format!(
            "rabbitmqadmin -V {vhost} declare queue name={name} durable=true arguments='{arguments}'"
        ));
        let (exchange, key) = &queue.binding;
        lines.push(format!(
            "rabbitmqadmin -V {vhost} declare binding source={} destination={name} routing_key='{key}'",
            exchange.name
        ));
    }
    for WantedUser {
        name,
        password_hash,
        rights,
    } in &wanted.users
    {
        lines.push(format!(
            "rabbitmqadmin declare user name={name} password_hash='{password_hash}' tags="
        ));
        lines.push(format!(
            "rabbitmqctl set_permissions -p {vhost} {name} '{}' '{}' '{}'",
            rights.configure, rights.write, rights.read
        ));
        for (exchange, write, read) in &rights.topics {
            lines.push(format!(
                "rabbitmqctl set_topic_permissions -p {vhost} {name} {exchange} '{write}' '{read}'"
            ));
        }
    }
    lines
}
