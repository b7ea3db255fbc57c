//! Leases: renewed for a whole beat in one query, found when they ran out.

use chrono::{DateTime, Utc};
use pointsman_domain::job::CancelRequest;
use pointsman_shared::ids::{Epoch, InstanceId, JobId};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::from_agent::WorkingOn;
use sqlx::PgConnection;

use crate::jobs::epoch_column;
use crate::{StoreError, StoreResult};

/// An epoch that lives on.
#[derive(Debug, Clone)]
pub struct Renewed {
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
    /// The wish that it stops.
    pub cancel: Option<CancelRequest>,
}

/// Renews the listed epochs that this process still owns; the others are missing in the answer. A beat that was
/// overtaken never shortens a lease.
pub async fn renew(
    conn: &mut PgConnection,
    host: &HostId,
    instance: InstanceId,
    working: &[WorkingOn],
    until: DateTime<Utc>,
) -> StoreResult<Vec<Renewed>> {
    let jobs: Vec<uuid::Uuid> = working.iter().map(|on| on.job.0).collect();
    let epochs: Vec<i32> = working.iter().map(|on| epoch_column(on.epoch)).collect();
    let rows = sqlx::query!(
        r#"WITH beat AS (
               UPDATE job SET lease_until = GREATEST(lease_until, $5)
               FROM unnest($3::uuid[], $4::int[]) AS on_work (job, epoch)
               WHERE job.id = on_work.job AND job.epoch = on_work.epoch AND job.state = 'running'
                     AND job.worker_id = $1 AND job.instance_id = $2
               RETURNING job.id, job.epoch, job.cancel_requested),
           noted AS (
               UPDATE attempt SET last_beat_at = now() FROM beat
               WHERE attempt.job_id = beat.id AND attempt.epoch = beat.epoch)
           SELECT id AS "id!", epoch AS "epoch!", cancel_requested FROM beat"#,
        host.as_str(),
        instance.0,
        &jobs,
        &epochs,
        until,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |error: serde_json::Error| StoreError::inconsistent("job", row.id, error);
            Ok(Renewed {
                job: JobId(row.id),
                epoch: Epoch(u32::try_from(row.epoch).unwrap_or_default()),
                cancel: row
                    .cancel_requested
                    .map(serde_json::from_value)
                    .transpose()
                    .map_err(wrong)?,
            })
        })
        .collect()
}
