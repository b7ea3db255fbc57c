//! Releases of a project, newest first, with the job that builds them and where they are live.

use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::ProjectName;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

macro_rules! select {
    ($tail:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Columns,
            r#"SELECT release.id, project.name AS project, release.number, release.label, release.reference,
                      release.commit_id, release.subject, release.author, release.state, release.manifest_digest,
                      release.folder, release.total_bytes, release.entries, release.failure,
                      release.recipe_digest IS NOT NULL AS "has_recipe!",
                      (SELECT max(job.number) FROM job WHERE job.release_id = release.id AND job.kind = 'build') AS job,
                      COALESCE((SELECT jsonb_agg(jsonb_build_object('mark', said.mark, 'by', marker.name,
                                                                    'at', said.marked_at, 'evidence', said.evidence)
                                                 ORDER BY said.mark)
                                FROM release_mark AS said JOIN principal AS marker ON marker.id = said.marked_by
                                WHERE said.release_id = release.id), '[]') AS "marks!",
                      ARRAY(SELECT DISTINCT project.name || '@' || environment.name
                            FROM placement JOIN target ON target.id = placement.target_id
                                           JOIN environment ON environment.id = target.environment_id
                            WHERE placement.confirmed_release_id = release.id AND placement.retired_at IS NULL
                            ORDER BY 1) AS "live_on!",
                      (SELECT name FROM principal WHERE principal.id = release.created_by) AS "requested_by!",
                      release.created_at, release.built_at
               FROM release JOIN project ON project.id = release.project_id "#
                + $tail
            $(, $argument)*
        )
    };
}

/// Releases of a project with a lower number than `before`.
pub async fn page(
    conn: &mut PgConnection,
    project: &ProjectName,
    before: Option<i32>,
    limit: i64,
) -> StoreResult<Vec<Release>> {
    let rows = select!(
        "WHERE release.project_id = (SELECT id FROM project WHERE name = $1) AND ($2::integer IS NULL OR release.number < $2)
         ORDER BY release.number DESC LIMIT $3",
        project.as_str(),
        before,
        limit
    );
    let rows = rows.fetch_all(conn).await?;
    rows.into_iter().map(Release::try_from).collect()
}

/// A release that was found by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its project.
    pub project: String,
    /// Its number.
    pub number: i32,
    /// What people call it.
    pub label: String,
}

/// The newest releases whose label holds this text or whose commit begins with it; `shop 1.9` finds those of projects, too.
pub async fn holding(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    text: &str,
    limit: i64,
) -> StoreResult<Vec<Found>> {
    let found = sqlx::query_as!(
        Found,
        "SELECT project.name AS project, release.number, release.label
         FROM release JOIN project ON project.id = release.project_id
         WHERE project.archived_at IS NULL AND ($1::text[] IS NULL OR project.name = ANY ($1))
           AND release.state IN ('queued', 'building', 'built')
           AND (position($2 IN lower(release.label)) > 0 OR starts_with(release.commit_id, $2)
                OR position(' ' IN $2) > 0 AND position($2 IN project.name || ' ' || lower(release.label)) > 0)
         ORDER BY release.created_at DESC, release.number DESC LIMIT $3",
        sight,
        text,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// One release.
pub async fn one(conn: &mut PgConnection, id: ReleaseId) -> StoreResult<Option<Release>> {
    let row = select!("WHERE release.id = $1", id.0)
        .fetch_optional(conn)
        .await?;
    row.map(Release::try_from).transpose()
}

struct Columns {
    id: uuid::Uuid,
    project: String,
    number: i32,
    label: String,
    reference: String,
    commit_id: String,
    subject: String,
    author: String,
    state: String,
    manifest_digest: Option<Vec<u8>>,
    folder: Option<String>,
    total_bytes: Option<i64>,
    entries: Option<i64>,
    failure: Option<String>,
    has_recipe: bool,
    job: Option<i64>,
    marks: serde_json::Value,
    live_on: Vec<String>,
    requested_by: String,
    created_at: chrono::DateTime<chrono::Utc>,
    built_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl TryFrom<Columns> for Release {
    type Error = StoreError;

    fn try_from(row: Columns) -> StoreResult<Self> {
        let id = row.id;
        let wrong = |what: &dyn ToString| StoreError::inconsistent("release", id, what.to_string());
        let size = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        Ok(Self {
            id: ReleaseId(id),
            project: row.project.parse().map_err(|e| wrong(&e))?,
            number: u32::try_from(row.number).map_err(|e| wrong(&e))?,
            label: row.label.parse().map_err(|e| wrong(&e))?,
            reference: row.reference,
            commit: row.commit_id,
            subject: row.subject,
            author: row.author,
            state: state_from(&row.state).ok_or_else(|| wrong(&"its state is none of ours"))?,
            digest: row
                .manifest_digest
                .map(|bytes| <[u8; 32]>::try_from(bytes).map(Digest::from_bytes))
                .transpose()
                .map_err(|_| wrong(&"its digest has not 32 bytes"))?,
            folder: row
                .folder
                .map(|folder| folder.parse())
                .transpose()
                .map_err(|e| wrong(&e))?,
            total_bytes: size(row.total_bytes),
            entries: size(row.entries),
            failure: row.failure,
            has_recipe: row.has_recipe,
            job: row.job,
            marks: serde_json::from_value(row.marks).map_err(|e| wrong(&e))?,
            live_on: row
                .live_on
                .iter()
                .map(|name| name.parse())
                .collect::<Result<_, _>>()
                .map_err(|e| wrong(&e))?,
            requested_by: row.requested_by,
            created_at: row.created_at,
            built_at: row.built_at,
        })
    }
}

fn state_from(name: &str) -> Option<ReleaseState> {
    match name {
        "queued" => Some(ReleaseState::Queued),
        "building" => Some(ReleaseState::Building),
        "built" => Some(ReleaseState::Built),
        "failed" => Some(ReleaseState::Failed),
        "cancelled" => Some(ReleaseState::Cancelled),
        "pruned" => Some(ReleaseState::Pruned),
        _ => None,
    }
}
