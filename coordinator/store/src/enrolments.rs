//! Hosts as members: their key, what they were given at the join, and the end of both.
//!
//! What a member does is another matter: [`crate::hosts`].

use chrono::{DateTime, Utc};
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::PublicKey;
use sqlx::PgConnection;

use crate::join_tokens::Invitation;
use crate::{StoreError, StoreResult};

/// A membership to write.
#[derive(Debug)]
pub struct Enrolment<'a> {
    /// What the host was given.
    pub invitation: &'a Invitation,
    /// The host's principal.
    pub principal: PrincipalId,
    /// Its new key.
    pub key: &'a PublicKey,
    /// Its broker password in RabbitMQ's own form.
    pub password_hash: &'a str,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Makes a host a member, or a former member one again. The caller holds the host's lock where the host is known.
pub async fn enrol(conn: &mut PgConnection, new: &Enrolment<'_>) -> StoreResult<()> {
    let invitation = new.invitation;
    let labels = serde_json::to_value(&invitation.labels)
        .map_err(|error| StoreError::inconsistent("host", &invitation.host, error))?;
    let pools: Vec<String> = invitation.pools.iter().map(ToString::to_string).collect();
    let kinds: Vec<String> = invitation.kinds.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "INSERT INTO host (id, principal_id, display_name, labels, pools, kinds, public_key, key_id,
                           broker_password_hash, joined_at, created_at)
         VALUES ($1, $2, $1, $3, $4, $5, $6, $7, $8, $9, $9)
         ON CONFLICT (id) DO UPDATE
             SET labels = excluded.labels, pools = excluded.pools, kinds = excluded.kinds,
                 public_key = excluded.public_key, key_id = excluded.key_id,
                 broker_password_hash = excluded.broker_password_hash, broker_ready_at = NULL,
                 joined_at = excluded.joined_at, revoked_at = NULL",
        invitation.host.as_str(),
        new.principal.0,
        labels,
        &pools,
        &kinds,
        new.key.as_bytes().as_slice(),
        new.key.id().0,
        new.password_hash,
        new.at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what was known of a host's placements: another disk may stand behind the same name now. Generations stay,
/// so that nothing decided before can be taken for new.
pub async fn clear_placements(conn: &mut PgConnection, host: &HostId) -> StoreResult<()> {
    sqlx::query!(
        "DELETE FROM placement_release USING placement
         WHERE placement_release.placement_id = placement.id AND placement.host_id = $1",
        host.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM placement_slot USING placement
         WHERE placement_slot.placement_id = placement.id AND placement.host_id = $1",
        host.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE placement SET fence_generation = NULL, confirmed_release_id = NULL, current_folder = NULL,
             health = 'unknown', drift = NULL, problem = NULL, root_trouble = NULL, state_at = NULL
         WHERE host_id = $1",
        host.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a host's key and broker password away.
pub async fn revoke(conn: &mut PgConnection, host: &HostId, at: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET public_key = NULL, key_id = NULL, broker_password_hash = NULL, broker_ready_at = NULL,
             instance_id = NULL, hello_nonce = NULL, working = 0, revoked_at = $2
         WHERE id = $1",
        host.as_str(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
