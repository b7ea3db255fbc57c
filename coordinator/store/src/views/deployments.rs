//! Deployments, newest first. What they are is told by the same facts that decide their next step.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use pointsman_domain::deployment::{Left, Progress, StageTimes, left, outcome, progress};
use pointsman_shared::api::deployments::{Deployment, ListedState};
use pointsman_shared::ids::DeploymentId;
use pointsman_shared::name::{ProjectName, TargetName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult, deployments};

/// Which deployments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Only of this target.
    pub target: Option<&'a TargetName>,
    /// Only of this project.
    pub project: Option<&'a ProjectName>,
    /// Only those that stand like this.
    pub state: Option<ListedState>,
    /// Only those that this principal wished.
    pub who: Option<&'a str>,
    /// Only those of releases with this label.
    pub release: Option<&'a str>,
    /// Only with a lower number.
    pub before: Option<i64>,
    /// Only of these projects; none = of every project.
    pub sight: Option<&'a [String]>,
    /// Without what each host did in those that are over: a list does not show it, and it is most of the reading.
    pub brief: bool,
}

/// Whether a deployment is over, and how it ended, for one that stands like this.
const fn stands(state: ListedState) -> (bool, Option<&'static str>) {
    match state {
        ListedState::Open => (false, None),
        ListedState::Over => (true, None),
        ListedState::Live
        | ListedState::Failed
        | ListedState::Cancelled
        | ListedState::RolledBack
        | ListedState::Superseded
        | ListedState::Abandoned => (true, Some(state.as_str())),
    }
}

/// A page of deployments.
pub async fn page(conn: &mut PgConnection, wanted: Wanted<'_>, limit: i64) -> StoreResult<Vec<Deployment>> {
    match (wanted.target, wanted.state) {
        (Some(target), _) => of_target(conn, target, wanted, limit).await,
        (None, Some(ListedState::Open)) => open(conn, wanted, limit).await,
        (None, _) => any(conn, wanted, limit).await,
    }
}

/// The deployment with this number.
pub async fn one(conn: &mut PgConnection, number: i64) -> StoreResult<Option<Deployment>> {
    let Some(mut deployment) = numbered(conn, number).await?.pop() else {
        return Ok(None);
    };
    if !deployment.state.is_final() {
        let earlier = stage_times(conn, deployment.id).await?;
        let mut waits = deployments::waits(conn, &[number]).await?;
        let waits = waits.remove(&number).unwrap_or_default();
        let now = crate::now(conn).await?;
        let facts = deployments::facts(conn, deployment.id).await?;
        match facts.and_then(|facts| left(&facts, &earlier, &waits, now)) {
            Some(Left::Usual(usual)) => deployment.left = Some(usual),
            Some(Left::Overdue(overdue)) => deployment.overdue = Some(overdue),
            None => {}
        }
    }
    Ok(Some(deployment))
}

/// Deployments that a forecast is read from.
const RUNS: i64 = 20;

