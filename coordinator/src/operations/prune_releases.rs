//! Gives up releases that no target needs and no host has: their bytes leave the store, their history stays.
//!
//! Objects are named by their content, so two releases may share one; an object goes only when no release that is kept
//! has it, and never within a day of its last upload.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use pointsman_domain::Actor;
use pointsman_domain::retention::{Pressure, reason_to_keep};
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::api::garbage::{Garbage, GarbageRequest, PrunedRelease};
use pointsman_shared::api::projects::Retention;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::ProjectName;
use pointsman_store::store_garbage::{self, StoredRelease};
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, garbage, locks, projects, targets};

use super::{act, known};
use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// An object that was touched lately may be part of an upload.
const SPARED: TimeDelta = TimeDelta::days(1);

/// Prunes the releases of the chosen projects, or says which would be; a wish about one target prunes nothing, nor does
/// any under a lock or the global stop.
pub async fn execute(
    app: &App,
    actor: &Actor,
    wish: &GarbageRequest,
    on_hosts: &Garbage,
) -> OperationResult<Vec<PrunedRelease>> {
    if wish.target.is_some() {
        return Ok(Vec::new());
    }
    let mut conn = app.store.read().await?;
    let names = match &wish.project {
        Some(name) => vec![known::project(&mut conn, name).await?.name],
        None => projects::all_names(&mut conn).await?,
    };
    let now = pointsman_store::now(&mut conn).await?;
    if !wish.dry_run && locks::global_stop(&mut conn, now).await?.is_some() {
        return Ok(Vec::new());
    }
    drop(conn);
    let mut pruned = Vec::new();
    for name in names {
        pruned.extend(of_project(app, actor, &name, wish.dry_run, on_hosts).await?);
    }
    if !wish.dry_run {
        sweep_objects(app).await?;
    }
    Ok(pruned)
}

async fn of_project(
    app: &App,
    actor: &Actor,
    name: &ProjectName,
    dry_run: bool,
    on_hosts: &Garbage,
) -> OperationResult<Vec<PrunedRelease>> {
    let mut tx = app.store.begin().await?;
    let all = targets::all(&mut tx).await?;
    let own: Vec<_> = all
        .into_iter()
        .filter(|target| target.name.project == *name)
        .collect();
    // Whoever wishes a release live takes its target's lock: nobody can want one while it is given up.
    if !dry_run {
        for target in &own {
            targets::lock(&mut tx, target.id).await?;
        }
    }
    if !dry_run && is_held(&mut tx, &own).await? {
        return Ok(Vec::new());
    }
    let needed = needed(&mut tx, &own, name).await?;
    let mut pruned = Vec::new();
    for release in store_garbage::unplaced(&mut tx, name).await? {
        // What goes from its last host only now is given up by the next run.
        let lies = on_hosts
            .items
            .iter()
            .any(|item| item.release.as_ref() == Some(&release.label) && !dry_run);
        if needed.contains(&release.candidate.id) || lies {
            continue;
        }
        if !dry_run {
            store_garbage::prune(&mut tx, release.candidate.id).await?;
        }
        pruned.push(PrunedRelease {
            project: name.clone(),
            release: release.label,
            bytes: release.archive_bytes,
        });
    }
    if !dry_run && !pruned.is_empty() {
        let detail = serde_json::json!({ "releases": pruned });
        act::done(app, &mut tx, actor, "release.prune", name.as_str(), detail).await?;
    }
    act::commit(tx).await?;
    Ok(pruned)
}

/// Whether a lock or the global stop holds for one of them: what is given up under it could not be taken back.
async fn is_held(tx: &mut Transaction, own: &[TargetRow]) -> OperationResult<bool> {
    let now = pointsman_store::now(tx).await?;
    for target in own {
        if locks::held_lock(tx, target.id, now).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What any target of the project needs, and the newest releases whether they were live or not.
async fn needed(
    tx: &mut Transaction,
    own: &[TargetRow],
    project: &ProjectName,
) -> OperationResult<BTreeSet<ReleaseId>> {
    let now = pointsman_store::now(tx).await?;
    let stored = store_garbage::built(tx, project).await?;
    let keep = own
        .iter()
        .map(|target| target.retention.keep)
        .max()
        .unwrap_or_else(|| Retention::default().keep);
    let newest = stored.iter().take(usize::try_from(keep).unwrap_or(usize::MAX));
    let mut needed: BTreeSet<_> = newest.map(|release| release.candidate.id).collect();
    let no_target = Retention::default();
    let alone = [(pointsman_domain::retention::Needs::default(), no_target)];
    let mut all = Vec::new();
    for target in own {
        let live = targets::get(tx, target.id)
            .await?
            .and_then(|target| target.desired);
        all.push((
            garbage::needs(tx, target.id, live).await?,
            target.retention.clone(),
        ));
    }
    for StoredRelease { candidate, .. } in &stored {
        let by_any = all
            .iter()
            .chain(&alone)
            .any(|(needs, policy)| reason_to_keep(candidate, needs, policy, Pressure::Normal, now).is_some());
        if by_any {
            needed.insert(candidate.id);
        }
    }
    Ok(needed)
}

/// Deletes objects that no kept release names. First nobody counts on them any more; then each is deleted under its
/// row's lock, which keeps an upload of the same bytes out. Whoever dies in between leaves an object that is uploaded
/// anew when it is wanted.
async fn sweep_objects(app: &App) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let before = pointsman_store::now(&mut tx).await? - SPARED;
    store_garbage::disown(&mut tx, before).await?;
    act::commit(tx).await?;
    let mut tx = app.store.begin().await?;
    for object in store_garbage::lock_disowned(&mut tx, before).await? {
        let Some(kind) = ObjectKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == object.kind)
        else {
            continue;
        };
        app.objects
            .delete(kind, &object.digest)
            .await
            .map_err(|error| OperationError::internal("deleting an object", error))?;
        store_garbage::forget_object(&mut tx, &object).await?;
    }
    act::commit(tx).await
}
