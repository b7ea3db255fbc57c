//! Targets: a project in an environment, and what should be live there. A target's row lock orders its wishes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_shared::api::projects::{Gate, PushPattern, Retention, Strategy, WhenBusy};
use pointsman_shared::ids::{EnvironmentId, ProjectId, ReleaseId, TargetId};
use pointsman_shared::name::{RootPath, TargetName};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A target as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Its id.
    pub id: TargetId,
    /// Its name.
    pub name: TargetName,
    /// Its project.
    pub project: ProjectId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// The root on every host.
    pub root: RootPath,
    /// Labels a host must have, all of them.
    pub labels: BTreeMap<String, String>,
    /// How deployments go over its hosts.
    pub strategy: Strategy,
    /// What stays on its hosts.
    pub retention: Retention,
    /// What a release must have before it may go live here.
    pub gates: Vec<Gate>,
    /// What becomes of a wish while another deployment is open.
    pub when_busy: WhenBusy,
    /// Branches and tags whose pushes are deployed here.
    pub on_push: Vec<PushPattern>,
    /// The release that should be live: of the last deployment that ended live or rolled back.
    pub desired: Option<ReleaseId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Reads a name that a query put together, such as `shop@production`.
pub(crate) fn read_name(name: &str) -> StoreResult<TargetName> {
    name.parse()
        .map_err(|error| StoreError::inconsistent("target", name, error))
}

struct Columns {
    id: uuid::Uuid,
    project: String,
    environment: String,
    project_id: uuid::Uuid,
    environment_id: uuid::Uuid,
    root: String,
    labels: serde_json::Value,
    strategy: serde_json::Value,
    retention: serde_json::Value,
    gates: serde_json::Value,
    when_busy: String,
    on_push: serde_json::Value,
    desired_release_id: Option<uuid::Uuid>,
    created_at: DateTime<Utc>,
}

macro_rules! select_targets {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Columns,
            "SELECT target.id, project.name AS project, environment.name AS environment, target.project_id,
                    target.environment_id, target.root, target.labels, target.strategy, target.retention,
                    target.gates, target.when_busy, target.on_push, target.desired_release_id, target.created_at
             FROM target JOIN project ON project.id = target.project_id
                         JOIN environment ON environment.id = target.environment_id "
                + $tail
            $(, $argument)*
        )
    };
}

impl TryFrom<Columns> for TargetRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let id = row.id;
        let wrong = |what: &dyn ToString| StoreError::inconsistent("target", id, what.to_string());
        Ok(Self {
            id: TargetId(row.id),
            name: TargetName {
                project: row.project.parse().map_err(|e| wrong(&e))?,
                environment: row.environment.parse().map_err(|e| wrong(&e))?,
            },
            project: ProjectId(row.project_id),
            environment: EnvironmentId(row.environment_id),
            root: row.root.parse().map_err(|e| wrong(&e))?,
            labels: serde_json::from_value(row.labels).map_err(|e| wrong(&e))?,
            strategy: serde_json::from_value(row.strategy).map_err(|e| wrong(&e))?,
            retention: serde_json::from_value(row.retention).map_err(|e| wrong(&e))?,
            gates: serde_json::from_value(row.gates).map_err(|e| wrong(&e))?,
            when_busy: when_busy(&row.when_busy).ok_or_else(|| wrong(&"when_busy is none of ours"))?,
            on_push: serde_json::from_value(row.on_push).map_err(|e| wrong(&e))?,
            desired: row.desired_release_id.map(ReleaseId),
            created_at: row.created_at,
        })
    }
}

/// What a text of the database means for a busy target.
pub(crate) fn when_busy(text: &str) -> Option<WhenBusy> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

/// The target with this name.
pub async fn find(conn: &mut PgConnection, name: &TargetName) -> StoreResult<Option<TargetRow>> {
    let row = select_targets!(
        "WHERE project.name = $1 AND environment.name = $2",
        name.project.as_str(),
        name.environment.as_str()
    )
    .fetch_optional(conn)
    .await?;
    row.map(TargetRow::try_from).transpose()
}

/// The target with this id.
pub async fn get(conn: &mut PgConnection, id: TargetId) -> StoreResult<Option<TargetRow>> {
    let row = select_targets!("WHERE target.id = $1", id.0)
        .fetch_optional(conn)
        .await?;
    row.map(TargetRow::try_from).transpose()
}

