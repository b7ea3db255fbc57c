//! What the broker must hold, from the fleet in the database and the names in the shared language.

use std::collections::BTreeSet;

use pointsman_shared::name::{HostId, PoolName};
use pointsman_shared::wire::rights::{self, Rights};
use pointsman_shared::wire::topology::{self, Argument, Queue};
use pointsman_store::StoreResult;
use pointsman_store::topology::Member;
use serde_json::{Map, Value, json};

use crate::app::App;

/// Queues and users that must stand, beside the exchanges that always must.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Queues with their bindings.
    pub queues: Vec<Queue>,
    /// Users with their rights.
    pub users: Vec<WantedUser>,
}

/// A broker user.
#[derive(Debug, Clone)]
pub struct WantedUser {
    /// Its name.
    pub name: String,
    /// Its password in RabbitMQ's own form.
    pub password_hash: String,
    /// What it may do.
    pub rights: Rights,
}

/// Name of a host's broker user. Users are one list for all virtual hosts of a broker, so it carries ours; the dot keeps
/// it apart from the names of people and services.
pub fn broker_user(vhost: &str, host: &HostId) -> String {
    format!("{vhost}.{host}")
}

impl Wanted {
    /// What the whole fleet needs.
    pub(crate) async fn of_fleet(app: &App, vhost: &str) -> StoreResult<Self> {
        let mut conn = app.store.read().await?;
        let members = pointsman_store::topology::members(&mut conn).await?;
        let pools = pointsman_store::topology::project_pools(&mut conn).await?;
        let mut wanted = Self::of(vhost, &members, pools);
        wanted.queues.extend(topology::coordinator_queues());
        Ok(wanted)
    }

    /// What these hosts and pools need.
    pub fn of(vhost: &str, members: &[Member], pools: impl IntoIterator<Item = PoolName>) -> Self {
        let pools: BTreeSet<PoolName> = members
            .iter()
            .flat_map(|member| member.pools.iter().cloned())
            .chain(pools)
            .collect();
        let queues = members
            .iter()
            .flat_map(|member| topology::host_queues(&member.host))
            .chain(pools.iter().map(topology::pool_queue))
            .collect();
        let users = members
            .iter()
            .map(|member| WantedUser {
                name: broker_user(vhost, &member.host),
                password_hash: member.password_hash.clone(),
                rights: rights::agent(&member.host, &member.pools),
            })
            .collect();
        Self { queues, users }
    }
}

/// A queue's arguments as the management API takes them.
pub fn arguments(queue: &Queue) -> Value {
    let arguments: Map<String, Value> = queue
        .arguments
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Argument::Text(text) => json!(text),
                Argument::Number(number) => json!(number),
                Argument::Flag(flag) => json!(flag),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    Value::Object(arguments)
}
