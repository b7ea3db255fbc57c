//! Jobs, newest first, with their steps where one is looked at.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::{Job, JobState, Step};
use pointsman_shared::ids::JobId;
use pointsman_shared::name::{ProjectName, TargetName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// Which jobs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Only in this state.
    pub state: Option<JobState>,
    /// Only of the deployment with this number.
    pub deployment: Option<i64>,
    /// Only of this project.
    pub project: Option<&'a ProjectName>,
    /// Only of this target.
    pub target: Option<&'a TargetName>,
    /// Only with a lower number.
    pub before: Option<i64>,
    /// Only of these projects; none = of every project.
    pub sight: Option<&'a [String]>,
}

/// A page of jobs, without steps.
pub async fn page(conn: &mut PgConnection, wanted: Wanted<'_>, limit: i64) -> StoreResult<Vec<Job>> {
    match wanted.deployment {
        Some(deployment) => of_deployment(conn, deployment, wanted, limit).await,
        None => any(conn, wanted, limit).await,
    }
}

/// The job with this number, with the steps of all its attempts.
pub async fn one(conn: &mut PgConnection, number: i64) -> StoreResult<Option<Job>> {
    let Some(mut job) = numbered(conn, number).await? else {
        return Ok(None);
    };
    job.steps = steps(conn, job.id).await?;
    Ok(Some(job))
}

struct Columns {
    id: uuid::Uuid,
    number: i64,
    kind: String,
    state: String,
    project: String,
    environment: Option<String>,
    release: Option<String>,
    deployment: Option<i64>,
    host: Option<String>,
    epoch: i32,
    reason: Option<String>,
    code: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

/// Chooses rows of `job` by themselves, newest first, and joins what they name afterwards: see the deployments.
macro_rules! select {
    ($first:literal, $wanted:ident, $limit:expr $(, $argument:expr)*) => {
        sqlx::query_as!(
            Columns,
            r#"SELECT job.id, job.number, job.kind, job.state, project.name AS project,
                      environment.name AS "environment?", release.label AS "release?",
                      (SELECT number FROM deployment WHERE deployment.id = job.deployment_id) AS deployment,
                      COALESCE(job.host_id, job.worker_id) AS host, job.epoch, job.reason, job.code, job.created_at,
                      job.started_at, job.ended_at
               FROM (SELECT * FROM job
                     WHERE "#
                + $first
                + r#" AND ($2::text IS NULL OR state = $2)
                       AND ($3::bigint IS NULL OR number < $3)
                       AND ($4::text[] IS NULL
                            OR project_id IN (SELECT project.id FROM project WHERE project.name = ANY ($4)))
                       AND ($5::text IS NULL
                            OR project_id IN (SELECT project.id FROM project WHERE project.name = $5))
                       AND ($6::text IS NULL
                            OR target_id IN (SELECT target.id FROM target
                                             JOIN environment ON environment.id = target.environment_id
                                             WHERE environment.name = $6))
                     ORDER BY number DESC LIMIT $1) AS job
                    JOIN project ON project.id = job.project_id
                    LEFT JOIN target ON target.id = job.target_id
                    LEFT JOIN environment ON environment.id = target.environment_id
                    LEFT JOIN release ON release.id = job.release_id
               ORDER BY job.number DESC"#,
            $limit,
            $wanted.state.map(JobState::as_str),
            $wanted.before,
            $wanted.sight,
            $wanted.target.map(|target| &target.project).or($wanted.project).map(ProjectName::as_str),
            $wanted.target.map(|target| target.environment.as_str())
            $(, $argument)*
        )
    };
}

async fn numbered(conn: &mut PgConnection, number: i64) -> StoreResult<Option<Job>> {
    let wanted = Wanted::default();
    let row = select!("number = $7", wanted, 1, number)
        .fetch_optional(conn)
        .await?;
    row.map(Job::try_from).transpose()
}

async fn of_deployment(
    conn: &mut PgConnection,
    deployment: i64,
    wanted: Wanted<'_>,
    limit: i64,
) -> StoreResult<Vec<Job>> {
    let rows = select!(
        "deployment_id = (SELECT deployment.id FROM deployment WHERE deployment.number = $7)",
        wanted,
        limit,
        deployment
    );
    let rows = rows.fetch_all(conn).await?;
    rows.into_iter().map(Job::try_from).collect()
}

async fn any(conn: &mut PgConnection, wanted: Wanted<'_>, limit: i64) -> StoreResult<Vec<Job>> {
    let rows = select!("true", wanted, limit).fetch_all(conn).await?;
    rows.into_iter().map(Job::try_from).collect()
}

impl TryFrom<Columns> for Job {
    type Error = StoreError;

    fn try_from(row: Columns) -> StoreResult<Self> {
        let id = row.id;
        let wrong = |what: &dyn ToString| StoreError::inconsistent("job", id, what.to_string());
        let project: ProjectName = row.project.parse().map_err(|e| wrong(&e))?;
        let target = row
            .environment
            .map(|environment| environment.parse())
            .transpose()
            .map_err(|e| wrong(&e))?
            .map(|environment| TargetName {
                project: project.clone(),
                environment,
            });
        Ok(Self {
            id: JobId(id),
            number: row.number,
            kind: row.kind.parse().map_err(|e| wrong(&e))?,
            state: state_from(&row.state).ok_or_else(|| wrong(&"its state is none of ours"))?,
            project,
            target,
            release: row
                .release
                .map(|label| label.parse())
                .transpose()
                .map_err(|e| wrong(&e))?,
            deployment: row.deployment,
            host: row
                .host
                .map(|host| host.parse())
                .transpose()
                .map_err(|e| wrong(&e))?,
            epoch: u32::try_from(row.epoch).map_err(|e| wrong(&e))?,
            reason: row.reason,
            code: row.code,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            steps: Vec::new(),
        })
    }
}

async fn steps(conn: &mut PgConnection, job: JobId) -> StoreResult<Vec<Step>> {
    let rows = sqlx::query!(
        "SELECT epoch, ordinal, name, duration_ms, ok FROM job_step WHERE job_id = $1 ORDER BY epoch, ordinal",
        job.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Step {
            epoch: u32::try_from(row.epoch).unwrap_or_default(),
            ordinal: u32::try_from(row.ordinal).unwrap_or_default(),
            name: row.name,
            state: match row.ok {
                None => "running",
                Some(true) => "ok",
                Some(false) => "failed",
            }
            .to_owned(),
            duration_ms: row.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
        })
        .collect())
}

pub(super) fn state_from(name: &str) -> Option<JobState> {
    [
        JobState::Queued,
        JobState::Offered,
        JobState::Running,
        JobState::Deferred,
        JobState::Indeterminate,
        JobState::Succeeded,
        JobState::Failed,
        JobState::Cancelled,
        JobState::Superseded,
        JobState::Abandoned,
    ]
    .into_iter()
    .find(|state| state.as_str() == name)
}
