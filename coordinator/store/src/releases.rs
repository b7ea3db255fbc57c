//! Releases: numbered, immutable builds. A change of state names the states it may come from.

mod change;

pub use change::{insert, set_building, set_built, set_unbuilt};

use chrono::{DateTime, Utc};
use pointsman_domain::recipe::Recipe;
use pointsman_domain::release::Candidate;
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{PrincipalId, ProjectId, ReleaseId};
use pointsman_shared::name::{ReleaseFolder, ReleaseLabel};
use pointsman_shared::repository::CommitId;
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// A release as it stands.
#[derive(Debug, Clone)]
pub struct ReleaseRow {
    /// Its id.
    pub id: ReleaseId,
    /// Its project.
    pub project: ProjectId,
    /// Its number in the project.
    pub number: u32,
    /// What people call it.
    pub label: ReleaseLabel,
    /// The pinned commit.
    pub commit: CommitId,
    /// How far it is.
    pub state: ReleaseState,
    /// SHA-256 of its frozen recipe; none = it has no recipe.
    pub recipe_digest: Option<Digest>,
    /// The document that its recipe is; none = it comes from the repository.
    pub recipe_document: Option<RecipeDocument>,
    /// Its frozen recipe.
    pub recipe: Recipe,
    /// What its build made.
    pub built: Option<Built>,
    /// Why its build failed.
    pub failure: Option<String>,
}

/// A revision of a recipe that the coordinator keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecipeDocument {
    /// Id of the document.
    pub id: uuid::Uuid,
    /// Its revision.
    pub revision: u32,
}

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The release digest.
    pub manifest: Digest,
    /// Digest of the archive.
    pub archive: Digest,
    /// Digest of packing.json.
    pub packing: Digest,
    /// Size of the archive in bytes.
    pub archive_bytes: u64,
    /// Sum of file sizes in bytes.
    pub total_bytes: u64,
    /// Number of manifest entries.
    pub entries: u64,
    /// Its folder on hosts.
    pub folder: ReleaseFolder,
}

/// A release to insert.
#[derive(Debug, Clone)]
pub struct NewRelease<'a> {
    /// Its id.
    pub id: ReleaseId,
    /// Its project.
    pub project: ProjectId,
    /// Its number.
    pub number: u32,
    /// Its label.
    pub label: &'a ReleaseLabel,
    /// The ref that was asked for.
    pub reference: &'a str,
    /// The repository it comes from.
    pub repository: &'a str,
    /// The folder of it that is the project.
    pub subdirectory: Option<&'a str>,
    /// The pinned commit.
    pub commit: &'a CommitId,
    /// First line of the commit's message.
    pub subject: &'a str,
    /// Author of the commit.
    pub author: &'a str,
    /// When the commit was made, as far as its clock can be believed.
    pub committed_at: Option<DateTime<Utc>>,
    /// The installation that makes it.
    pub origin: &'a str,
    /// The recipe's bytes; none = no recipe.
    pub recipe_body: Option<&'a str>,
    /// The document that it is; none = it comes from the repository.
    pub recipe_document: Option<uuid::Uuid>,
    /// The recipe, judged.
    pub recipe: &'a Recipe,
    /// Who asked for it.
    pub by: PrincipalId,
    /// When.
    pub at: DateTime<Utc>,
}

struct Columns {
    id: uuid::Uuid,
    project_id: uuid::Uuid,
    number: i32,
    label: String,
    commit_id: String,
    state: String,
    recipe_digest: Option<Vec<u8>>,
    recipe_document_id: Option<uuid::Uuid>,
    recipe_revision: Option<i32>,
    recipe: serde_json::Value,
    manifest_digest: Option<Vec<u8>>,
    archive_digest: Option<Vec<u8>>,
    packing_digest: Option<Vec<u8>>,
    archive_bytes: Option<i64>,
    total_bytes: Option<i64>,
    entries: Option<i64>,
    folder: Option<String>,
    failure: Option<String>,
}

/// The state a text of the database names.
pub(crate) fn state_named(text: &str) -> Option<ReleaseState> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

