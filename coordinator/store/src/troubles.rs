//! What stands still or goes wrong, counted for `doctor`.

use sqlx::PgConnection;

use crate::StoreResult;

/// Counts of what should be none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Troubles {
    /// Outbox rows that nobody sent within a minute.
    pub unsent: i64,
    /// Events without a number after a minute.
    pub unnumbered: i64,
    /// Acts without a link of the audit chain after ten minutes.
    pub unchained: i64,
    /// Running jobs whose lease ended more than a minute ago.
    pub overdue: i64,
    /// Numbers of jobs of which nobody knows whether their effect happened.
    pub indeterminate: Vec<i64>,
    /// Numbers of jobs whose offers came back unread.
    pub dead_letters: Vec<i64>,
    /// Jobs that wait for an absent host.
    pub deferred: i64,
    /// Jobs that are offered, and that nobody took for more than a minute: number and reason.
    pub waiting: Vec<(i64, Option<String>)>,
    /// Messages refused within a day: reason and how many.
    pub refused: Vec<(String, i64)>,
}

/// Counts them.
pub async fn count(conn: &mut PgConnection) -> StoreResult<Troubles> {
    let row = sqlx::query!(
        r#"SELECT
             (SELECT count(*) FROM outbox WHERE sent_at IS NULL AND expires_at > now()
                AND created_at < now() - interval '1 minute') AS "unsent!",
             (SELECT count(*) FROM event WHERE seq IS NULL AND at < now() - interval '1 minute') AS "unnumbered!",
             (SELECT count(*) FROM audit_unchained WHERE since < now() - interval '10 minutes') AS "unchained!",
             (SELECT count(*) FROM job WHERE state = 'running' AND kind <> 'migrate'
                AND lease_until < now() - interval '1 minute') AS "overdue!",
             (SELECT count(*) FROM job WHERE state = 'deferred') AS "deferred!",
             ARRAY(SELECT number FROM job WHERE state = 'indeterminate' ORDER BY 1) AS "indeterminate!",
             ARRAY(SELECT number FROM job WHERE dead_offers > 0 AND ended_at IS NULL ORDER BY 1) AS "dead_letters!""#,
    )
    .fetch_one(&mut *conn)
    .await?;
    let waiting = sqlx::query!(
        "SELECT number, reason FROM job
         WHERE state = 'offered' AND created_at < now() - interval '1 minute'
           AND (reason IS NOT NULL OR waiting_since < now() - interval '1 minute'
                OR offered_at < now() - interval '1 minute')
         ORDER BY number LIMIT 100",
    )
    .fetch_all(&mut *conn)
    .await?;
    let refused = sqlx::query!(
        r#"SELECT reason, count(*) AS "count!" FROM refused_message WHERE at > now() - interval '1 day'
           GROUP BY reason ORDER BY 2 DESC LIMIT 10"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(Troubles {
        unsent: row.unsent,
        unnumbered: row.unnumbered,
        unchained: row.unchained,
        overdue: row.overdue,
        indeterminate: row.indeterminate,
        dead_letters: row.dead_letters,
        deferred: row.deferred,
        waiting: waiting.into_iter().map(|row| (row.number, row.reason)).collect(),
        refused: refused.into_iter().map(|row| (row.reason, row.count)).collect(),
    })
}