/// How long the stages of the newest live deployments of the same target took, without what they waited for a person.
async fn stage_times(conn: &mut PgConnection, id: DeploymentId) -> StoreResult<Vec<StageTimes>> {
    let rows = sqlx::query!(
        r#"SELECT took.build AS "build!", took.install AS "install!", took.migrate AS "migrate!", took.switch AS "switch!"
           FROM (SELECT earlier.id FROM deployment AS earlier JOIN deployment AS this ON this.target_id = earlier.target_id
                 WHERE this.id = $1 AND earlier.kind = this.kind AND earlier.outcome = 'live'
                 ORDER BY earlier.number DESC LIMIT $2) AS earlier,
                LATERAL (SELECT COALESCE(max(stage.ms) FILTER (WHERE stage.name = 'build'), 0) AS build,
                                COALESCE(max(stage.ms) FILTER (WHERE stage.name = 'install'), 0) AS install,
                                COALESCE(max(stage.ms) FILTER (WHERE stage.name = 'migrate'), 0) AS migrate,
                                COALESCE(max(stage.ms) FILTER (WHERE stage.name = 'switch'), 0) AS switch
                         FROM (SELECT part.name,
                                      (EXTRACT(EPOCH FROM part.till - part.since
                                           - COALESCE((SELECT sum(LEAST(wait.till, part.till) - GREATEST(wait.since, part.since))
                                                       FROM deployment_wait AS wait
                                                       WHERE wait.deployment_id = earlier.id AND wait.since < part.till
                                                         AND wait.till > part.since), interval '0')) * 1000)::bigint AS ms
                               FROM (SELECT CASE WHEN kind IN ('activate', 'rollback') THEN 'switch' ELSE kind END AS name,
                                            min(started_at) AS since, max(ended_at) AS till
                                     FROM job WHERE deployment_id = earlier.id GROUP BY 1) AS part) AS stage) AS took"#,
        id.0,
        RUNS,
    )
    .fetch_all(conn)
    .await?;
    let ms = |took: i64| u64::try_from(took).unwrap_or_default();
    Ok(rows
        .into_iter()
        .map(|row| StageTimes {
            build: ms(row.build),
            install: ms(row.install),
            migrate: ms(row.migrate),
            switch: ms(row.switch),
        })
        .collect())
}

struct Columns {
    id: uuid::Uuid,
    number: i64,
    project: String,
    environment: String,
    release: String,
    from: Option<String>,
    kind: String,
    requested_by: String,
    requested_at: DateTime<Utc>,
    starts_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    outcome_detail: Option<String>,
}

/// Chooses rows of `deployment` by themselves, newest first, and joins what they name afterwards: so a plan that fits every
/// choice reads no more than a page of a long past. Whatever has an index of its own is a choice of its own.
macro_rules! select {
    ($first:literal, $wanted:ident, $limit:expr $(, $argument:expr)*) => {
        sqlx::query_as!(
            Columns,
            r#"SELECT deployment.id, deployment.number, project.name AS project, environment.name AS environment,
                      release.label AS release, deployment.kind,
                      (SELECT label FROM release AS origin WHERE origin.id = deployment.from_release_id) AS "from?",
                      (SELECT name FROM principal WHERE principal.id = deployment.requested_by) AS "requested_by!",
                      requested_at, GREATEST(scheduled_for, held_until) AS starts_at, started_at, ended_at,
                      deployment.outcome, deployment.outcome_detail
               FROM (SELECT * FROM deployment
                     WHERE "#
                + $first
                + r#" AND ($2::boolean IS NULL OR (ended_at IS NOT NULL) = $2)
                       AND ($3::text IS NULL OR outcome = $3)
                       AND ($4::bigint IS NULL OR number < $4)
                       AND ($5::text[] IS NULL
                            OR target_id IN (SELECT target.id FROM target JOIN project ON project.id = target.project_id
                                             WHERE project.name = ANY ($5)))
                       AND ($6::text IS NULL
                            OR target_id IN (SELECT target.id FROM target JOIN project ON project.id = target.project_id
                                             WHERE project.name = $6))
                       AND ($7::text IS NULL
                            OR requested_by IN (SELECT principal.id FROM principal WHERE principal.name = $7))
                       AND ($8::text IS NULL
                            OR release_id IN (SELECT release.id FROM release WHERE release.label = $8))
                     ORDER BY number DESC LIMIT $1) AS deployment
                    JOIN target ON target.id = deployment.target_id
                    JOIN project ON project.id = target.project_id
                    JOIN environment ON environment.id = target.environment_id
                    JOIN release ON release.id = deployment.release_id
               ORDER BY deployment.number DESC"#,
            $limit,
            $wanted.state.map(|state| stands(state).0),
            $wanted.state.and_then(|state| stands(state).1),
            $wanted.before,
            $wanted.sight,
            $wanted.project.map(ProjectName::as_str),
            $wanted.who,
            $wanted.release
            $(, $argument)*
        )
    };
}

