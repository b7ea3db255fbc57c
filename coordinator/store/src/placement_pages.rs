//! Placement states as they arrive in pages, until every page of a placement is there.

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PlacementId;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::Nonce;
use pointsman_shared::wire::from_agent::PlacementState;
use pointsman_shared::wire::to_agent::KnownPlacement;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Keeps a page, whatever hello it belongs to: another coordinator may still be taking that hello. Returns whether it is
/// new.
pub async fn add(conn: &mut PgConnection, page: &PlacementState) -> StoreResult<bool> {
    let wrong = |error: serde_json::Error| StoreError::inconsistent("placement_page", page.placement, error);
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let done = sqlx::query!(
        "INSERT INTO placement_page (host_id, nonce, placement_id, page, pages, state) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
        page.host.as_str(),
        page.nonce.0,
        page.placement.0,
        number(page.page),
        number(page.pages),
        serde_json::to_value(page).map_err(wrong)?,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Every state of a hello of which all pages are there, put together.
pub async fn whole(
    conn: &mut PgConnection,
    host: &HostId,
    nonce: &Nonce,
) -> StoreResult<Vec<PlacementState>> {
    let pages = sqlx::query!(
        "SELECT placement_id, pages, state FROM placement_page WHERE host_id = $1 AND nonce = $2
         ORDER BY placement_id, page",
        host.as_str(),
        nonce.0,
    )
    .fetch_all(conn)
    .await?;
    let mut states = Vec::new();
    for of_placement in pages.chunk_by(|one, other| one.placement_id == other.placement_id) {
        if of_placement.len() < usize::try_from(of_placement[0].pages).unwrap_or(usize::MAX) {
            continue;
        }
        let mut parts = of_placement.iter().map(|page| {
            serde_json::from_value::<PlacementState>(page.state.clone())
                .map_err(|error| StoreError::inconsistent("placement_page", page.placement_id, error))
        });
        let Some(first) = parts.next() else { continue };
        let mut whole = first?;
        for part in parts {
            whole.releases.extend(part?.releases);
        }
        states.push(whole);
    }
    Ok(states)
}

/// Forgets the pages of every hello but this one.
pub async fn forget_others(conn: &mut PgConnection, host: &HostId, nonce: &Nonce) -> StoreResult<()> {
    sqlx::query!(
        "DELETE FROM placement_page WHERE host_id = $1 AND nonce <> $2",
        host.as_str(),
        nonce.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes over the digest that the newest hello announced, once every placement state it announced is whole.
pub async fn settle_digest(conn: &mut PgConnection, host: &HostId, nonce: &Nonce) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET state_digest = hello_digest
         WHERE id = $1 AND hello_nonce = $2 AND hello_placements <= (
             SELECT count(*) FROM (SELECT 1 FROM placement_page WHERE host_id = $1 AND nonce = $2
                                   GROUP BY placement_id HAVING count(*) = max(pages)) AS whole)",
        host.as_str(),
        nonce.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Announces how many placement states belong to a hello, and the digest over them.
pub async fn announce(
    conn: &mut PgConnection,
    host: &HostId,
    digest: &Digest,
    placements: u32,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE host SET hello_digest = $2, hello_placements = $3 WHERE id = $1",
        host.as_str(),
        digest.as_bytes().as_slice(),
        i32::try_from(placements).unwrap_or(i32::MAX),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The placements the coordinator knows on a host.
pub async fn known(conn: &mut PgConnection, host: &HostId) -> StoreResult<Vec<KnownPlacement>> {
    let rows = sqlx::query!(
        "SELECT id, root FROM placement WHERE host_id = $1 AND retired_at IS NULL ORDER BY id",
        host.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let root = row
                .root
                .parse()
                .map_err(|error| StoreError::inconsistent("placement", row.id, error))?;
            Ok(KnownPlacement {
                placement: PlacementId(row.id),
                root,
            })
        })
        .collect()
}
