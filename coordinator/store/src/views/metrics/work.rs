//! Open jobs, what waits for the broker, and what waits for receivers of notifications.

use sqlx::PgConnection;

use crate::StoreResult;

/// Open jobs of one kind in one state.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenJobs {
    /// Their kind.
    pub kind: String,
    /// Their state.
    pub state: String,
    /// How many.
    pub count: u64,
    /// How long the oldest of them has been there, in seconds.
    pub oldest_s: f64,
}

/// Every kind and state that open jobs are in.
pub async fn open_jobs(conn: &mut PgConnection) -> StoreResult<Vec<OpenJobs>> {
    let rows = sqlx::query!(
        r#"SELECT kind, state, count(*) AS "count!",
                  extract(epoch FROM now() - min(created_at))::float8 AS "oldest_s!"
           FROM job WHERE state IN ('queued', 'offered', 'running', 'deferred', 'indeterminate')
           GROUP BY kind, state"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| OpenJobs {
            kind: row.kind,
            state: row.state,
            count: row.count.unsigned_abs(),
            oldest_s: row.oldest_s,
        })
        .collect())
}

/// Jobs that nobody will finish without a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeadJobs {
    /// Nobody knows what they did.
    pub indeterminate: u64,
    /// Their offers come back unread.
    pub unread: u64,
    /// Given up within the last day: every attempt was lost, nobody could start them, or their effect is unknown.
    pub given_up: u64,
}

/// Counts them.
pub async fn dead_jobs(conn: &mut PgConnection) -> StoreResult<DeadJobs> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM job WHERE state = 'indeterminate') AS "indeterminate!",
                  (SELECT count(*) FROM job WHERE state = 'offered' AND dead_offers > 0) AS "unread!",
                  (SELECT count(*) FROM job WHERE ended_at > now() - interval '1 day'
                      AND (state = 'abandoned' OR code IN ('exhausted', 'no_agent'))) AS "given_up!""#,
    )
    .fetch_one(conn)
    .await?;
    Ok(DeadJobs {
        indeterminate: row.indeterminate.unsigned_abs(),
        unread: row.unread.unsigned_abs(),
        given_up: row.given_up.unsigned_abs(),
    })
}

/// Messages that wait to be published.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outbox {
    /// How many.
    pub unsent: u64,
    /// How long the oldest of them has waited, in seconds.
    pub oldest_s: f64,
}

/// What the relays have not sent yet and is not void.
pub async fn outbox(conn: &mut PgConnection) -> StoreResult<Outbox> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "unsent!",
                  COALESCE(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldest_s!"
           FROM outbox WHERE sent_at IS NULL AND expires_at > now()"#,
    )
    .fetch_one(conn)
    .await?;
    Ok(Outbox {
        unsent: row.unsent.unsigned_abs(),
        oldest_s: row.oldest_s,
    })
}

/// Channels of notifications, and what waits for them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Channels {
    /// Channels whose every try fails, and those that are disabled.
    pub failing: u64,
    /// Deliveries that wait.
    pub waiting: u64,
    /// How long the oldest of them has waited, in seconds.
    pub oldest_s: f64,
}

/// What there is.
pub async fn channels(conn: &mut PgConnection) -> StoreResult<Channels> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM channel WHERE failing_since IS NOT NULL OR disabled_at IS NOT NULL) AS "failing!",
                  count(*) AS "waiting!",
                  COALESCE(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldest_s!"
           FROM delivery WHERE state = 'waiting'"#,
    )
    .fetch_one(conn)
    .await?;
    Ok(Channels {
        failing: row.failing.unsigned_abs(),
        waiting: row.waiting.unsigned_abs(),
        oldest_s: row.oldest_s,
    })
}
