//! What webhooks told. A push is answered by whoever claims it; a claim that is not kept runs out, and another follows.

use chrono::{DateTime, Utc};
use pointsman_shared::api::pushes::{Push, PushAnswer};
use pointsman_shared::ids::ProjectId;
use pointsman_shared::name::ProjectName;
use pointsman_shared::repository::CommitId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, StoreResult};

/// A push that was told.
#[derive(Debug, Clone, Copy)]
pub struct NewPush<'a> {
    /// By this webhook.
    pub webhook: Uuid,
    /// The forge's id of the call.
    pub delivery: &'a str,
    /// What makes the call the same as another.
    pub fingerprint: &'a str,
    /// `refs/heads/main`, or `refs/tags/1.9.1`.
    pub reference: &'a str,
    /// Who pushed.
    pub by: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Notes a push that waits for its answer; returns its number. None = the same call was noted before.
pub async fn insert(conn: &mut PgConnection, new: &NewPush<'_>) -> StoreResult<Option<i64>> {
    let number = sqlx::query_scalar!(
        "INSERT INTO push (webhook_id, delivery, fingerprint, reference, pushed_by, received_at, next_try_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (webhook_id, fingerprint) DO NOTHING RETURNING number",
        new.webhook,
        new.delivery,
        new.fingerprint,
        new.reference,
        new.by,
        new.at,
    )
    .fetch_optional(conn)
    .await?;
    Ok(number)
}

/// The number of the push that this call told.
pub async fn number_of(
    conn: &mut PgConnection,
    webhook: Uuid,
    fingerprint: &str,
) -> StoreResult<Option<i64>> {
    let number = sqlx::query_scalar!(
        "SELECT number FROM push WHERE webhook_id = $1 AND fingerprint = $2",
        webhook,
        fingerprint
    )
    .fetch_optional(conn)
    .await?;
    Ok(number)
}

/// A push that is being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its number.
    pub number: i64,
    /// The webhook that told it.
    pub webhook: Uuid,
    /// Its project.
    pub project: ProjectId,
    /// `refs/heads/main`, or `refs/tags/1.9.1`.
    pub reference: String,
    /// Who pushed.
    pub by: Option<String>,
    /// The number of this try; only the newest one may answer.
    pub tries: i32,
    /// Which try this is since it was told or repeated, from 1.
    pub nth: u32,
    /// What came of it in the tries before.
    pub answers: Vec<PushAnswer>,
}

/// Claims the push that is due longest, until `until`; one of a project at a time.
pub async fn claim(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> StoreResult<Option<Claimed>> {
    let row = sqlx::query!(
        r#"UPDATE push SET claimed_until = $2, tries = tries + 1
         FROM webhook WHERE webhook.id = push.webhook_id AND push.number = (
             SELECT due.number FROM push due JOIN webhook of_due ON of_due.id = due.webhook_id
             WHERE due.next_try_at <= $1 AND (due.claimed_until IS NULL OR due.claimed_until <= $1)
               AND NOT EXISTS (SELECT 1 FROM push other JOIN webhook of_other ON of_other.id = other.webhook_id
                               WHERE of_other.project_id = of_due.project_id AND other.next_try_at IS NOT NULL
                                 AND other.claimed_until > $1)
             ORDER BY due.next_try_at, due.number LIMIT 1 FOR UPDATE OF due SKIP LOCKED)
         RETURNING push.number, push.webhook_id, webhook.project_id, push.reference, push.pushed_by, push.tries,
                   push.tries - push.tries_before AS "nth!", push.answers"#,
        now,
        until,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let answers = serde_json::from_value(row.answers);
        Ok(Claimed {
            number: row.number,
            webhook: row.webhook_id,
            project: ProjectId(row.project_id),
            reference: row.reference,
            by: row.pushed_by,
            tries: row.tries,
            nth: u32::try_from(row.nth).unwrap_or(u32::MAX),
            answers: answers.map_err(|error| StoreError::inconsistent("push", row.number, error))?,
        })
    })
    .transpose()
}

