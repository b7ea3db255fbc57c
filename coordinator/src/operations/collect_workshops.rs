//! Orders builders to collect mirrors and build caches: one job for each, of a project that it builds. How long what stays
//! is the builder's own word, because it knows its disk, and so is what a running build uses; the coordinator says when,
//! and shows what the newest collection took.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use pointsman_domain::job::Purpose;
use pointsman_domain::{Action, Actor, ActorKind};
use pointsman_shared::api::garbage::{BuilderGarbage, GarbageRequest, WorkshopCollection};
use pointsman_shared::ids::{JobId, StreamId};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::{JobKind, Outcome, Product};
use pointsman_shared::wire::job::{Audience, JobBody, Order, WorkshopOrder};
use pointsman_store::hosts::HostRow;
use pointsman_store::projects::ProjectRow;
use pointsman_store::{PgConnection, Transaction, hosts, jobs, projects, workshop_collections};

use super::{act, known, offer_job};
use crate::app::App;
use crate::error::OperationResult;

/// Grants that a collection may have.
const EPOCHS: u32 = 3;
/// Schedules of several projects come to the same builder; one collection a night is enough.
const OFTEN: TimeDelta = TimeDelta::hours(12);

/// Orders collections, or tells of the newest ones. A wish for one target is none for builders.
pub async fn execute(
    app: &App,
    actor: &Actor,
    wish: &GarbageRequest,
) -> OperationResult<Vec<BuilderGarbage>> {
    let mut found = Vec::new();
    if wish.target.is_some() {
        return Ok(found);
    }
    for (host, project) in builders(app, wish).await? {
        let mut tx = app.store.begin().await?;
        let last = newest(&mut tx, &host).await?;
        let mut builder = BuilderGarbage {
            host,
            job: None,
            left: None,
            last,
        };
        if !wish.dry_run {
            // A builder's caches are of every project that it builds.
            if actor.authorize(Action::Configure, builder.host.as_str()).is_err() {
                builder.left =
                    Some("it builds other projects too; their maintainers collect there".to_owned());
            } else {
                match order(app, &mut tx, actor, &project, &builder).await? {
                    Ok(number) => builder.job = Some(number),
                    Err(reason) => builder.left = Some(reason),
                }
            }
        }
        act::commit(tx).await?;
        found.push(builder);
    }
    Ok(found)
}

/// The builders of the chosen projects, each with one that it builds.
async fn builders(app: &App, wish: &GarbageRequest) -> OperationResult<BTreeMap<HostId, ProjectRow>> {
    let mut conn = app.store.read().await?;
    let chosen = match &wish.project {
        Some(name) => vec![known::project(&mut conn, name).await?],
        None => projects::one_per_pool(&mut conn).await?,
    };
    let mut builders = BTreeMap::new();
    for project in chosen {
        for host in hosts::of_pool(&mut conn, &project.pool).await? {
            builders.entry(host.id).or_insert_with(|| project.clone());
        }
    }
    Ok(builders)
}

async fn newest(conn: &mut PgConnection, host: &HostId) -> OperationResult<Option<WorkshopCollection>> {
    let Some(ended) = workshop_collections::newest(conn, host).await? else {
        return Ok(None);
    };
    let Outcome::Succeeded {
        product: Product::WorkshopCollected { gone, more, bytes },
    } = ended.outcome
    else {
        return Ok(None);
    };
    Ok(Some(WorkshopCollection {
        job: ended.number,
        at: ended.at,
        gone,
        more,
        bytes,
    }))
}

/// Number of the job that collects; the error says why none does.
async fn order(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    project: &ProjectRow,
    builder: &BuilderGarbage,
) -> OperationResult<Result<i64, String>> {
    let host = &builder.host;
    // Two wishes at once wait for each other here.
    let row = hosts::lock(tx, host).await?;
    if let Some(number) = workshop_collections::open(tx, host).await? {
        return Ok(Ok(number));
    }
    if !row.as_ref().is_some_and(takes_it) {
        return Ok(Err("it takes no collections".to_owned()));
    }
    let now = pointsman_store::now(tx).await?;
    let fresh = |last: &WorkshopCollection| actor.kind == ActorKind::Schedule && last.at + OFTEN > now;
    if let Some(last) = builder.last.as_ref().filter(|last| fresh(last)) {
        return Ok(Err(format!("job #{} collected there lately", last.job)));
    }
    let order = Order::CollectWorkshop(Box::new(WorkshopOrder {
        log_stream: StreamId(app.ids.next()),
    }));
    let body = JobBody {
        v: order.version(),
        job: JobId(app.ids.next()),
        number: jobs::reserve_number(tx).await?,
        installation: app.config.installation.name.clone(),
        audience: Audience::Host(host.clone()),
        project: project.name.clone(),
        project_id: project.id,
        environment: None,
        target_id: None,
        deployment: None,
        inputs: Vec::new(),
        order,
    };
    let new = jobs::NewJob {
        body: &body,
        purpose: Purpose::Collect,
        max_epochs: EPOCHS,
        trace: actor.trace.as_ref(),
        at: now,
    };
    let job = jobs::insert(tx, &new).await?;
    offer_job::offer_or_defer(app, tx, &job).await?;
    let detail = serde_json::json!({ "jobs": [job.number] });
    act::done(app, tx, actor, "garbage.collect", host.as_str(), detail).await?;
    Ok(Ok(job.number))
}

fn takes_it(host: &HostRow) -> bool {
    [JobKind::Build, JobKind::CollectGarbage]
        .iter()
        .all(|kind| host.kinds.contains(kind))
}