/// The names of all targets, in the order of [`all`]: for choices, where nothing else of them is shown.
pub async fn names(conn: &mut PgConnection) -> StoreResult<Vec<(TargetId, TargetName)>> {
    let rows = sqlx::query!(
        r#"SELECT target.id, project.name || '@' || environment.name AS "name!"
           FROM target JOIN project ON project.id = target.project_id
                JOIN environment ON environment.id = target.environment_id
           ORDER BY project.name, environment.position, environment.name"#
    );
    let rows = rows.fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| Ok((TargetId(row.id), read_name(&row.name)?)))
        .collect()
}

/// Every target, by project and place in the order of promotion.
pub async fn all(conn: &mut PgConnection) -> StoreResult<Vec<TargetRow>> {
    let rows = select_targets!("ORDER BY project.name, environment.position, environment.name")
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TargetRow::try_from).collect()
}

/// The targets of a project, in the order of promotion.
pub async fn all_of(conn: &mut PgConnection, project: ProjectId) -> StoreResult<Vec<TargetRow>> {
    let rows = select_targets!(
        "WHERE target.project_id = $1 ORDER BY environment.position, environment.name",
        project.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(TargetRow::try_from).collect()
}

/// Locks a target until the transaction ends: one wish at a time is taken. Rows that refer to it may still be written.
pub async fn lock(conn: &mut PgConnection, id: TargetId) -> StoreResult<()> {
    sqlx::query!("SELECT id FROM target WHERE id = $1 FOR NO KEY UPDATE", id.0)
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Locks a target unless somebody else holds it right now.
pub async fn try_lock(conn: &mut PgConnection, id: TargetId) -> StoreResult<bool> {
    let row = sqlx::query_scalar!(
        "SELECT id FROM target WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED",
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Inserts a target.
pub async fn insert(conn: &mut PgConnection, target: &TargetRow) -> StoreResult<()> {
    let documents = documents(target)?;
    sqlx::query!(
        "INSERT INTO target (id, project_id, environment_id, root, labels, strategy, created_at, updated_at, retention,
                             gates, when_busy, on_push)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)",
        target.id.0,
        target.project.0,
        target.environment.0,
        target.root.as_str(),
        documents.labels,
        documents.strategy,
        target.created_at,
        documents.retention,
        documents.gates,
        documents.when_busy,
        documents.on_push,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes a target's hosts, root, strategy, retention, gates, what it follows, and what becomes of wishes while it is busy.
pub async fn update(conn: &mut PgConnection, target: &TargetRow, now: DateTime<Utc>) -> StoreResult<()> {
    let documents = documents(target)?;
    sqlx::query!(
        "UPDATE target SET root = $2, labels = $3, strategy = $4, updated_at = $5, retention = $6, gates = $7,
                           when_busy = $8, on_push = $9
         WHERE id = $1",
        target.id.0,
        target.root.as_str(),
        documents.labels,
        documents.strategy,
        now,
        documents.retention,
        documents.gates,
        documents.when_busy,
        documents.on_push,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is stored as JSON, or by its name in JSON.
struct Documents {
    labels: serde_json::Value,
    strategy: serde_json::Value,
    retention: serde_json::Value,
    gates: serde_json::Value,
    when_busy: Option<String>,
    on_push: serde_json::Value,
}

fn documents(target: &TargetRow) -> StoreResult<Documents> {
    let wrong = |error| StoreError::inconsistent("target", target.id, error);
    Ok(Documents {
        labels: serde_json::to_value(&target.labels).map_err(wrong)?,
        strategy: serde_json::to_value(&target.strategy).map_err(wrong)?,
        retention: serde_json::to_value(&target.retention).map_err(wrong)?,
        gates: serde_json::to_value(&target.gates).map_err(wrong)?,
        when_busy: serde_json::to_value(target.when_busy)
            .map_err(wrong)?
            .as_str()
            .map(str::to_owned),
        on_push: serde_json::to_value(&target.on_push).map_err(wrong)?,
    })
}

/// Writes what should be live, and since when it is that.
pub async fn set_desired(
    conn: &mut PgConnection,
    id: TargetId,
    release: ReleaseId,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query!(
        "UPDATE target SET desired_release_id = $2, updated_at = $3,
                desired_since = CASE WHEN desired_release_id IS DISTINCT FROM $2 THEN $3 ELSE desired_since END
         WHERE id = $1",
        id.0,
        release.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