async fn numbered(conn: &mut PgConnection, number: i64) -> StoreResult<Vec<Deployment>> {
    let wanted = Wanted::default();
    let rows = select!("number = $9", wanted, 1, number);
    let rows = rows.fetch_all(&mut *conn).await?;
    told(conn, rows, wanted.brief).await
}

async fn of_target(
    conn: &mut PgConnection,
    target: &TargetName,
    wanted: Wanted<'_>,
    limit: i64,
) -> StoreResult<Vec<Deployment>> {
    let rows = select!(
        "target_id = (SELECT target.id FROM target JOIN project ON project.id = target.project_id
                      JOIN environment ON environment.id = target.environment_id
                      WHERE project.name = $9 AND environment.name = $10)",
        wanted,
        limit,
        target.project.as_str(),
        target.environment.as_str()
    );
    let rows = rows.fetch_all(&mut *conn).await?;
    told(conn, rows, wanted.brief).await
}

async fn open(conn: &mut PgConnection, wanted: Wanted<'_>, limit: i64) -> StoreResult<Vec<Deployment>> {
    let rows = select!("ended_at IS NULL", wanted, limit);
    let rows = rows.fetch_all(&mut *conn).await?;
    told(conn, rows, wanted.brief).await
}

async fn any(conn: &mut PgConnection, wanted: Wanted<'_>, limit: i64) -> StoreResult<Vec<Deployment>> {
    let rows = select!("true", wanted, limit);
    let rows = rows.fetch_all(&mut *conn).await?;
    told(conn, rows, wanted.brief).await
}

/// Tells what they are, by the facts that decide their next step.
async fn told(conn: &mut PgConnection, rows: Vec<Columns>, brief: bool) -> StoreResult<Vec<Deployment>> {
    let is_brief = |row: &Columns| brief && row.ended_at.is_some();
    let whole = rows.iter().filter(|row| !is_brief(row));
    let ids: Vec<_> = whole.map(|row| DeploymentId(row.id)).collect();
    let facts = deployments::facts_of(conn, &ids).await?;
    let mut facts: HashMap<_, _> = facts.into_iter().map(|facts| (facts.id.0, facts)).collect();
    rows.into_iter()
        .map(|row| {
            if is_brief(&row) {
                return over(row);
            }
            let facts = facts
                .remove(&row.id)
                .ok_or_else(|| StoreError::inconsistent("deployment", row.id, "it has no facts"))?;
            deployment(row, progress(&facts), facts.ways_out())
        })
        .collect()
}

/// One that is over, by its outcome alone.
fn over(row: Columns) -> StoreResult<Deployment> {
    let ended = deployments::ended(row.outcome.as_deref(), row.outcome_detail.clone(), row.ended_at);
    let ended = ended
        .flatten()
        .ok_or_else(|| StoreError::inconsistent("deployment", row.id, "its outcome is unknown"))?;
    deployment(row, outcome(&ended), Vec::new())
}

fn deployment(row: Columns, progress: Progress, ways_out: Vec<String>) -> StoreResult<Deployment> {
    let wrong = |what: &dyn ToString| StoreError::inconsistent("deployment", row.id, what.to_string());
    Ok(Deployment {
        id: DeploymentId(row.id),
        number: row.number,
        target: TargetName {
            project: row.project.parse().map_err(|e| wrong(&e))?,
            environment: row.environment.parse().map_err(|e| wrong(&e))?,
        },
        release: row.release.parse().map_err(|e| wrong(&e))?,
        from: row
            .from
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|e| wrong(&e))?,
        kind: row.kind,
        state: progress.state,
        summary: progress.summary,
        reason: progress.reason,
        ways_out,
        requested_by: row.requested_by,
        requested_at: row.requested_at,
        starts_at: row.starts_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        left: None,
        overdue: None,
        hosts: progress.hosts,
    })
}
