//! Jobs: inserted with their frozen body, locked before they are changed, and changed only from the state and epoch
//! they were read in.

mod change;
mod find;
mod names;
mod row;

pub(crate) use change::epoch_column;
pub use change::{
    Remark, count_dead_offer, decline, end_waiting, forget_decline, forget_declines, mark_late, note_unknown,
    note_waiting, save, shorten_offer, void_offers,
};
pub use find::{
    Patience, declined_as_busy, due, find_by_number, get, lock, lock_by_number, lock_free, lock_running_of,
    offered, open_of_deployment, open_of_placement, waiting_for_host,
};
pub use names::{Names, names};
pub use row::JobRow;

use chrono::{DateTime, Utc};
use pointsman_domain::job::Purpose;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{PlacementId, ReleaseId, StreamId};
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::TraceParent;
use pointsman_shared::wire::job::{Audience, JobBody, MigrateMode, Order};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A job to insert; everything else of the row is read from its body.
#[derive(Debug, Clone, Copy)]
pub struct NewJob<'a> {
    /// What is asked, with the number from [`reserve_number`].
    pub body: &'a JobBody,
    /// Why it exists.
    pub purpose: Purpose,
    /// Grants at most.
    pub max_epochs: u32,
    /// The trace of the request that wished it; none = its deployment's, when it has one.
    pub trace: Option<&'a TraceParent>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Takes the next job number; it stands in the body, so it is drawn before the row exists. Gaps are allowed.
pub async fn reserve_number(conn: &mut PgConnection) -> StoreResult<i64> {
    let number =
        sqlx::query_scalar!(r#"SELECT nextval(pg_get_serial_sequence('job', 'number')) AS "number!""#)
            .fetch_one(conn)
            .await?;
    Ok(number)
}

/// Inserts a job as `queued`, with its log stream; the body's bytes are frozen here.
pub async fn insert(conn: &mut PgConnection, new: &NewJob<'_>) -> StoreResult<JobRow> {
    let body = new.body;
    let text = serde_json::to_string(body).map_err(|error| {
        StoreError::inconsistent("job", body.job, format!("its body cannot be written: {error}"))
    })?;
    let digest = Digest::of(text.as_bytes());
    let what = OrderColumns::of(&body.order);
    let (host, pool) = match &body.audience {
        Audience::Host(host) => (Some(host), None),
        Audience::Pool(pool) => (None, Some(pool)),
    };
    insert_stream(conn, what.stream, host, new.at).await?;
    sqlx::query!(
        "INSERT INTO job (id, number, kind, state, purpose, project_id, release_id, target_id, placement_id,
                          deployment_id, host_id, pool, generation, body, body_digest, log_stream_id, max_epochs,
                          created_at, migration_phase, migration_mode, trace)
         OVERRIDING SYSTEM VALUE
         VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                 COALESCE($20, (SELECT trace FROM deployment WHERE id = $9)))",
        body.job.0,
        body.number,
        body.order.kind().as_str(),
        new.purpose.as_str(),
        body.project_id.0,
        what.release.map(|id| id.0),
        body.target_id.map(|id| id.0),
        what.placement.map(|id| id.0),
        body.deployment.map(|id| id.0),
        host.map(HostId::as_str),
        pool.map(AsRef::<str>::as_ref),
        what.generation.map(|generation| i64::try_from(generation).unwrap_or(i64::MAX)),
        text,
        digest.as_bytes().as_slice(),
        what.stream.0,
        i32::try_from(new.max_epochs).unwrap_or(i32::MAX),
        new.at,
        what.migration.map(|(phase, _)| phase.as_str()),
        what.migration.map(|(_, mode)| mode.as_str()),
        new.trace.map(TraceParent::as_str),
    )
    .execute(&mut *conn)
    .await?;
    get(conn, body.job)
        .await?
        .ok_or_else(|| StoreError::inconsistent("job", body.job, "it vanished after its insert"))
}

async fn insert_stream(
    conn: &mut PgConnection,
    stream: StreamId,
    host: Option<&HostId>,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "INSERT INTO log_stream (id, kind, host_id, created_at) VALUES ($1, 'job', $2, $3)",
        stream.0,
        host.map(HostId::as_str),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the row says of the order, so that it can be asked for.
struct OrderColumns {
    release: Option<ReleaseId>,
    placement: Option<PlacementId>,
    generation: Option<u64>,
    stream: StreamId,
    migration: Option<(MigrationPhase, MigrateMode)>,
}

impl OrderColumns {
    fn of(order: &Order) -> Self {
        let columns = |release, placement, generation, stream| Self {
            release,
            placement,
            generation,
            stream,
            migration: None,
        };
        match order {
            Order::Build(o) => columns(Some(o.release), None, None, o.log_stream),
            Order::Install(o) => columns(Some(o.release), Some(o.placement), None, o.log_stream),
            Order::Activate(o) | Order::Rollback(o) => columns(
                Some(o.release),
                Some(o.placement),
                Some(o.generation.0),
                o.log_stream,
            ),
            Order::Migrate(o) => Self {
                migration: Some((o.phase, o.mode)),
                ..columns(Some(o.release), Some(o.placement), None, o.log_stream)
            },
            Order::CollectGarbage(o) => columns(None, Some(o.placement), None, o.log_stream),
            Order::CollectWorkshop(o) => columns(None, None, None, o.log_stream),
        }
    }
}
