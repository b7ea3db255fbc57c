//! How the last deployments of every target ended, for strips and for what needs somebody.

use std::collections::BTreeMap;

use pointsman_shared::name::TargetName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

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

/// The last `most` deployments of every target, newest first.
pub async fn last(conn: &mut PgConnection, most: i64) -> StoreResult<BTreeMap<TargetName, Vec<Outcome>>> {
    let rows = sqlx::query!(
        r#"SELECT project.name AS project, environment.name AS environment, ended.number AS "number!",
                  release.label AS release, ended.outcome AS "outcome!"
           FROM target JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id,
                LATERAL (SELECT number, release_id, outcome FROM deployment
                         WHERE deployment.target_id = target.id AND deployment.ended_at IS NOT NULL
                         ORDER BY number DESC LIMIT $1) AS ended
                JOIN release ON release.id = ended.release_id
           ORDER BY ended.number DESC"#,
        most,
    )
    .fetch_all(conn)
    .await?;
    let mut last: BTreeMap<TargetName, Vec<Outcome>> = BTreeMap::new();
    for row in rows {
        let name = format!("{}@{}", row.project, row.environment);
        let target = name
            .parse()
            .map_err(|error| StoreError::inconsistent("target", &name, error))?;
        last.entry(target).or_default().push(Outcome {
            number: row.number,
            release: row.release,
            outcome: row.outcome,
        });
    }
    Ok(last)
}
