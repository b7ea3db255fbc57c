//! Targets as cells of a table: what is live, and on how many hosts. Hosts are counted where their rows lie, because a page
//! shows a hundred targets and none of their hosts.

use pointsman_shared::ids::ProjectId;
use pointsman_shared::name::{ReleaseLabel, TargetName};
use pointsman_shared::repository::CommitId;
use serde::Serialize;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Its project.
    #[serde(skip)]
    pub project: ProjectId,
    /// Its name.
    pub name: TargetName,
    /// The release that should be live there; none = nothing yet.
    pub desired: Option<ReleaseLabel>,
    /// The commit of that.
    pub commit: Option<CommitId>,
    /// The deployment that goes on there or comes next.
    pub open_deployment: Option<i64>,
    /// Whether pushes are held back.
    pub pushes_paused: bool,
    /// Its hosts.
    pub host_counts: HostCounts,
}

/// How many hosts of a target are how; one may be several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct HostCounts {
    /// All of them.
    pub all: i64,
    /// Run what should be live.
    pub as_wanted: i64,
    /// Have something else live than was decided, or a root in trouble.
    pub drift: i64,
    /// Run something that works.
    pub healthy: i64,
    /// Run something that does not work.
    pub unhealthy: i64,
    /// Are not there.
    pub absent: i64,
}

/// The targets of these projects, by project and place in the order of promotion; `absent` are hosts that are not there.
pub async fn of_projects(
    conn: &mut PgConnection,
    projects: &[String],
    absent: &[String],
) -> StoreResult<Vec<Cell>> {
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT project.id AS project_id, project.name AS project, environment.name AS environment,
                  release.label AS "label?", release.commit_id AS "commit?",
                  (SELECT min(deployment.number) FROM deployment
                   WHERE deployment.target_id = target.id AND deployment.ended_at IS NULL
                     AND (deployment.started_at IS NOT NULL
                          OR COALESCE(deployment.scheduled_for <= now(), true))) AS open_deployment,
                  EXISTS (SELECT FROM push_pause
                          WHERE push_pause.target_id = target.id AND lifted_at IS NULL) AS "pushes_paused!",
                  hosts."all!", hosts."as_wanted!", hosts."drift!", hosts."healthy!", hosts."unhealthy!", hosts."absent!"
           FROM target JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
                LEFT JOIN release ON release.id = target.desired_release_id,
                LATERAL (SELECT count(*) AS "all!",
                                count(*) FILTER (WHERE runs = target.desired_release_id) AS "as_wanted!",
                                count(*) FILTER (WHERE drifts) AS "drift!",
                                count(*) FILTER (WHERE runs IS NOT NULL AND health = 'healthy') AS "healthy!",
                                count(*) FILTER (WHERE runs IS NOT NULL AND health = 'unhealthy') AS "unhealthy!",
                                count(*) FILTER (WHERE host_id = ANY ($2)) AS "absent!"
                         FROM (SELECT host_id, health, COALESCE(drift, problem) IS NOT NULL AS drifts,
                                      CASE WHEN root_trouble IS DISTINCT FROM 'unreadable'
                                           THEN confirmed_release_id END AS runs
                               FROM placement WHERE target_id = target.id AND retired_at IS NULL) AS placed) AS hosts
           WHERE project.name = ANY ($1)
           ORDER BY project.name, environment.position, environment.name"#,
        projects,
        absent,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Cell::try_from).collect()
}

struct Columns {
    project_id: uuid::Uuid,
    project: String,
    environment: String,
    label: Option<String>,
    commit: Option<String>,
    open_deployment: Option<i64>,
    pushes_paused: bool,
    all: i64,
    as_wanted: i64,
    drift: i64,
    healthy: i64,
    unhealthy: i64,
    absent: i64,
}

impl TryFrom<Columns> for Cell {
    type Error = StoreError;

    fn try_from(row: Columns) -> StoreResult<Self> {
        let wrong = |what: &dyn ToString| StoreError::inconsistent("target", &row.project, what.to_string());
        let label = row.label.as_deref().map(str::parse).transpose();
        let commit = row.commit.as_deref().map(str::parse).transpose();
        Ok(Self {
            project: ProjectId(row.project_id),
            name: TargetName {
                project: row.project.parse().map_err(|e| wrong(&e))?,
                environment: row.environment.parse().map_err(|e| wrong(&e))?,
            },
            desired: label.map_err(|e| wrong(&e))?,
            commit: commit.map_err(|e| wrong(&e))?,
            open_deployment: row.open_deployment,
            pushes_paused: row.pushes_paused,
            host_counts: HostCounts {
                all: row.all,
                as_wanted: row.as_wanted,
                drift: row.drift,
                healthy: row.healthy,
                unhealthy: row.unhealthy,
                absent: row.absent,
            },
        })
    }
}
