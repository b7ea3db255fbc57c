//! Lists messages that were refused, with so much of what they held that one sees what they were, and no secret.

use pointsman_domain::redaction::redacted;
use pointsman_shared::api::jobs::DeadLetter;
use pointsman_store::PgConnection;
use pointsman_store::views::job_queue;

use crate::error::OperationResult;

/// Those before a number, newest first.
pub async fn execute(
    conn: &mut PgConnection,
    before: Option<i64>,
    limit: i64,
) -> OperationResult<Vec<DeadLetter>> {
    let mut letters = job_queue::dead_letters(conn, before, limit).await?;
    for letter in &mut letters {
        letter.sample = redacted(&letter.sample);
    }
    Ok(letters)
}
