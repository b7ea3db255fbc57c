//! Variables by scope; the narrower scope wins: project < environment < target < host.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_shared::api::projects::{Variable, VariableScope};
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::name::{HostId, ProjectName, TargetName, VariableName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// How setting a variable went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// It is new.
    Created,
    /// It had another value.
    Updated,
    /// It had this value.
    Unchanged,
}

/// Sets a plain value.
pub async fn set(
    conn: &mut PgConnection,
    variable: &Variable,
    by: PrincipalId,
    at: DateTime<Utc>,
) -> StoreResult<Setting> {
    let (scope, scope_name) = scope_columns(&variable.scope);
    let known = sqlx::query!(
        "SELECT value FROM variable WHERE scope = $1 AND scope_name = $2 AND name = $3 FOR UPDATE",
        scope,
        scope_name,
        variable.name.as_str(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let setting = match known {
        None => Setting::Created,
        Some(row) if row.value.as_deref() == Some(&variable.value) => return Ok(Setting::Unchanged),
        Some(_) => Setting::Updated,
    };
    sqlx::query!(
        "INSERT INTO variable (scope, scope_name, name, value, updated_by, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (scope, scope_name, name) DO UPDATE
             SET value = excluded.value, value_enc = NULL, key_id = NULL,
                 updated_by = excluded.updated_by, updated_at = excluded.updated_at",
        scope,
        scope_name,
        variable.name.as_str(),
        variable.value,
        by.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(setting)
}

/// Plain variables by scope and name, after the row whose [`place`] is given.
pub async fn list(conn: &mut PgConnection, after: Option<&str>, limit: i64) -> StoreResult<Vec<Variable>> {
    let rows = sqlx::query!(
        r#"SELECT scope, scope_name, name, value AS "value!" FROM variable
           WHERE value IS NOT NULL AND ($1::text IS NULL OR scope || '/' || scope_name || '/' || name > $1 COLLATE "C")
           ORDER BY (scope || '/' || scope_name || '/' || name) COLLATE "C" LIMIT $2"#,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong =
                |error: &dyn ToString| StoreError::inconsistent("variable", &row.name, error.to_string());
            Ok(Variable {
                scope: scope_from(&row.scope, &row.scope_name).map_err(|e| wrong(&e))?,
                name: row.name.parse().map_err(|e| wrong(&e))?,
                value: row.value,
            })
        })
        .collect()
}

/// A variable's place in [`list`].
pub fn place(variable: &Variable) -> String {
    let (scope, scope_name) = scope_columns(&variable.scope);
    format!("{scope}/{scope_name}/{}", variable.name)
}

/// The plain values a job on `host` sees, narrower scopes already applied.
pub async fn seen_by(
    conn: &mut PgConnection,
    project: &ProjectName,
    target: Option<&TargetName>,
    host: &HostId,
) -> StoreResult<BTreeMap<VariableName, String>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (name) name, value AS "value!" FROM variable
           WHERE value IS NOT NULL
             AND ((scope = 'project' AND scope_name = $1) OR (scope = 'environment' AND scope_name = $2)
                  OR (scope = 'target' AND scope_name = $3) OR (scope = 'host' AND scope_name = $4))
           ORDER BY name, array_position(ARRAY['host', 'target', 'environment', 'project'], scope)"#,
        project.as_str(),
        target.map(|target| target.environment.to_string()),
        target.map(ToString::to_string),
        host.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let name = row
                .name
                .parse()
                .map_err(|error| StoreError::inconsistent("variable", &row.name, error))?;
            Ok((name, row.value))
        })
        .collect()
}

fn scope_columns(scope: &VariableScope) -> (&'static str, String) {
    match scope {
        VariableScope::Project(name) => ("project", name.to_string()),
        VariableScope::Environment(name) => ("environment", name.to_string()),
        VariableScope::Target(name) => ("target", name.to_string()),
        VariableScope::Host(name) => ("host", name.to_string()),
    }
}

fn scope_from(scope: &str, name: &str) -> Result<VariableScope, String> {
    let broken = |error: pointsman_shared::name::InvalidName| error.to_string();
    match scope {
        "project" => name.parse().map(VariableScope::Project).map_err(broken),
        "environment" => name.parse().map(VariableScope::Environment).map_err(broken),
        "target" => name.parse().map(VariableScope::Target).map_err(broken),
        "host" => name.parse().map(VariableScope::Host).map_err(broken),
        other => Err(format!("no such scope: {other}")),
    }
}
