//! What a turn in a job's life means for releases and placements: written in the transaction of that turn, so that no
//! fact can lag behind the job it comes from.
//!
//! It moves no deployment: that is [`super::advance_deployment`], poked after the commit.

use chrono::{DateTime, Utc};
use pointsman_domain::job::{Ending, Failure, JobEnding, Purpose};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::{PlacementId, ReleaseId};
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::outcome::{Effect, JobKind, Product};
use pointsman_store::jobs::JobRow;
use pointsman_store::placements::Confirmed;
use pointsman_store::releases::{Built, ReleaseRow};
use pointsman_store::{StoreError, Transaction, garbage, jobs, placements, releases};

use super::read_migrations::{self, Found};
use super::{change_job, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// A job's epoch was granted: its release is being built, its placement is being tried.
pub async fn granted(_app: &App, tx: &mut Transaction, job: &JobRow) -> OperationResult<()> {
    match job.kind {
        JobKind::Build => releases::set_building(tx, release_of(job)?).await?,
        JobKind::Activate | JobKind::Rollback => {
            placements::set_attempted(tx, placement_of(job)?, release_of(job)?).await?;
        }
        JobKind::Install | JobKind::Migrate | JobKind::CollectGarbage => {}
    }
    Ok(())
}

/// A job ended, became indeterminate, or waits for an absent host.
pub async fn conclude(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    ending: &JobEnding,
) -> OperationResult<()> {
    let ending = match ending {
        JobEnding::Final(ending) => ending,
        // Deployments read both from the job itself.
        JobEnding::Indeterminate { .. } | JobEnding::Deferred { .. } => return Ok(()),
    };
    match job.kind {
        JobKind::Build => conclude_build(app, tx, job, ending).await,
        JobKind::Install => conclude_install(tx, job, ending).await,
        JobKind::Activate | JobKind::Rollback => conclude_switch(tx, job, ending).await,
        JobKind::Migrate => Ok(()),
        JobKind::CollectGarbage => conclude_collection(app, tx, job, ending).await,
    }?;
    match ending {
        Ending::Failed(failure) if job.purpose == Purpose::Converge => stays_behind(tx, job, failure).await,
        Ending::Succeeded { .. }
        | Ending::Failed(_)
        | Ending::Cancelled { .. }
        | Ending::Superseded { .. }
        | Ending::Abandoned { .. } => Ok(()),
    }
}

/// A host that could not be brought on stays where it is, in sight: it is not tried again by itself.
async fn stays_behind(tx: &mut Transaction, job: &JobRow, failure: &Failure) -> OperationResult<()> {
    if failure.effect == Effect::Done {
        return Ok(());
    }
    let label = release_row(tx, job).await?.label;
    let drift = format!(
        "{label} could not be brought here: {}; deploy it again",
        failure.message
    );
    Ok(placements::set_drift(tx, placement_of(job)?, Some(&drift)).await?)
}

fn release_of(job: &JobRow) -> Result<ReleaseId, StoreError> {
    job.release
        .ok_or_else(|| StoreError::inconsistent("job", job.id, "it handles no release"))
}

fn placement_of(job: &JobRow) -> Result<PlacementId, StoreError> {
    job.placement
        .ok_or_else(|| StoreError::inconsistent("job", job.id, "it has no placement"))
}

async fn release_row(tx: &mut Transaction, job: &JobRow) -> OperationResult<ReleaseRow> {
    let id = release_of(job)?;
    let row = releases::get(tx, id).await?;
    Ok(row
        .ok_or_else(|| StoreError::inconsistent("job", job.id, format!("its release {id} does not exist")))?)
}

/// The release's folder; a job that works on a placement has a built release.
fn folder_of(job: &JobRow, release: &ReleaseRow) -> Result<ReleaseFolder, StoreError> {
    let built = release.built.as_ref().map(|built| built.folder.clone());
    built.ok_or_else(|| StoreError::inconsistent("job", job.id, "its release is not built"))
}

async fn conclude_build(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    ending: &Ending,
) -> OperationResult<()> {
    let now = pointsman_store::now(tx).await?;
    let release = release_row(tx, job).await?;
    let (kind, message) = match ending {
        Ending::Succeeded {
            product:
                Product::Release {
                    manifest,
                    archive,
                    packing,
                    archive_bytes,
                    total_bytes,
                    entries,
                },
        } => {
            let built = Built {
                manifest: *manifest,
                archive: *archive,
                packing: *packing,
                archive_bytes: *archive_bytes,
                total_bytes: *total_bytes,
                entries: *entries,
                folder: ReleaseFolder::of(release.number, manifest),
            };
            finish_build(app, tx, &release, &built, now).await?
        }
        Ending::Succeeded {
            product:
                Product::Installed { .. }
                | Product::Switched { .. }
                | Product::Collected { .. }
                | Product::WorkshopCollected { .. }
                | Product::Nothing,
        } => {
            let reason = "its builder reported success without a release";
            releases::set_unbuilt(tx, release.id, false, reason).await?;
            (
                "release.failed",
                format!("release {} failed: {reason}", release.label),
            )
        }
        Ending::Failed(failure) => {
            releases::set_unbuilt(tx, release.id, false, &failure.message).await?;
            (
                "release.failed",
                format!("release {} failed: {}", release.label, failure.message),
            )
        }
        Ending::Cancelled { reason } | Ending::Superseded { reason } | Ending::Abandoned { reason } => {
            releases::set_unbuilt(tx, release.id, true, reason).await?;
            (
                "release.cancelled",
                format!("release {} is cancelled: {reason}", release.label),
            )
        }
    };
    change_job::tell(tx, job, kind, message, now).await
}

/// A release whose migrations could never run is not built.
async fn finish_build(
    app: &App,
    tx: &mut Transaction,
    release: &ReleaseRow,
    built: &Built,
    now: DateTime<Utc>,
) -> OperationResult<(&'static str, String)> {
    let (label, folder) = (&release.label, &built.folder);
    let found = read_migrations::execute(app, tx, release.id, &release.recipe, &built.manifest).await?;
    let one_way = match found {
        Found::Scripts { one_way } => one_way,
        Found::Refused(reason) => {
            releases::set_unbuilt(tx, release.id, false, &reason).await?;
            return Ok(("release.failed", format!("release {label} failed: {reason}")));
        }
    };
    releases::set_built(tx, release.id, built, now).await?;
    let warning = match one_way.as_slice() {
        [] => String::new(),
        one_way => format!("; warning: no way back from {}", one_way.join(", ")),
    };
    Ok((
        "release.built",
        format!("release {label} is built: {folder}{warning}"),
    ))
}

async fn conclude_install(tx: &mut Transaction, job: &JobRow, ending: &Ending) -> OperationResult<()> {
    let Ending::Succeeded { .. } = ending else {
        return Ok(());
    };
    let now = pointsman_store::now(tx).await?;
    let release = release_row(tx, job).await?;
    placements::note_installed(
        tx,
        placement_of(job)?,
        &folder_of(job, &release)?,
        release.id,
        now,
    )
    .await?;
    Ok(())
}

/// Whatever became of it, the host is asked what lies on it now; installs that waited for the end of this are offered.
async fn conclude_collection(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    ending: &Ending,
) -> OperationResult<()> {
    if job.placement.is_none() {
        return conclude_workshop(tx, job, ending).await;
    }
    placements::doubt(tx, placement_of(job)?).await?;
    for open in jobs::open_of_placement(tx, placement_of(job)?).await? {
        if open.kind == JobKind::Install && open.state == JobState::Queued {
            offer_job::offer_or_defer(app, tx, &open).await?;
        }
    }
    let Ending::Succeeded {
        product:
            Product::Collected {
                trashed,
                kept,
                purged,
                purged_bytes,
            },
    } = ending
    else {
        return Ok(());
    };
    // A state told between the order and the work may have named them again.
    let gone: Vec<_> = trashed.iter().map(|trashed| trashed.folder.clone()).collect();
    garbage::give_up(tx, placement_of(job)?, &gone).await?;
    let host = job.host().map_or("its host", AsRef::as_ref);
    let bytes: u64 = trashed.iter().map(|trashed| trashed.bytes).sum();
    let stays = kept.first().map_or(String::new(), |first| {
        let count = kept.len();
        format!("; {count} stay, {} because {}", first.folder, first.reason)
    });
    let message = format!(
        "{host}: {} releases set aside ({bytes} bytes), {purged} deleted for good ({purged_bytes} bytes freed){stays}",
        trashed.len()
    );
    let now = pointsman_store::now(tx).await?;
    change_job::tell(tx, job, "garbage.collected", message, now).await
}

/// What builds left behind on a builder is no fact of a placement; people are told.
async fn conclude_workshop(tx: &mut Transaction, job: &JobRow, ending: &Ending) -> OperationResult<()> {
    let Ending::Succeeded {
        product: Product::WorkshopCollected { gone, more, bytes },
    } = ending
    else {
        return Ok(());
    };
    let host = job.host().map_or("a builder", AsRef::as_ref);
    let count = gone.len() as u64 + more;
    let message = format!("{host}: {count} mirrors and build caches deleted ({bytes} bytes)");
    let now = pointsman_store::now(tx).await?;
    change_job::tell(tx, job, "garbage.collected", message, now).await
}

async fn conclude_switch(tx: &mut Transaction, job: &JobRow, ending: &Ending) -> OperationResult<()> {
    let placement = placement_of(job)?;
    match ending {
        Ending::Succeeded { .. } => confirm(tx, job, true).await,
        Ending::Failed(Failure {
            effect: Effect::Done, ..
        }) => confirm(tx, job, false).await,
        Ending::Failed(Failure {
            effect: Effect::Unknown,
            ..
        })
        | Ending::Abandoned { .. } => {
            placements::forget(tx, placement).await?;
            Ok(placements::doubt(tx, placement).await?)
        }
        // Nothing changed: the facts stay as they were.
        Ending::Failed(Failure {
            effect: Effect::None, ..
        })
        | Ending::Cancelled { .. }
        | Ending::Superseded { .. } => Ok(()),
    }
}

async fn confirm(tx: &mut Transaction, job: &JobRow, healthy: bool) -> OperationResult<()> {
    let now = pointsman_store::now(tx).await?;
    let release = release_row(tx, job).await?;
    let confirmed = Confirmed {
        placement: placement_of(job)?,
        release: release.id,
        folder: &folder_of(job, &release)?,
        generation: job
            .generation
            .ok_or_else(|| StoreError::inconsistent("job", job.id, "a switch without a generation"))?,
        healthy,
    };
    placements::confirm(tx, &confirmed, now).await?;
    let host = job.host().map_or("its host", AsRef::as_ref);
    let (kind, message) = if healthy {
        ("placement.live", format!("{} is live on {host}", release.label))
    } else {
        (
            "placement.unhealthy",
            format!("{} is live on {host} and not healthy", release.label),
        )
    };
    change_job::tell(tx, job, kind, message, now).await
}
