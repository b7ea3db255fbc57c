//! Plans as they were shown, by their hash, and what they are made of.

use pointsman_shared::api::plans::{Plan, PlannedRelease};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{PlacementId, PrincipalId, ReleaseId, TargetId};
use pointsman_shared::name::HostId;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Keeps a plan; the newest of one hash stays.
pub async fn put(
    conn: &mut PgConnection,
    target: TargetId,
    release: ReleaseId,
    by: PrincipalId,
    plan: &Plan,
) -> StoreResult<()> {
    let body =
        serde_json::to_value(plan).map_err(|error| StoreError::inconsistent("plan", plan.hash, error))?;
    sqlx::query!(
        "INSERT INTO plan (hash, target_id, release_id, body, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (hash) DO UPDATE SET body = $4, made_by = $5, made_at = $6",
        plan.hash.as_bytes(),
        target.0,
        release.0,
        body,
        by.0,
        plan.made_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The plan with this hash.
pub async fn get(conn: &mut PgConnection, hash: &Digest) -> StoreResult<Option<Plan>> {
    let body = sqlx::query_scalar!("SELECT body FROM plan WHERE hash = $1", hash.as_bytes())
        .fetch_optional(conn)
        .await?;
    body.map(serde_json::from_value)
        .transpose()
        .map_err(|error| StoreError::inconsistent("plan", hash, error))
}

/// A host as a plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedHost {
    /// The target on it.
    pub placement: PlacementId,
    /// The host.
    pub host: HostId,
    /// Whether it is seen, read as a deployment reads it at its start.
    pub seen: bool,
    /// What differs there from what was decided.
    pub drift: Option<String>,
    /// Why its root cannot be worked in.
    pub unusable: Option<String>,
    /// Whether the release to go back to lies there.
    pub has_way_back: bool,
}

/// The hosts that a deployment of this target would have, and whether `back` lies on each.
pub async fn hosts(
    conn: &mut PgConnection,
    target: TargetId,
    back: Option<ReleaseId>,
) -> StoreResult<Vec<PlannedHost>> {
    let rows = sqlx::query!(
        r#"SELECT placement.id, placement.host_id, COALESCE(placement.drift, placement.problem) AS drift,
                  CASE WHEN placement.root_trouble IS NOT NULL THEN placement.problem END AS unusable,
                  COALESCE(host.last_seen_at > now() - interval '90 seconds', false) AS "seen!",
                  EXISTS (SELECT 1 FROM placement_release AS has
                          WHERE has.placement_id = placement.id AND has.release_id = $2) AS "has_way_back!"
           FROM placement JOIN host ON host.id = placement.host_id
           WHERE placement.target_id = $1 AND placement.retired_at IS NULL ORDER BY placement.host_id"#,
        target.0,
        back.map(|back| back.0),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |error| StoreError::inconsistent("placement", row.id, error);
            Ok(PlannedHost {
                placement: PlacementId(row.id),
                host: row.host_id.parse().map_err(wrong)?,
                seen: row.seen,
                drift: row.drift,
                unusable: row.unusable,
                has_way_back: row.has_way_back,
            })
        })
        .collect()
}

/// The good release that is live in a target now: where a rollback of the next deployment would go.
pub async fn live(
    conn: &mut PgConnection,
    target: TargetId,
) -> StoreResult<Option<(ReleaseId, PlannedRelease)>> {
    let row = sqlx::query!(
        r#"SELECT release.id, release.number, release.label, release.commit_id,
                  release.manifest_digest AS "manifest_digest!"
           FROM target JOIN good_release AS good ON good.target_id = target.id
                                                AND good.release_id = target.desired_release_id
                JOIN release ON release.id = good.release_id
           WHERE target.id = $1 AND release.state = 'built'"#,
        target.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let wrong = |what: &dyn ToString| StoreError::inconsistent("release", row.id, what.to_string());
        let digest =
            <[u8; 32]>::try_from(row.manifest_digest).map_err(|_| wrong(&"its digest has not 32 bytes"))?;
        let release = PlannedRelease {
            number: u32::try_from(row.number).map_err(|e| wrong(&e))?,
            label: row.label.parse().map_err(|e| wrong(&e))?,
            commit: row.commit_id.parse().map_err(|e| wrong(&e))?,
            digest: Digest::from_bytes(digest),
        };
        Ok((ReleaseId(row.id), release))
    })
    .transpose()
}

/// Post-migrations of a release that its target's ledger does not have applied.
pub async fn waiting_post_migrations(
    conn: &mut PgConnection,
    target: TargetId,
    release: ReleaseId,
) -> StoreResult<Vec<String>> {
    let names = sqlx::query_scalar!(
        "SELECT own.name FROM release_migration AS own
         WHERE own.release_id = $2 AND own.phase = 'post'
           AND NOT EXISTS (SELECT 1 FROM target_migration AS known
                           WHERE known.target_id = $1 AND known.phase = 'post' AND known.name = own.name
                             AND known.state = 'applied')
         ORDER BY own.name",
        target.0,
        release.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}