impl TryFrom<Columns> for ReleaseRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let id = row.id;
        let wrong = |what: &dyn ToString| StoreError::inconsistent("release", id, what.to_string());
        let digest = |bytes: Option<Vec<u8>>| -> StoreResult<Option<Digest>> {
            let bytes = bytes.map(<[u8; 32]>::try_from).transpose();
            Ok(bytes
                .map_err(|_| wrong(&"a digest has not 32 bytes"))?
                .map(Digest::from_bytes))
        };
        let size = |value: Option<i64>| {
            value
                .and_then(|value| u64::try_from(value).ok())
                .unwrap_or_default()
        };
        let digests = (
            digest(row.manifest_digest)?,
            digest(row.archive_digest)?,
            digest(row.packing_digest)?,
        );
        let built = match (digests, row.folder) {
            ((Some(manifest), Some(archive), Some(packing)), Some(folder)) => Some(Built {
                manifest,
                archive,
                packing,
                archive_bytes: size(row.archive_bytes),
                total_bytes: size(row.total_bytes),
                entries: size(row.entries),
                folder: folder.parse().map_err(|e| wrong(&e))?,
            }),
            _ => None,
        };
        Ok(Self {
            id: ReleaseId(row.id),
            project: ProjectId(row.project_id),
            number: u32::try_from(row.number).map_err(|e| wrong(&e))?,
            label: row.label.parse().map_err(|e| wrong(&e))?,
            commit: row.commit_id.parse().map_err(|e| wrong(&e))?,
            state: state_named(&row.state).ok_or_else(|| wrong(&format!("unknown state {}", row.state)))?,
            recipe_digest: digest(row.recipe_digest)?,
            recipe_document: row
                .recipe_document_id
                .zip(row.recipe_revision)
                .map(|(id, revision)| RecipeDocument {
                    id,
                    revision: u32::try_from(revision).unwrap_or_default(),
                }),
            recipe: serde_json::from_value(row.recipe).map_err(|e| wrong(&e))?,
            built,
            failure: row.failure,
        })
    }
}

/// The release with this id.
pub async fn get(conn: &mut PgConnection, id: ReleaseId) -> StoreResult<Option<ReleaseRow>> {
    let row = sqlx::query_as!(
        Columns,
        "SELECT id, project_id, number, label, commit_id, state, recipe_digest, recipe_document_id,
                (SELECT revision FROM document WHERE document.id = recipe_document_id) AS recipe_revision,
                recipe, manifest_digest,
                archive_digest, packing_digest, archive_bytes, total_bytes, entries, folder, failure
         FROM release WHERE id = $1",
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(ReleaseRow::try_from).transpose()
}

/// The release of a project with this number.
pub async fn numbered(
    conn: &mut PgConnection,
    project: ProjectId,
    number: u32,
) -> StoreResult<Option<ReleaseRow>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM release WHERE project_id = $1 AND number = $2",
        project.0,
        i32::try_from(number).unwrap_or(i32::MAX),
    )
    .fetch_optional(&mut *conn)
    .await?;
    match id {
        Some(id) => get(conn, ReleaseId(id)).await,
        None => Ok(None),
    }
}

/// Every release of a project by name and commit, newest first, for naming one.
pub async fn candidates(conn: &mut PgConnection, project: ProjectId) -> StoreResult<Vec<Candidate>> {
    let rows = sqlx::query!(
        "SELECT id, number, label, commit_id, state FROM release WHERE project_id = $1 ORDER BY number DESC",
        project.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |what: &dyn ToString| StoreError::inconsistent("release", row.id, what.to_string());
            Ok(Candidate {
                id: ReleaseId(row.id),
                number: u32::try_from(row.number).map_err(|e| wrong(&e))?,
                label: row.label.parse().map_err(|e| wrong(&e))?,
                commit: row.commit_id.parse().map_err(|e| wrong(&e))?,
                state: state_named(&row.state)
                    .ok_or_else(|| wrong(&format!("unknown state {}", row.state)))?,
            })
        })
        .collect()
}

/// Labels of a project that are taken and are one of `bases` or a rebuild of one (`1.9.1+2`).
pub async fn taken_labels(
    conn: &mut PgConnection,
    project: ProjectId,
    bases: &[String],
) -> StoreResult<Vec<ReleaseLabel>> {
    let rows = sqlx::query!(
        "SELECT id, label FROM release
         WHERE project_id = $1 AND state NOT IN ('failed', 'cancelled')
           AND EXISTS (SELECT 1 FROM unnest($2::text[]) AS base WHERE label = base OR starts_with(label, base || '+'))",
        project.0,
        bases,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            row.label
                .parse()
                .map_err(|error| StoreError::inconsistent("release", row.id, error))
        })
        .collect()
}

/// A release of this commit and recipe that is built, or on its way, newest first.
pub async fn find_same(
    conn: &mut PgConnection,
    project: ProjectId,
    commit: &CommitId,
    recipe: Option<&Digest>,
) -> StoreResult<Option<ReleaseId>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM release
         WHERE project_id = $1 AND commit_id = $2 AND state IN ('built', 'queued', 'building')
           AND recipe_digest IS NOT DISTINCT FROM $3
         ORDER BY state = 'built' DESC, number DESC LIMIT 1",
        project.0,
        commit.as_str(),
        recipe.map(|digest| digest.as_bytes().as_slice()),
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(ReleaseId))
}
