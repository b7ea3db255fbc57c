//! Makes a host's place at the broker when it joins, and takes it away when it is revoked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pointsman_shared::name::{HostId, PoolName};
use pointsman_store::hosts;
use pointsman_store::topology::Member;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::error::{BrokerError, BrokerResult};
use super::topology::{self, Wanted, administrator_lines};
use crate::app::App;

pub use super::topology::broker_user;

/// How far a host's place at the broker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// User, rights and queues stand and are safe to use.
    Ready,
    /// An administrator must run these lines first; the agent waits until it can connect.
    ByHand {
        /// The lines, in order.
        lines: Vec<String>,
    },
}

/// A password in RabbitMQ's own form: base64 of the salt and of SHA-256 over salt and password.
pub fn password_hash(password: &str, salt: [u8; 4]) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update(password).finalize();
    BASE64.encode([&salt[..], &digest[..]].concat())
}

/// The broker's address for one host's agent.
pub fn agent_url(app: &App, host: &HostId, password: &str) -> BrokerResult<Url> {
    let broker = &app.config.broker;
    let wrong = |what: &str| BrokerError::Address {
        what: what.to_owned(),
    };
    let mut url = match &broker.agent_url {
        Some(url) => url.clone(),
        None => Url::parse(&broker.url).map_err(|error| wrong(&error.to_string()))?,
    };
    let vhost = topology::vhost(app)?;
    url.set_query(None);
    url.path_segments_mut()
        .map_err(|()| wrong("it has no host"))?
        .clear()
        .push(&vhost);
    url.set_username(&broker_user(&vhost, host))
        .and_then(|()| url.set_password(Some(password)))
        .map_err(|()| wrong("it has no host"))?;
    Ok(url)
}

/// Makes user, rights and queues of a host, and waits until new queues are safe to use (some seconds). May be repeated.
pub async fn enrol(
    app: &App,
    host: &HostId,
    password_hash: &str,
    pools: &[PoolName],
) -> BrokerResult<Enrolled> {
    let member = Member {
        host: host.clone(),
        password_hash: password_hash.to_owned(),
        pools: pools.to_vec(),
    };
    let vhost = topology::vhost(app)?;
    let wanted = Wanted::of(&vhost, &[member], []);
    let Some(management) = topology::management(app)? else {
        return Ok(Enrolled::ByHand {
            lines: administrator_lines(&vhost, &wanted),
        });
    };
    topology::ensure_only(app, &management, &wanted).await?;
    let mut conn = app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    hosts::note_broker_ready(&mut conn, host, Some(now)).await?;
    Ok(Enrolled::Ready)
}

/// Deletes a host's user, which ends its connections. Its queues stay, so that it can join again. Returns the line an
/// administrator must run when that cannot be done from here.
pub async fn withdraw(app: &App, host: &HostId) -> BrokerResult<Option<String>> {
    let user = broker_user(&topology::vhost(app)?, host);
    let Some(management) = topology::management(app)? else {
        return Ok(Some(format!("rabbitmqctl delete_user {user}")));
    };
    management.delete(&["users", &user]).await?;
    let mut conn = app.store.read().await?;
    hosts::note_broker_ready(&mut conn, host, None).await?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_rabbitmq_documents() {
        assert_eq!(
            password_hash("test12", [0x90, 0x8d, 0xc6, 0x0a]),
            "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
        );
    }
}
