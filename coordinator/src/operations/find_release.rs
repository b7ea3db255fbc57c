//! Finds the release of a project that a wish names, asking the repository only where nothing known here has the name.

use pointsman_domain::Refusal;
use pointsman_domain::release::{self, Candidate, Found};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::ProjectName;
use pointsman_shared::repository::CommitId;
use pointsman_store::projects::ProjectRow;
use pointsman_store::releases::{self, ReleaseRow};
use pointsman_store::{PgConnection, StoreError, Transaction};

use crate::app::App;
use crate::error::OperationResult;
use crate::mirrors;

/// What a person meant by the name of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// This release.
    Release(ReleaseId),
    /// A commit of which no release can go live.
    Unbuilt(CommitId),
}

/// The release that `spec` names. A number, a label or a commit of a known release is answered without the repository,
/// so that a built release can go live while the repository cannot be reached.
pub async fn named(app: &App, project: &ProjectRow, spec: &str) -> OperationResult<Named> {
    let candidates = releases::candidates(&mut *app.store.read().await?, project.id).await?;
    if let Some(Found::Release(id)) = release::resolve(spec, &candidates, &[])? {
        return Ok(Named::Release(id));
    }
    let (meanings, near) = mirrors::meanings(app, project, spec).await?;
    match release::resolve(spec, &candidates, &meanings)? {
        Some(Found::Release(id)) => Ok(Named::Release(id)),
        Some(Found::Commit(commit)) => Ok(Named::Unbuilt(commit)),
        None => Err(release::unknown(spec, &candidates, &near).into()),
    }
}

/// The release that `spec` names among those of the project, never asking the repository.
pub async fn known(app: &App, project: &ProjectRow, spec: &str) -> OperationResult<ReleaseId> {
    let candidates = releases::candidates(&mut *app.store.read().await?, project.id).await?;
    match release::resolve(spec, &candidates, &[])? {
        Some(Found::Release(id)) => Ok(id),
        Some(Found::Commit(_)) | None => Err(release::unknown(spec, &candidates, &[]).into()),
    }
}

/// The release of a project that `spec` names: any that can be looked at, also one that can never go live.
pub async fn to_look_at(
    conn: &mut PgConnection,
    project: &ProjectName,
    spec: &str,
) -> OperationResult<ReleaseRow> {
    let project = super::known::project(conn, project).await?;
    let candidates = releases::candidates(conn, project.id).await?;
    let commit = match release::resolve(spec, &candidates, &[])? {
        Some(Found::Release(id)) => return got(conn, id).await,
        Some(Found::Commit(commit)) => Some(commit),
        None => None,
    };
    // The newest that bears the name.
    let is = |candidate: &&Candidate| match &commit {
        Some(commit) => candidate.commit == *commit,
        None => candidate.number.to_string() == spec || candidate.label.as_str() == spec,
    };
    match candidates.iter().find(is) {
        Some(candidate) => got(conn, candidate.id).await,
        None => Err(release::unknown(spec, &candidates, &[]).into()),
    }
}

async fn got(conn: &mut PgConnection, id: ReleaseId) -> OperationResult<ReleaseRow> {
    let release = releases::get(conn, id).await?;
    Ok(release.ok_or_else(|| StoreError::inconsistent("release", id, "it was found and does not exist"))?)
}

/// A transaction in which something is said of the release that `spec` names among those of the project, and both.
pub async fn to_speak_of(
    app: &App,
    project: &ProjectName,
    spec: &str,
) -> OperationResult<(Transaction, ProjectRow, ReleaseRow)> {
    let project = super::known::project(&mut *app.store.read().await?, project).await?;
    let id = known(app, &project, spec).await?;
    let mut tx = app.store.begin().await?;
    let release = got(&mut tx, id).await?;
    Ok((tx, project, release))
}

/// Refuses a release that can never go live.
pub fn judge(release: &ReleaseRow) -> Result<(), Refusal> {
    let (label, number) = (&release.label, release.number);
    match release.state {
        ReleaseState::Queued | ReleaseState::Building | ReleaseState::Built => Ok(()),
        ReleaseState::Failed => {
            let why = release.failure.as_deref().unwrap_or("its build failed");
            Err(Refusal::conflict(
                "release_failed",
                format!("release {label} (#{number}) was not built: {why}"),
            )
            .hint("build it again"))
        }
        ReleaseState::Cancelled => {
            let what = format!("the build of release {label} (#{number}) was cancelled");
            Err(Refusal::conflict("release_cancelled", what).hint("build it again"))
        }
        ReleaseState::Pruned => {
            let what = format!("release {label} (#{number}) was collected: its bytes are gone");
            Err(Refusal::conflict("release_pruned", what).hint("build it again: it gets a new number"))
        }
    }
}