/// Keeps a claim alive.
pub async fn renew(conn: &mut PgConnection, push: &Claimed, until: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE push SET claimed_until = $3 WHERE number = $1 AND tries = $2 AND answered_at IS NULL",
        push.number,
        push.tries,
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what came of a push; with `again` it is tried again then. False = a newer claim has it.
pub async fn answer(
    conn: &mut PgConnection,
    push: &Claimed,
    commit: Option<&CommitId>,
    answers: &[PushAnswer],
    again: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let answers = serde_json::to_value(answers)
        .map_err(|error| StoreError::inconsistent("push", push.number, error))?;
    let done = sqlx::query!(
        "UPDATE push SET next_try_at = $6, claimed_until = NULL, commit_id = $4, answers = $5,
                         answered_at = CASE WHEN $6::timestamptz IS NULL THEN $3::timestamptz END
         WHERE number = $1 AND tries = $2 AND answered_at IS NULL",
        push.number,
        push.tries,
        now,
        commit.map(CommitId::as_str),
        answers,
        again,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets an answered push be answered once more. False = there is none of this number, or it is not answered yet.
pub async fn repeat(conn: &mut PgConnection, number: i64, now: DateTime<Utc>) -> StoreResult<bool> {
    let done = sqlx::query!(
        "UPDATE push SET next_try_at = $2, answered_at = NULL, answers = '[]', commit_id = NULL, tries_before = tries
         WHERE number = $1 AND answered_at IS NOT NULL",
        number,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The same for the push that asked for a deployment.
pub async fn repeat_of(conn: &mut PgConnection, deployment: i64, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE push SET next_try_at = $2, answered_at = NULL, answers = '[]', commit_id = NULL, tries_before = tries
         WHERE answered_at IS NOT NULL AND answers @> jsonb_build_array(jsonb_build_object(
             'outcome', 'requested', 'deployment', $1::bigint))",
        deployment,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Columns {
    number: i64,
    project: String,
    webhook: String,
    delivery: String,
    reference: String,
    pushed_by: Option<String>,
    received_at: DateTime<Utc>,
    answered_at: Option<DateTime<Utc>>,
    commit_id: Option<String>,
    answers: serde_json::Value,
}

impl TryFrom<Columns> for Push {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let number = row.number;
        let wrong = |what: &dyn ToString| StoreError::inconsistent("push", number, what.to_string());
        Ok(Self {
            number,
            project: row.project.parse().map_err(|e| wrong(&e))?,
            webhook: row.webhook.parse().map_err(|e| wrong(&e))?,
            delivery: row.delivery,
            reference: row.reference,
            by: row.pushed_by,
            received_at: row.received_at,
            answered_at: row.answered_at,
            commit: row
                .commit_id
                .map(|commit| commit.parse())
                .transpose()
                .map_err(|e| wrong(&e))?,
            answers: serde_json::from_value(row.answers).map_err(|e| wrong(&e))?,
        })
    }
}

/// Pushes before the one named, newest first.
pub async fn page(
    conn: &mut PgConnection,
    project: Option<&ProjectName>,
    sight: Option<&[String]>,
    before: Option<i64>,
    limit: i64,
) -> StoreResult<Vec<Push>> {
    let rows = sqlx::query_as!(
        Columns,
        "SELECT push.number, project.name AS project, webhook.name AS webhook, delivery, reference, pushed_by, received_at,
                answered_at, commit_id, answers
         FROM push JOIN webhook ON webhook.id = push.webhook_id JOIN project ON project.id = webhook.project_id
         WHERE ($1::text IS NULL OR project.name = $1) AND ($2::bigint IS NULL OR push.number < $2)
           AND ($4::text[] IS NULL OR project.name = ANY($4))
         ORDER BY push.number DESC LIMIT $3",
        project.map(ProjectName::as_str),
        before,
        limit,
        sight,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Push::try_from).collect()
}

/// The push with this number.
pub async fn one(conn: &mut PgConnection, number: i64) -> StoreResult<Option<Push>> {
    let row = sqlx::query_as!(
        Columns,
        "SELECT push.number, project.name AS project, webhook.name AS webhook, delivery, reference, pushed_by, received_at,
                answered_at, commit_id, answers
         FROM push JOIN webhook ON webhook.id = push.webhook_id JOIN project ON project.id = webhook.project_id
         WHERE push.number = $1",
        number,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Push::try_from).transpose()
}
