//! Decides what no longer has to lie on hosts, and orders it away: each target in one transaction under its lock, which
//! every new wish takes as well. A dry run decides the same and orders nothing.
//!
//! Builders are ordered to collect what builds left behind ([`super::collect_workshops`]).
//!
//! Two steps: releases go to the host's trash, and are deleted there a day later. A folder that nobody here made is
//! shown and never touched.

use chrono::{DateTime, Utc};
use pointsman_domain::job::Purpose;
use pointsman_domain::retention::{Needs, Pressure, reason_to_keep};
use pointsman_domain::{Action, Actor, reason};
use pointsman_shared::api::garbage::{Garbage, GarbageItem, GarbageRequest, LeftAlone};
use pointsman_shared::name::{ProjectName, ReleaseFolder};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::TraceParent;
use pointsman_store::garbage::{self, Lying};
use pointsman_store::placements::PlacementRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, hosts, jobs, locks, placements, targets};

use super::{act, collect_workshops, known, offer_job, order_collection, prune_releases};
use crate::app::App;
use crate::error::OperationResult;

/// Folders that one job names at most: its result must fit a message.
pub const AT_ONCE: usize = 100;

/// Collects, or says what would be collected.
pub async fn execute(app: &App, actor: &Actor, wish: &GarbageRequest) -> OperationResult<Garbage> {
    let object = object(wish);
    let found = act::audited(app, actor, "garbage.collect", &object, async {
        let action = if wish.dry_run {
            Action::Read
        } else {
            Action::Configure
        };
        known::authorize(actor, about(wish), action, &object)?;
        reason::judge("reason", wish.reason.as_deref())?;
        go_through(app, actor, wish).await
    })
    .await?;
    if !wish.dry_run {
        app.bells.ring();
    }
    Ok(found)
}

/// What a collection would take now, for a page: the same decision, and nothing is locked, written or rung for.
pub async fn look(app: &App, actor: &Actor, project: Option<ProjectName>) -> OperationResult<Garbage> {
    let wish = GarbageRequest {
        project,
        dry_run: true,
        ..GarbageRequest::default()
    };
    known::authorize(actor, about(&wish), Action::Read, &object(&wish))?;
    go_through(app, actor, &wish).await
}

/// Looks at what builders took last, and at nothing else.
pub async fn look_at_builders(app: &App, actor: &Actor) -> OperationResult<Garbage> {
    let wish = GarbageRequest {
        dry_run: true,
        ..GarbageRequest::default()
    };
    actor.authorize(Action::Read, &object(&wish))?;
    Ok(Garbage {
        dry_run: true,
        builders: collect_workshops::execute(app, actor, &wish).await?,
        ..Garbage::default()
    })
}

async fn go_through(app: &App, actor: &Actor, wish: &GarbageRequest) -> OperationResult<Garbage> {
    let mut found = Garbage {
        dry_run: wish.dry_run,
        ..Garbage::default()
    };
    for target in chosen(app, wish).await? {
        let mut tx = app.store.begin().await?;
        if !wish.dry_run {
            targets::lock(&mut tx, target.id).await?;
        }
        let before = found.jobs.len();
        let wanted = Wanted {
            dry_run: wish.dry_run,
            trace: actor.trace.as_ref(),
        };
        collect(app, &mut tx, &target, wanted, &mut found).await?;
        if let Some(jobs) = found.jobs.get(before..).filter(|jobs| !jobs.is_empty()) {
            let detail = serde_json::json!({ "jobs": jobs, "reason": wish.reason });
            let name = target.name.to_string();
            act::done(app, &mut tx, actor, "garbage.collect", &name, detail).await?;
        }
        act::commit(tx).await?;
    }
    found.pruned = prune_releases::execute(app, actor, wish, &found).await?;
    found.builders = collect_workshops::execute(app, actor, wish).await?;
    Ok(found)
}

/// The project that a wish is about; none = all of them.
fn about(wish: &GarbageRequest) -> Option<&ProjectName> {
    let of_target = wish.target.as_ref().map(|target| &target.project);
    of_target.or(wish.project.as_ref())
}

fn object(wish: &GarbageRequest) -> String {
    match (&wish.target, &wish.project) {
        (Some(target), _) => target.to_string(),
        (None, Some(project)) => project.to_string(),
        (None, None) => "everything".to_owned(),
    }
}

