//! Deletes what is older than its table's setting, in small batches, so that no lock is held for long. What is still
//! needed is never old enough: open spools keep their mark, unsent outbox rows stay until they are void.

use sqlx::PgConnection;

use crate::StoreResult;

/// Rows deleted at once.
pub const BATCH: i64 = 500;

/// A table that is pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prunable {
    /// Numbered events.
    Events,
    /// Log chunks.
    LogChunks,
    /// Inbox rows that the contiguous number covers.
    Inbox,
    /// Outbox rows that were sent or are void.
    Outbox,
    /// Refused messages.
    RefusedMessages,
    /// Answers to requests that may be repeated.
    Idempotency,
    /// Plans that no deployment insisted on.
    Plans,
    /// Pushes that are answered.
    Pushes,
    /// Deliveries of notifications that are over, with their tries.
    Deliveries,
}

impl Prunable {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Events,
        Self::LogChunks,
        Self::Inbox,
        Self::Outbox,
        Self::RefusedMessages,
        Self::Idempotency,
        Self::Plans,
        Self::Pushes,
        Self::Deliveries,
    ];

    const fn table(self) -> &'static str {
        match self {
            Self::Events => "event",
            Self::LogChunks => "log_chunk",
            Self::Inbox => "inbox",
            Self::Outbox => "outbox",
            Self::RefusedMessages => "refused_message",
            Self::Idempotency => "idempotency",
            Self::Plans => "plan",
            Self::Pushes => "push",
            Self::Deliveries => "delivery",
        }
    }
}

/// Functions that each delete a batch of rows older than so many days.
macro_rules! deletions {
    ($($name:ident: $statement:literal;)+) => {$(
        async fn $name(conn: &mut PgConnection, days: i32) -> StoreResult<u64> {
            let done = sqlx::query!($statement, days, BATCH).execute(conn).await?;
            Ok(done.rows_affected())
        }
    )+};
}

deletions! {
    events:
        "DELETE FROM event WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM event WHERE seq IS NOT NULL AND at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED))";
    log_chunks:
        "DELETE FROM log_chunk WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM log_chunk WHERE received_at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED))";
    inbox:
        "DELETE FROM inbox WHERE ctid = ANY (ARRAY(
         SELECT inbox.ctid FROM inbox JOIN inbox_contiguous known USING (host_id, spool_id)
         WHERE inbox.seq <= known.upto AND inbox.received_at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE OF inbox SKIP LOCKED))";
    outbox:
        "DELETE FROM outbox WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM outbox WHERE (sent_at IS NOT NULL OR expires_at < now())
         AND created_at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED))";
    refused_messages:
        "DELETE FROM refused_message WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM refused_message WHERE at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED))";
    plans:
        "DELETE FROM plan WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM plan WHERE made_at < now() - make_interval(days => $1)
         AND NOT EXISTS (SELECT 1 FROM deployment WHERE deployment.plan_hash = plan.hash)
         LIMIT $2 FOR UPDATE SKIP LOCKED))";
    pushes:
        "DELETE FROM push WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM push WHERE answered_at IS NOT NULL AND received_at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED))";
    deliveries:
        "DELETE FROM delivery WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM delivery WHERE state <> 'waiting' AND created_at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED))";
    idempotency:
        "DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM idempotency WHERE created_at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED))";
}

/// Deletes one batch by the database's clock; returns how many rows. Rows that somebody holds are left for the next
/// time.
pub async fn prune(conn: &mut PgConnection, table: Prunable) -> StoreResult<u64> {
    // Without a setting everything is kept.
    let Some(days) = kept_days(conn, table).await? else {
        return Ok(0);
    };
    match table {
        Prunable::Events => events(conn, days).await,
        Prunable::LogChunks => log_chunks(conn, days).await,
        Prunable::Inbox => inbox(conn, days).await,
        Prunable::Outbox => outbox(conn, days).await,
        Prunable::RefusedMessages => refused_messages(conn, days).await,
        Prunable::Plans => plans(conn, days).await,
        Prunable::Pushes => pushes(conn, days).await,
        Prunable::Deliveries => deliveries(conn, days).await,
        Prunable::Idempotency => idempotency(conn, days).await,
    }
}

async fn kept_days(conn: &mut PgConnection, table: Prunable) -> StoreResult<Option<i32>> {
    let days = sqlx::query_scalar!(
        "SELECT days FROM retention_setting WHERE table_name = $1",
        table.table()
    )
    .fetch_optional(conn)
    .await?;
    Ok(days)
}
