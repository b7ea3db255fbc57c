//! Rules that choose what goes to which channel.

use chrono::{DateTime, Utc};
use pointsman_domain::notify::{Rule, Selection};
use pointsman_shared::api::notifications;
use pointsman_shared::ids::{ChannelId, PrincipalId, ProjectId};
use pointsman_shared::name::{EnvironmentName, InvalidName, ProjectName};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, StoreResult};

/// A rule to insert.
#[derive(Debug)]
pub struct NewRuleRow<'a> {
    /// Its id.
    pub id: Uuid,
    /// Where to.
    pub channel: ChannelId,
    /// Only of this project.
    pub project: Option<ProjectId>,
    /// Only in these environments.
    pub environments: &'a [String],
    /// Only these topics.
    pub events: &'a [String],
    /// Who made it.
    pub by: PrincipalId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Adds a rule and returns its number.
pub async fn insert(conn: &mut PgConnection, rule: &NewRuleRow<'_>) -> StoreResult<i64> {
    let number = sqlx::query_scalar!(
        "INSERT INTO notification_rule (id, channel_id, project_id, environments, events, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number",
        rule.id,
        rule.channel.0,
        rule.project.map(|project| project.0),
        rule.environments,
        rule.events,
        rule.by.0,
        rule.at,
    )
    .fetch_one(conn)
    .await?;
    Ok(number)
}

/// Removes a rule; false = there is none of this number.
pub async fn remove(conn: &mut PgConnection, number: i64) -> StoreResult<bool> {
    let done = sqlx::query!("DELETE FROM notification_rule WHERE number = $1", number)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Rules by number, after a number; or the one of this number.
pub async fn list(
    conn: &mut PgConnection,
    only: Option<i64>,
    after: i64,
    limit: i64,
) -> StoreResult<Vec<notifications::Rule>> {
    let rows = sqlx::query!(
        r#"SELECT number, channel.name AS channel, project.name AS "project?", environments, events,
                  principal.name AS created_by, rule.created_at
           FROM notification_rule rule JOIN channel ON channel.id = channel_id
                JOIN principal ON principal.id = rule.created_by LEFT JOIN project ON project.id = rule.project_id
           WHERE ($1::bigint IS NULL OR number = $1) AND number > $2 ORDER BY number LIMIT $3"#,
        only,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let channel = row.channel.parse();
            let (project, environments) = scope(row.number, row.project.as_deref(), &row.environments)?;
            Ok(notifications::Rule {
                number: row.number,
                channel: channel.map_err(|error| wrong(row.number, error))?,
                project,
                environments,
                events: row.events,
                created_by: row.created_by,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// The project and the environments of the rule with this number.
fn scope(
    number: i64,
    project: Option<&str>,
    environments: &[String],
) -> StoreResult<(Option<ProjectName>, Vec<EnvironmentName>)> {
    let project = project.map(str::parse).transpose();
    let environments = environments
        .iter()
        .map(|name| name.parse())
        .collect::<Result<_, _>>();
    Ok((
        project.map_err(|error| wrong(number, error))?,
        environments.map_err(|error| wrong(number, error))?,
    ))
}

fn wrong(number: i64, what: InvalidName) -> StoreError {
    StoreError::inconsistent("notification_rule", number, what)
}

/// A rule of a channel that is not disabled, to be asked.
#[derive(Debug, Clone)]
pub struct ActiveRule {
    /// Where to.
    pub channel: ChannelId,
    /// What it takes.
    pub rule: Rule,
}

/// Every rule whose channel is not disabled.
pub async fn active(conn: &mut PgConnection) -> StoreResult<Vec<ActiveRule>> {
    let rows = sqlx::query!(
        r#"SELECT number, channel_id, project.name AS "project?", environments, events
           FROM notification_rule rule JOIN channel ON channel.id = channel_id
                LEFT JOIN project ON project.id = rule.project_id
           WHERE disabled_at IS NULL ORDER BY number"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (project, environments) = scope(row.number, row.project.as_deref(), &row.environments)?;
            Ok(ActiveRule {
                channel: ChannelId(row.channel_id),
                rule: Rule {
                    project,
                    environments,
                    selection: Selection::stored(row.events),
                },
            })
        })
        .collect()
}