async fn chosen(app: &App, wish: &GarbageRequest) -> OperationResult<Vec<TargetRow>> {
    let mut conn = app.store.read().await?;
    if let Some(name) = &wish.target {
        return Ok(vec![known::target(&mut conn, name).await?]);
    }
    if let Some(name) = &wish.project {
        known::project(&mut conn, name).await?;
    }
    let all = targets::all(&mut conn).await?;
    let wanted = |target: &TargetRow| {
        wish.project
            .as_ref()
            .is_none_or(|project| target.name.project == *project)
    };
    Ok(all.into_iter().filter(wanted).collect())
}

/// What is wanted of each target.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    dry_run: bool,
    trace: Option<&'a TraceParent>,
}

async fn collect(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
    wanted: Wanted<'_>,
    found: &mut Garbage,
) -> OperationResult<()> {
    // Read again under the lock.
    let desired = targets::get(tx, target.id)
        .await?
        .and_then(|target| target.desired);
    let needs = garbage::needs(tx, target.id, desired).await?;
    for placement in placements::of_target(tx, target.id).await? {
        let pressure = pressure(app, tx, &placement).await?;
        let lying = garbage::on_placement(tx, placement.id).await?;
        let now = pointsman_store::now(tx).await?;
        let items = judge(target, &placement, lying, &needs, pressure, now);
        let going: Vec<_> = items
            .iter()
            .filter(|item| item.goes())
            .map(|item| item.folder.clone())
            .take(AT_ONCE)
            .collect();
        found.items.extend(items);
        if wanted.dry_run {
            continue;
        }
        match order(app, tx, target, &placement, &going, wanted.trace).await? {
            Ok(number) => found.jobs.push(number),
            Err(reason) => found.left.push(LeftAlone {
                target: target.name.clone(),
                host: placement.host.clone(),
                reason,
            }),
        }
    }
    Ok(())
}

/// What the host last said of its disk.
async fn pressure(app: &App, tx: &mut Transaction, placement: &PlacementRow) -> OperationResult<Pressure> {
    let free = garbage::free_bytes(tx, &placement.host).await?;
    let low = free.is_some_and(|free| free < app.config.garbage.disk_low_bytes);
    Ok(if low { Pressure::DiskLow } else { Pressure::Normal })
}

fn judge(
    target: &TargetRow,
    placement: &PlacementRow,
    lying: Vec<Lying>,
    needs: &Needs,
    pressure: Pressure,
    now: DateTime<Utc>,
) -> Vec<GarbageItem> {
    let item = |lying: Lying| {
        let (label, bytes, stays) = match lying.release {
            None => {
                let words = "not made by this coordinator, so it is never touched";
                (None, 0, Some(words.to_owned()))
            }
            Some(release) => {
                let reason = reason_to_keep(&release.candidate, needs, &target.retention, pressure, now);
                let stays = if placement.current.as_ref() == Some(&lying.folder) {
                    Some("live on this host".to_owned())
                } else {
                    reason.map(|reason| reason.words())
                };
                (Some(release.label), release.bytes, stays)
            }
        };
        GarbageItem {
            target: target.name.clone(),
            host: placement.host.clone(),
            folder: lying.folder,
            release: label,
            bytes,
            stays,
        }
    };
    lying.into_iter().map(item).collect()
}

/// Orders a collection, also one of nothing: old trash goes with it. The error says why the placement is left alone.
async fn order(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
    placement: &PlacementRow,
    going: &[ReleaseFolder],
    trace: Option<&TraceParent>,
) -> OperationResult<Result<i64, String>> {
    let now = pointsman_store::now(tx).await?;
    if let Some(lock) = locks::held_lock(tx, target.id, now).await? {
        let what = if lock.global {
            "everything is stopped"
        } else {
            "it is locked"
        };
        return Ok(Err(format!("{what} by {}: {}", lock.owner, lock.reason)));
    }
    let Some(fence) = placement.fence else {
        return Ok(Err("its host has not told its state yet".to_owned()));
    };
    let open = jobs::open_of_placement(tx, placement.id).await?;
    if let Some(open) = open.iter().find(|job| job.kind != JobKind::Migrate) {
        return Ok(Err(format!(
            "job #{} works there; the next run looks again",
            open.number
        )));
    }
    let takes_it = hosts::get(tx, &placement.host)
        .await?
        .is_some_and(|host| host.kinds.contains(&JobKind::CollectGarbage));
    if !takes_it {
        return Ok(Err("its host takes no collections".to_owned()));
    }
    let wish = order_collection::Collection {
        target,
        placement,
        purpose: Purpose::Collect,
        fence,
        folders: going,
        trace,
    };
    let job = order_collection::insert(app, tx, &wish).await?;
    garbage::give_up(tx, placement.id, going).await?;
    offer_job::offer_or_defer(app, tx, &job).await?;
    Ok(Ok(job.number))
}
