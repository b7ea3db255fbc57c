//! A host's row with typed fields.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_domain::presence::{Pause, Presence};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::InstanceId;
use pointsman_shared::name::{HostId, PoolName};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::{Nonce, PublicKey};

use crate::{StoreError, StoreResult};

/// A host as the machine sees it.
#[derive(Debug, Clone)]
pub struct HostRow {
    /// Its id.
    pub id: HostId,
    /// Labels the coordinator gave it.
    pub labels: BTreeMap<String, String>,
    /// Pools it takes jobs from.
    pub pools: Vec<PoolName>,
    /// Kinds it may be offered.
    pub kinds: Vec<JobKind>,
    /// The key it signs with; none before the join and after a revocation.
    pub key: Option<PublicKey>,
    /// Its broker password in RabbitMQ's own form.
    pub broker_password_hash: Option<String>,
    /// Since when its broker user, rights and queues stand.
    pub broker_ready_at: Option<DateTime<Utc>>,
    /// Its current agent process.
    pub instance: Option<InstanceId>,
    /// Nonce of the last hello that was welcomed.
    pub hello_nonce: Option<Nonce>,
    /// Number of its newest beat.
    pub last_beat: u64,
    /// Kinds it declined as busy.
    pub busy_kinds: Vec<JobKind>,
    /// Digest over the placement states last stored.
    pub state_digest: Option<Digest>,
    /// Digest that the last hello announced; its placement states may still be on their way.
    pub hello_digest: Option<Digest>,
    /// When that hello came.
    pub hello_at: Option<DateTime<Utc>>,
    /// Whether it is there.
    pub presence: Presence,
}

pub(super) struct Columns {
    pub id: String,
    pub labels: serde_json::Value,
    pub pools: Vec<String>,
    pub kinds: Vec<String>,
    pub public_key: Option<Vec<u8>>,
    pub broker_password_hash: Option<String>,
    pub broker_ready_at: Option<DateTime<Utc>>,
    pub joined_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub paused_at: Option<DateTime<Utc>>,
    pub paused_by: Option<String>,
    pub paused_reason: Option<String>,
    pub instance_id: Option<uuid::Uuid>,
    pub hello_nonce: Option<String>,
    pub last_seen_at: Option<DateTime<Utc>>,
    pub last_beat: i64,
    pub working: i32,
    pub busy_kinds: Vec<String>,
    pub state_digest: Option<Vec<u8>>,
    pub hello_digest: Option<Vec<u8>>,
    pub hello_at: Option<DateTime<Utc>>,
}

impl TryFrom<Columns> for HostRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> StoreResult<Self> {
        let id = row.id.clone();
        let wrong = |what: &dyn ToString| StoreError::inconsistent("host", &id, what.to_string());
        let kinds = |names: &[String]| -> StoreResult<Vec<JobKind>> {
            names
                .iter()
                .map(|name| name.parse().map_err(|e| wrong(&e)))
                .collect()
        };
        let digest = |bytes: Option<Vec<u8>>| {
            let bytes = bytes.map(<[u8; 32]>::try_from).transpose();
            bytes
                .map(|bytes| bytes.map(Digest::from_bytes))
                .map_err(|_| wrong(&"a digest has not 32 bytes"))
        };
        Ok(Self {
            id: row.id.parse().map_err(|e| wrong(&e))?,
            labels: serde_json::from_value(row.labels).map_err(|e| wrong(&e))?,
            pools: row
                .pools
                .iter()
                .map(|pool| pool.parse().map_err(|e| wrong(&e)))
                .collect::<StoreResult<_>>()?,
            kinds: kinds(&row.kinds)?,
            key: row
                .public_key
                .map(|bytes| PublicKey::from_bytes(&bytes))
                .transpose()
                .map_err(|e| wrong(&e))?,
            broker_password_hash: row.broker_password_hash,
            broker_ready_at: row.broker_ready_at,
            instance: row.instance_id.map(InstanceId),
            hello_nonce: row.hello_nonce.map(Nonce),
            last_beat: u64::try_from(row.last_beat).unwrap_or_default(),
            busy_kinds: kinds(&row.busy_kinds)?,
            state_digest: digest(row.state_digest)?,
            hello_digest: digest(row.hello_digest)?,
            hello_at: row.hello_at,
            presence: Presence {
                joined_at: row.joined_at,
                revoked_at: row.revoked_at,
                paused: row.paused_at.map(|since| Pause {
                    since,
                    by: row.paused_by,
                    reason: row.paused_reason,
                }),
                last_seen_at: row.last_seen_at,
                has_instance: row.instance_id.is_some(),
                working: row.working > 0,
            },
        })
    }
}
