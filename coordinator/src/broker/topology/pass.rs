//! One pass over the broker: read what is there, make what is missing or different.

use std::collections::BTreeSet;

use pointsman_shared::wire::topology::{EXCHANGES, Queue};
use serde::Deserialize;
use serde_json::json;

use super::super::error::BrokerResult;
use super::super::management::Management;
use super::Ensured;
use super::wanted::{Wanted, WantedUser, arguments};

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Declared {
    name: String,
    #[serde(default)]
    arguments: serde_json::Value,
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Binding {
    source: String,
    destination: String,
    routing_key: String,
}

#[derive(Debug, Deserialize)]
struct User {
    name: String,
    #[serde(default)]
    password_hash: String,
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Permission {
    user: String,
    #[serde(default)]
    exchange: String,
    #[serde(default)]
    configure: String,
    write: String,
    read: String,
}

#[derive(Debug, Deserialize)]
struct Health {
    #[serde(default)]
    name: String,
    #[serde(default)]
    leader: Option<String>,
    #[serde(default)]
    online: Option<Vec<String>>,
    #[serde(default)]
    members: Vec<String>,
}

impl Health {
    fn leads(&self) -> bool {
        let Some(leader) = &self.leader else { return false };
        self.online.as_ref().is_none_or(|online| online.contains(leader))
    }
}

/// Makes what is missing or different.
pub async fn ensure(management: &Management, wanted: &Wanted) -> BrokerResult<Ensured> {
    let mut ensured = Ensured::default();
    exchanges(management, &mut ensured).await?;
    queues(management, &wanted.queues, &mut ensured).await?;
    bindings(management, &wanted.queues, &mut ensured).await?;
    users(management, &wanted.users, &mut ensured).await?;
    permissions(management, &wanted.users, &mut ensured).await?;
    topic_permissions(management, &wanted.users, &mut ensured).await?;
    Ok(ensured)
}

/// Which of these queues have no leader.
pub async fn leaderless(management: &Management, queues: &[String]) -> BrokerResult<Vec<String>> {
    let mut leaderless = Vec::new();
    for name in queues {
        let found: Option<Health> = management.get(&["queues", management.vhost(), name], "").await?;
        let led = found.is_some_and(|queue| queue.leads());
        if !led {
            leaderless.push(name.clone());
        }
    }
    Ok(leaderless)
}

/// Which wanted queues have no leader, and no other member that could bring one back.
pub async fn dead(management: &Management, wanted: &Wanted) -> BrokerResult<Vec<String>> {
    let columns = "columns=name,leader,online,members";
    let found: Option<Vec<Health>> = management.get(&["queues", management.vhost()], columns).await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .filter(|queue| queue.members.len() == 1 && !queue.leads())
        .map(|queue| queue.name)
        .filter(|name| wanted.queues.iter().any(|queue| queue.name == *name))
        .collect())
}

/// Which of these queues stand with other arguments.
pub async fn outdated(management: &Management, wanted: &[Queue]) -> BrokerResult<Vec<String>> {
    let columns = "columns=name,arguments";
    let there: Option<Vec<Declared>> = management.get(&["queues", management.vhost()], columns).await?;
    let there = there.unwrap_or_default();
    let is_other = |queue: &&Queue| {
        let stands = there.iter().find(|declared| declared.name == queue.name);
        stands.is_some_and(|declared| declared.arguments != arguments(queue))
    };
    Ok(wanted
        .iter()
        .filter(is_other)
        .map(|queue| queue.name.clone())
        .collect())
}

async fn names(management: &Management, of: &str) -> BrokerResult<BTreeSet<String>> {
    let found: Option<Vec<Named>> = management.get(&[of, management.vhost()], "columns=name").await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .map(|named| named.name)
        .collect())
}

async fn exchanges(management: &Management, ensured: &mut Ensured) -> BrokerResult<()> {
    let there = names(management, "exchanges").await?;
    for exchange in EXCHANGES.iter().filter(|exchange| !there.contains(exchange.name)) {
        let body = json!({ "type": exchange.kind.as_str(), "durable": true });
        management
            .put(&["exchanges", management.vhost(), exchange.name], &body)
            .await?;
        ensured.others.push(format!("exchange {}", exchange.name));
    }
    Ok(())
}

