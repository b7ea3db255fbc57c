//! Prunes the tables that only grow, each by its own setting. What is still needed is never old enough: open spools keep
//! their mark, unsent outbox rows stay until they are void.

use sqlx::PgConnection;

use crate::StoreResult;

/// Deletes what is older than its table's setting; returns how many rows.
pub async fn prune(conn: &mut PgConnection) -> StoreResult<u64> {
    let settings = sqlx::query!("SELECT table_name, days FROM retention_setting")
        .fetch_all(&mut *conn)
        .await?;
    let mut rows = 0;
    for setting in settings {
        rows += prune_table(conn, &setting.table_name, setting.days).await?;
    }
    Ok(rows)
}

async fn prune_table(conn: &mut PgConnection, table: &str, days: i32) -> StoreResult<u64> {
    let done = match table {
        "event" => {
            sqlx::query!("DELETE FROM event WHERE at < now() - make_interval(days => $1)", days).execute(conn).await?
        }
        "log_chunk" => {
            sqlx::query!("DELETE FROM log_chunk WHERE received_at < now() - make_interval(days => $1)", days)
                .execute(conn)
                .await?
        }
        "inbox" => {
            sqlx::query!(
                "DELETE FROM inbox USING inbox_contiguous AS stored
                 WHERE inbox.host_id = stored.host_id AND inbox.spool_id = stored.spool_id AND inbox.seq <= stored.upto
                       AND inbox.received_at < now() - make_interval(days => $1)",
                days
            )
            .execute(conn)
            .await?
        }
        "outbox" => {
            sqlx::query!(
                "DELETE FROM outbox WHERE (sent_at IS NOT NULL OR expires_at < now())
                                          AND created_at < now() - make_interval(days => $1)",
                days
            )
            .execute(conn)
            .await?
        }
        "refused_message" => {
            sqlx::query!("DELETE FROM refused_message WHERE at < now() - make_interval(days => $1)", days)
                .execute(conn)
                .await?
        }
        "idempotency" => {
            sqlx::query!("DELETE FROM idempotency WHERE created_at < now() - make_interval(days => $1)", days)
                .execute(conn)
                .await?
        }
        _ => return Ok(0),
    };
    Ok(done.rows_affected())
}
