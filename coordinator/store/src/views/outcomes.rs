//! How the last deployments of every target ended, for strips and for what needs somebody.

use std::collections::BTreeMap;

use pointsman_shared::name::TargetName;
use sqlx::PgConnection;

use crate::{StoreResult, targets};

/// A deployment that is over.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// Its number.
    pub number: i64,
    /// The release it brought.
    pub release: String,
    /// `live`, `failed`, `cancelled`, `rolled_back`, `superseded` or `abandoned`.
    pub outcome: String,
}

/// The last `most` deployments of each of these projects, newest first.
pub async fn last(
    conn: &mut PgConnection,
    projects: &[String],
    most: i64,
) -> StoreResult<BTreeMap<String, Vec<Outcome>>> {
    let rows = sqlx::query!(
        r#"SELECT project.name AS project, ended.number AS "number!", release.label AS release, ended.outcome AS "outcome!"
           FROM project,
                LATERAL (SELECT of_target.* FROM target,
                                LATERAL (SELECT number, release_id, outcome FROM deployment
                                         WHERE deployment.target_id = target.id AND deployment.ended_at IS NOT NULL
                                         ORDER BY number DESC LIMIT $1) AS of_target
                         WHERE target.project_id = project.id ORDER BY number DESC LIMIT $1) AS ended
                JOIN release ON release.id = ended.release_id
           WHERE project.name = ANY ($2)
           ORDER BY ended.number DESC"#,
        most,
        projects,
    )
    .fetch_all(conn)
    .await?;
    let mut last: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
    for row in rows {
        last.entry(row.project).or_default().push(Outcome {
            number: row.number,
            release: row.release,
            outcome: row.outcome,
        });
    }
    Ok(last)
}

/// The newest deployment of all that is over.
pub async fn newest(conn: &mut PgConnection) -> StoreResult<Option<Outcome>> {
    let newest = sqlx::query_as!(
        Outcome,
        r#"SELECT deployment.number, release.label AS release, outcome AS "outcome!"
           FROM deployment JOIN release ON release.id = deployment.release_id
           WHERE ended_at IS NOT NULL ORDER BY number DESC LIMIT 1"#,
    );
    Ok(newest.fetch_optional(conn).await?)
}

struct Bad {
    target: String,
    number: i64,
    release: String,
    outcome: String,
}

/// Nothing is asked with it where everybody's are wanted: so the database plans it once for each connection.
macro_rules! bad {
    ($of:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Bad,
            r#"SELECT project.name || '@' || environment.name AS "target!", last.number AS "number!",
                      release.label AS release, last.outcome AS "outcome!"
               FROM target JOIN project ON project.id = target.project_id
                    JOIN environment ON environment.id = target.environment_id,
                    LATERAL (SELECT number, release_id, outcome FROM deployment
                             WHERE deployment.target_id = target.id AND deployment.ended_at IS NOT NULL
                               AND deployment.started_at IS NOT NULL
                             ORDER BY number DESC LIMIT 1) AS last
                    JOIN release ON release.id = last.release_id
               WHERE last.outcome IN ('failed', 'abandoned', 'rolled_back')
                 AND NOT EXISTS (SELECT FROM deployment AS open WHERE open.target_id = target.id AND open.ended_at IS NULL
                                   AND (open.started_at IS NOT NULL OR COALESCE(open.scheduled_for <= now(), true))) "#
                + $of
                + " ORDER BY last.number DESC LIMIT 100"
            $(, $argument)*
        )
    };
}

/// Targets whose last deployment that began did not end as it was wished, and for which no other one is under way, at most a
/// hundred; of these projects alone, where `sight` names some.
pub async fn bad(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
) -> StoreResult<Vec<(TargetName, Outcome)>> {
    let rows = match sight {
        None => bad!("").fetch_all(conn).await?,
        Some(projects) => {
            bad!("AND project.name = ANY ($1)", projects)
                .fetch_all(conn)
                .await?
        }
    };
    rows.into_iter()
        .map(|row| {
            let target = targets::read_name(&row.target)?;
            let outcome = Outcome {
                number: row.number,
                release: row.release,
                outcome: row.outcome,
            };
            Ok((target, outcome))
        })
        .collect()
}
