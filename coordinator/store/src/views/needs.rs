//! What needs somebody: placements that are not as was decided, migrations of which nobody knows whether they are applied,
//! channels over which nobody is told. Only what is not as it should be is read.

use chrono::{DateTime, Utc};
use pointsman_shared::name::{HostId, TargetName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult, targets};

/// How a placement is not as was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Something else is live, or its root is in trouble: what.
    Drift(String),
    /// Its root cannot be worked in, and nothing is wanted or live there yet: why.
    NotReady(String),
    /// What is live does not work.
    Unhealthy,
    /// It runs another release than wanted, and nothing is under way.
    Behind {
        /// What runs; none = nothing.
        runs: Option<String>,
        /// What is wanted.
        wanted: String,
    },
}

/// A placement that is not as was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Astray {
    /// Whose it is.
    pub target: TargetName,
    /// Where it is.
    pub host: HostId,
    /// What is wrong.
    pub how: How,
}

struct AstrayColumns {
    target: String,
    host_id: String,
    drift: Option<String>,
    closed: bool,
    unhealthy: bool,
    runs: Option<String>,
    wanted: Option<String>,
}

/// Nothing is asked with it where everybody's are wanted: so the database plans it once for each connection.
macro_rules! astray {
    ($of:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            AstrayColumns,
            r#"SELECT project.name || '@' || environment.name AS "target!", placement.host_id,
                      COALESCE(placement.drift, placement.problem) AS drift,
                      placement.drift IS NULL AND placement.root_trouble IS NOT NULL AS "closed!",
                      health = 'unhealthy' AS "unhealthy!",
                      confirmed.label AS "runs?", desired.label AS "wanted?"
               FROM placement JOIN target ON target.id = placement.target_id
                    JOIN project ON project.id = target.project_id
                    JOIN environment ON environment.id = target.environment_id
                    LEFT JOIN release AS desired ON desired.id = placement.desired_release_id
                    LEFT JOIN release AS confirmed ON confirmed.id = placement.confirmed_release_id
               WHERE placement.retired_at IS NULL
                 -- In the words of the index that holds these alone.
                 AND (placement.problem IS NOT NULL OR placement.drift IS NOT NULL
                      OR placement.health = 'unhealthy' AND placement.confirmed_release_id IS NOT NULL
                      OR placement.desired_release_id IS NOT NULL
                         AND placement.confirmed_release_id IS DISTINCT FROM placement.desired_release_id)
                 AND (placement.problem IS NOT NULL OR placement.drift IS NOT NULL
                      OR NOT EXISTS (SELECT FROM deployment AS open
                                     WHERE open.target_id = target.id AND open.ended_at IS NULL)) "#
                + $of
                + " ORDER BY 1, 2 LIMIT 2000"
            $(, $argument)*
        )
    };
}

/// Placements that are not as was decided; in these projects alone, where `sight` names some. While a deployment is under way
/// it tells of what it has not reached. Those of a target share a line that counts them, so that two thousand are read.
pub async fn astray(conn: &mut PgConnection, sight: Option<&[String]>) -> StoreResult<Vec<Astray>> {
    let rows = match sight {
        None => astray!("").fetch_all(conn).await?,
        Some(projects) => {
            astray!("AND project.name = ANY ($1)", projects)
                .fetch_all(conn)
                .await?
        }
    };
    rows.into_iter()
        .map(|row| {
            let wrong = |what| StoreError::inconsistent("placement", &row.host_id, what);
            let is_new = row.closed && row.wanted.is_none() && row.runs.is_none();
            let how = match (row.drift, row.unhealthy, row.wanted) {
                (Some(problem), ..) if is_new => How::NotReady(problem),
                (Some(drift), ..) => How::Drift(drift),
                (None, false, Some(wanted)) => How::Behind {
                    runs: row.runs,
                    wanted,
                },
                (None, ..) => How::Unhealthy,
            };
            Ok(Astray {
                target: targets::read_name(&row.target)?,
                host: row.host_id.parse().map_err(wrong)?,
                how,
            })
        })
        .collect()
}

struct UndecidedColumns {
    target: String,
    number: i64,
}

/// As above.
macro_rules! undecided {
    ($of:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            UndecidedColumns,
            r#"SELECT project.name || '@' || environment.name AS "target!", job.number
               FROM job JOIN target ON target.id = job.target_id
                    JOIN project ON project.id = target.project_id
                    JOIN environment ON environment.id = target.environment_id
               WHERE job.kind = 'migrate' AND job.state = 'indeterminate' "#
                + $of
                + " ORDER BY job.number LIMIT 100"
            $(, $argument)*
        )
    };
}

/// Targets with a run at their migrations whose end nobody knows, and the number of its job, at most a hundred.
pub async fn undecided(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
) -> StoreResult<Vec<(TargetName, i64)>> {
    let rows = match sight {
        None => undecided!("").fetch_all(conn).await?,
        Some(projects) => {
            undecided!("AND project.name = ANY ($1)", projects)
                .fetch_all(conn)
                .await?
        }
    };
    rows.into_iter()
        .map(|row| Ok((targets::read_name(&row.target)?, row.number)))
        .collect()
}

/// A channel over which nothing is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard {
    /// Its name.
    pub channel: String,
    /// Since when every try failed.
    pub since: DateTime<Utc>,
    /// How the last one did.
    pub error: String,
}

/// Channels of which every try failed for a while, whether they were given up or not; at most a hundred.
pub async fn unheard(conn: &mut PgConnection) -> StoreResult<Vec<Unheard>> {
    let channels = sqlx::query_as!(
        Unheard,
        r#"SELECT name AS channel, failing_since AS "since!", last_error AS "error!" FROM channel
           WHERE failing_since < now() - interval '10 minutes' ORDER BY failing_since LIMIT 100"#,
    );
    Ok(channels.fetch_all(conn).await?)
}
