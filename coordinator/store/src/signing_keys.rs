//! The installation and the keys its coordinators sign with.

use chrono::{DateTime, Utc};
use pointsman_shared::wire::keys::TrustedKey;
use pointsman_shared::wire::{KeyId, KeySet, PublicKey, Role};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// The installation's name, once `init` ran.
pub async fn installation(conn: &mut PgConnection) -> StoreResult<Option<String>> {
    Ok(sqlx::query_scalar!("SELECT name FROM installation")
        .fetch_optional(conn)
        .await?)
}

/// Writes the installation's name; never changed after. Returns whether it is new.
pub async fn found(conn: &mut PgConnection, name: &str, now: DateTime<Utc>) -> StoreResult<bool> {
    let done = sqlx::query!(
        "INSERT INTO installation (name, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        name,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Registers a coordinator's key; a revoked one stays revoked.
pub async fn register(conn: &mut PgConnection, key: &PublicKey, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO signing_key (key_id, public_key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        key.id().0,
        key.as_bytes().as_slice(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether this key is registered and not revoked.
pub async fn is_registered(conn: &mut PgConnection, key: &KeyId) -> StoreResult<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM signing_key WHERE key_id = $1 AND revoked_at IS NULL) AS "found!""#,
        key.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

/// The coordinators' keys; the version rises with every key that is added or revoked.
pub async fn key_set(conn: &mut PgConnection) -> StoreResult<KeySet> {
    let rows =
        sqlx::query!("SELECT key_id, public_key, revoked_at FROM signing_key ORDER BY created_at, key_id")
            .fetch_all(conn)
            .await?;
    let revoked = rows.iter().filter(|row| row.revoked_at.is_some()).count();
    let version = (rows.len() + revoked) as u64;
    let keys = rows
        .into_iter()
        .filter(|row| row.revoked_at.is_none())
        .map(|row| {
            let key = PublicKey::from_bytes(&row.public_key)
                .map_err(|error| StoreError::inconsistent("signing_key", &row.key_id, error))?;
            Ok(TrustedKey {
                role: Role::Coordinator,
                key,
            })
        })
        .collect::<StoreResult<_>>()?;
    Ok(KeySet { version, keys })
}