async fn queues(management: &Management, wanted: &[Queue], ensured: &mut Ensured) -> BrokerResult<()> {
    let there = names(management, "queues").await?;
    for queue in wanted.iter().filter(|queue| !there.contains(&queue.name)) {
        let body = json!({ "durable": true, "arguments": arguments(queue) });
        management
            .put(&["queues", management.vhost(), &queue.name], &body)
            .await?;
        ensured.queues.push(queue.name.clone());
    }
    Ok(())
}

async fn bindings(management: &Management, wanted: &[Queue], ensured: &mut Ensured) -> BrokerResult<()> {
    let vhost = management.vhost();
    let there: Option<Vec<Binding>> = management
        .get(&["bindings", vhost], "columns=source,destination,routing_key")
        .await?;
    let there: BTreeSet<Binding> = there.unwrap_or_default().into_iter().collect();
    for queue in wanted {
        let (exchange, key) = &queue.binding;
        let binding = Binding {
            source: exchange.name.to_owned(),
            destination: queue.name.clone(),
            routing_key: key.clone(),
        };
        if there.contains(&binding) {
            continue;
        }
        let body = json!({ "routing_key": key });
        management
            .post(&["bindings", vhost, "e", exchange.name, "q", &queue.name], &body)
            .await?;
        ensured.others.push(format!("binding of {}", queue.name));
    }
    Ok(())
}

/// Names of all users of the broker.
pub async fn users_there(management: &Management) -> BrokerResult<BTreeSet<String>> {
    let there: Option<Vec<Named>> = management.get(&["users"], "columns=name").await?;
    Ok(there
        .unwrap_or_default()
        .into_iter()
        .map(|user| user.name)
        .collect())
}

async fn users(management: &Management, wanted: &[WantedUser], ensured: &mut Ensured) -> BrokerResult<()> {
    let there: Option<Vec<User>> = management.get(&["users"], "columns=name,password_hash").await?;
    let there = there.unwrap_or_default();
    for user in wanted {
        if there
            .iter()
            .any(|known| known.name == user.name && known.password_hash == user.password_hash)
        {
            continue;
        }
        let body = json!({
            "password_hash": user.password_hash,
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": "",
        });
        management.put(&["users", &user.name], &body).await?;
        ensured.others.push(format!("user {}", user.name));
    }
    Ok(())
}

async fn permissions(
    management: &Management,
    wanted: &[WantedUser],
    ensured: &mut Ensured,
) -> BrokerResult<()> {
    let vhost = management.vhost();
    let there: Option<Vec<Permission>> = management.get(&["vhosts", vhost, "permissions"], "").await?;
    let there = there.unwrap_or_default();
    for user in wanted {
        let rights = &user.rights;
        let permission = Permission {
            user: user.name.clone(),
            exchange: String::new(),
            configure: rights.configure.clone(),
            write: rights.write.clone(),
            read: rights.read.clone(),
        };
        if there.contains(&permission) {
            continue;
        }
        let body = json!({ "configure": rights.configure, "write": rights.write, "read": rights.read });
        management.put(&["permissions", vhost, &user.name], &body).await?;
        ensured.others.push(format!("rights of {}", user.name));
    }
    Ok(())
}

async fn topic_permissions(
    management: &Management,
    wanted: &[WantedUser],
    ensured: &mut Ensured,
) -> BrokerResult<()> {
    let vhost = management.vhost();
    let there: Option<Vec<Permission>> = management
        .get(&["vhosts", vhost, "topic-permissions"], "")
        .await?;
    let there = there.unwrap_or_default();
    for user in wanted {
        for (exchange, write, read) in &user.rights.topics {
            let permission = Permission {
                user: user.name.clone(),
                exchange: (*exchange).to_owned(),
                configure: String::new(),
                write: write.clone(),
                read: read.clone(),
            };
            if there.contains(&permission) {
                continue;
            }
            let body = json!({ "exchange": exchange, "write": write, "read": read });
            management
                .put(&["topic-permissions", vhost, &user.name], &body)
                .await?;
            ensured
                .others
                .push(format!("topic rights of {} on {exchange}", user.name));
        }
    }
    Ok(())
}
