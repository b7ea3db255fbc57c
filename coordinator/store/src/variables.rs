//! Variables by scope; the narrower scope wins: project < environment < target < host. Secret ones are sealed by the
//! coordinator before they come here, and go out as they are.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_shared::api::projects::{Variable, VariableRef, VariableScope};
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::name::{HostId, ProjectName, TargetName, VariableName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// As it is.
    Plain(String),
    /// Sealed with the key of this id.
    Sealed {
        /// Id of the key.
        key: String,
        /// The sealed bytes.
        bytes: Vec<u8>,
    },
}

impl Stored {
    fn from_row(name: &str, columns: Columns) -> StoreResult<Self> {
        match columns {
            (Some(value), None, None) => Ok(Self::Plain(value)),
            (None, Some(bytes), Some(key)) => Ok(Self::Sealed { key, bytes }),
            _ => Err(StoreError::inconsistent(
                "variable",
                name,
                "it is neither plain nor sealed",
            )),
        }
    }

    fn columns(&self) -> (Option<&str>, Option<&[u8]>, Option<&str>) {
        match self {
            Self::Plain(value) => (Some(value), None, None),
            Self::Sealed { key, bytes } => (None, Some(bytes), Some(key)),
        }
    }
}

type Columns = (Option<String>, Option<Vec<u8>>, Option<String>);

/// The value of a variable, locked until the transaction ends.
pub async fn get(conn: &mut PgConnection, variable: &VariableRef) -> StoreResult<Option<Stored>> {
    let (scope, scope_name) = scope_columns(&variable.scope);
    let row = sqlx::query!(
        "SELECT value, value_enc, key_id FROM variable
         WHERE scope = $1 AND scope_name = $2 AND name = $3 FOR UPDATE",
        scope,
        scope_name,
        variable.name.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Stored::from_row(variable.name.as_str(), (row.value, row.value_enc, row.key_id)))
        .transpose()
}

/// Sets a value.
pub async fn put(
    conn: &mut PgConnection,
    variable: &VariableRef,
    value: &Stored,
    by: PrincipalId,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    let (scope, scope_name) = scope_columns(&variable.scope);
    let (plain, sealed, key) = value.columns();
    sqlx::query!(
        "INSERT INTO variable (scope, scope_name, name, value, value_enc, key_id, updated_by, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (scope, scope_name, name) DO UPDATE
             SET value = excluded.value, value_enc = excluded.value_enc, key_id = excluded.key_id,
                 updated_by = excluded.updated_by, updated_at = excluded.updated_at",
        scope,
        scope_name,
        variable.name.as_str(),
        plain,
        sealed,
        key,
        by.0,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a value; false = there was none.
pub async fn remove(conn: &mut PgConnection, variable: &VariableRef) -> StoreResult<bool> {
    let (scope, scope_name) = scope_columns(&variable.scope);
    let done = sqlx::query!(
        "DELETE FROM variable WHERE scope = $1 AND scope_name = $2 AND name = $3",
        scope,
        scope_name,
        variable.name.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Variables by scope and name, after the row whose [`place`] is given; those that are sealed without their value.
pub async fn list(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    after: Option<&str>,
    limit: i64,
) -> StoreResult<Vec<Variable>> {
    let rows = sqlx::query!(
        r#"SELECT scope, scope_name, name, COALESCE(value, '') AS "value!", value IS NULL AS "secret!" FROM variable
           WHERE ($1::text IS NULL OR scope || '/' || scope_name || '/' || name > $1 COLLATE "C")
             AND ($3::text[] IS NULL
                  OR (scope IN ('project', 'target') AND split_part(scope_name, '@', 1) = ANY($3)))
           ORDER BY (scope || '/' || scope_name || '/' || name) COLLATE "C" LIMIT $2"#,
        after,
        limit,
        sight,
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
                secret: row.secret,
            })
        })
        .collect()
}

/// A variable's place: in [`list`], and what its sealed value is bound to.
pub fn place(variable: &VariableRef) -> String {
    let (scope, scope_name) = scope_columns(&variable.scope);
    format!("{scope}/{scope_name}/{}", variable.name)
}

/// The values a job on `host` sees, each with the place it is set in; narrower scopes already applied.
pub async fn seen_by(
    conn: &mut PgConnection,
    project: &ProjectName,
    target: Option<&TargetName>,
    host: &HostId,
) -> StoreResult<BTreeMap<VariableName, (String, Stored)>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (name) name, scope, scope_name, value, value_enc, key_id FROM variable
           WHERE (scope = 'project' AND scope_name = $1) OR (scope = 'environment' AND scope_name = $2)
                  OR (scope = 'target' AND scope_name = $3) OR (scope = 'host' AND scope_name = $4)
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
            let place = format!("{}/{}/{}", row.scope, row.scope_name, row.name);
            let stored = Stored::from_row(&row.name, (row.value, row.value_enc, row.key_id))?;
            Ok((name, (place, stored)))
        })
        .collect()
}

/// Ids of the keys that sealed what is stored, deploy keys included.
pub async fn keys(conn: &mut PgConnection) -> StoreResult<Vec<String>> {
    let keys = sqlx::query_scalar!(
        r#"SELECT key_id AS "key_id!" FROM variable WHERE key_id IS NOT NULL
           UNION SELECT key_id FROM deploy_key ORDER BY 1"#
    )
    .fetch_all(conn)
    .await?;
    Ok(keys)
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
