//! Jobs with logs of any length, put where the coordinator keeps them.

use anyhow::Result;
use pointsman_shared::ids::{Epoch, StreamId};
use pointsman_shared::wire::logs::{LogContent, LogLine, LogSource};
use pointsman_shared::wire::{LogChunk, VERSION};
use pointsman_store::{Store, logs};
use pointsman_tests::World;
use uuid::Uuid;

/// Lines of a chunk.
const CHUNK: u64 = 400;

/// A job that wrote a log.
pub struct Logged {
    pub number: i64,
    store: Store,
    stream: StreamId,
    seq: u64,
    lines: u64,
}

impl Logged {
    /// A build that goes on, on a host that says nothing of it.
    pub async fn begun(world: &World) -> Result<Self> {
        let url = world.sandbox.services().postgres().url(world.sandbox.vhost());
        let store = Store::connect(&url, 2).await?;
        let stream = Uuid::from_u128(u128::from(fresh()));
        sqlx::query("INSERT INTO log_stream (id, kind, created_at) VALUES ($1, 'job', now())")
            .bind(stream)
            .execute(store.pool())
            .await?;
        let number = sqlx::query_scalar(
            "INSERT INTO job (id, kind, state, purpose, project_id, pool, body, body_digest, log_stream_id, epoch,
                              instance_id, worker_id, lease_until, created_at, started_at)
             SELECT $1, 'build', 'running', 'release', project.id, 'nobody', '{}', sha256('{}'), $1, 1, $1, 'web-1',
                    now() + interval '1 day', now(), now() FROM project LIMIT 1 RETURNING number",
        )
        .bind(stream)
        .fetch_one(store.pool())
        .await?;
        sqlx::query(
            "INSERT INTO attempt (job_id, epoch, host_id, instance_id, nonce, granted, granted_at)
             VALUES ($1, 1, 'web-1', $1, 'n', '', now())",
        )
        .bind(stream)
        .execute(store.pool())
        .await?;
        Ok(Self {
            number,
            store,
            stream: StreamId(stream),
            seq: 0,
            lines: 0,
        })
    }

    /// Writes so many lines of a stage.
    pub async fn writes(&mut self, stage: &str, count: u64, text: impl Fn(u64) -> String) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let now = pointsman_store::now(&mut tx).await?;
        let end = self.lines + count;
        while self.lines < end {
            let first = self.lines + 1;
            let last = end.min(self.lines + CHUNK);
            let line = |number| LogLine {
                at: now.timestamp_millis(),
                source: if number % 1000 == 0 {
                    LogSource::Err
                } else {
                    LogSource::Out
                },
                text: text(number),
            };
            self.seq += 1;
            let chunk = LogChunk {
                v: VERSION,
                host: "web-1".parse()?,
                stream: self.stream,
                epoch: Epoch(1),
                seq: self.seq,
                stage: stage.to_owned(),
                first_line: first,
                offset: 0,
                content: LogContent::Lines((first..=last).map(line).collect()),
            };
            logs::append(&mut tx, &chunk, now).await?;
            self.lines = last;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Ends it.
    pub async fn fails(&self) -> Result<()> {
        sqlx::query(
            "UPDATE attempt SET log_lines = $2, ended_at = now(), ending = 'result' WHERE job_id = $1",
        )
        .bind(self.stream.0)
        .bind(i64::try_from(self.lines)?)
        .execute(self.store.pool())
        .await?;
        sqlx::query(
            "UPDATE job SET state = 'failed', ended_at = now(), lease_until = NULL, instance_id = NULL,
                            reason = 'the step ended with 1' WHERE id = $1",
        )
        .bind(self.stream.0)
        .execute(self.store.pool())
        .await?;
        Ok(())
    }
}

/// A number that no other test has.
fn fresh() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
