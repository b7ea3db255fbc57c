//! Says what a deployment would do, and keeps it under its hash; a deployment that insists on the hash is refused when it
//! would do anything else. A plan changes nothing.

mod commits;

use pointsman_domain::waves::{self, Candidate};
use pointsman_domain::{Action, Actor, Refusal, forecast, plan as planning};
use pointsman_shared::api::plans::{
    Agreed, HostNote, NewPlan, Plan, PlannedCommits, PlannedRelease, WayBack,
};
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::name::ReleaseLabel;
use pointsman_shared::wire::job::MigrationRunner;
use pointsman_store::plans::PlannedHost;
use pointsman_store::projects::ProjectRow;
use pointsman_store::releases::ReleaseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{
    PgConnection, StoreError, Transaction, deployments, good_releases, plans, releases, views,
};

use super::find_release::{self, Named};
use super::{act, judge_rollback, judge_target, pass_gates, request_deployment};
use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// Earlier deployments that a forecast is read from.
const RUNS: i64 = 20;

/// Makes a plan and keeps it.
pub async fn execute(app: &App, actor: &Actor, wish: &NewPlan) -> OperationResult<Plan> {
    actor.authorize_in(&wish.target.project, Action::Deploy, &wish.target.to_string())?;
    let (target, project) = request_deployment::target_of(app, &wish.target).await?;
    let strategy = request_deployment::strategy(&target.strategy, wish.waves.as_ref(), wish.on_failure)?;
    let id = match find_release::named(app, &project, &wish.release).await? {
        Named::Release(id) => id,
        Named::Unbuilt(commit) => return Err(unbuilt(&project, &wish.release, commit.short()).into()),
    };
    let mut conn = app.store.read().await?;
    let release = built(&mut conn, id, &project, &wish.release).await?;
    let before = plans::live(&mut conn, target.id).await?.map(|(_, live)| live);
    let described = views::releases::one(&mut conn, id).await?;
    drop(conn);
    // The repository may take its time, so it is asked outside the transaction.
    let commits = commits::change(app, &project, before.as_ref(), &release).await;
    let reference = described.map(|described| described.reference);
    let newer = commits::newer(app, &project, reference, &release.commit).await;
    let mut tx = app.store.begin().await?;
    let live = plans::live(&mut tx, target.id).await?;
    let hosts = plans::hosts(&mut tx, target.id, live.as_ref().map(|(id, _)| *id)).await?;
    let agreed = agreed(
        &mut tx,
        &target,
        &release,
        &strategy,
        &hosts,
        live.map(|(_, live)| live),
    )
    .await?;
    let mut plan = describe(&mut tx, &target, &release, agreed, &hosts, actor).await?;
    if plan.agreed.from == before {
        plan.commits = commits;
    }
    plan.newer = newer;
    plans::put(&mut tx, target.id, release.id, actor.principal, &plan).await?;
    act::commit(tx).await?;
    Ok(plan)
}

/// The plan with this hash, as it was made.
pub async fn find(conn: &mut PgConnection, hash: &Digest) -> OperationResult<Plan> {
    plans::get(conn, hash).await?.ok_or_else(|| {
        Refusal::not_found("unknown_plan", format!("there is no plan {hash}"))
            .hint("make one: pointsman plan PROJECT@ENVIRONMENT RELEASE")
            .into()
    })
}

/// A plan, and how its target stands by now.
#[derive(Debug)]
pub struct Looked {
    /// The plan; its obstacles are those of now.
    pub plan: Plan,
    /// Number of the deployment that carries it out already.
    pub under_way: Option<i64>,
    /// What is live there.
    pub live: Option<ReleaseLabel>,
}

/// Looks at a plan as it stands: what stood in the way when it was made may be gone, and other things in its place.
pub async fn look(app: &App, hash: &Digest) -> OperationResult<Looked> {
    let mut plan = find(&mut *app.store.read().await?, hash).await?;
    let (target, _) = request_deployment::target_of(app, &plan.agreed.target).await?;
    let mut tx = app.store.begin().await?;
    let under_way = deployments::carrying_out(&mut tx, target.id, &plan.hash).await?;
    plan.obstacles = match under_way {
        Some(_) => Vec::new(),
        None => obstacles_now(&mut tx, &target, &plan.agreed).await?,
    };
    let live = plans::live(&mut tx, target.id).await?;
    Ok(Looked {
        plan,
        under_way: under_way.map(|open| open.number),
        live: live.map(|(_, live)| live.label),
    })
}

async fn obstacles_now(
    tx: &mut Transaction,
    target: &TargetRow,
    agreed: &Agreed,
) -> OperationResult<Vec<String>> {
    let spec = format!("#{}", agreed.release.number);
    let release = find_release::to_look_at(tx, &agreed.target.project, &spec).await?;
    if let Err(refusal) = find_release::judge(&release) {
        return Ok(vec![told(refusal)]);
    }
    let hosts = plans::hosts(tx, target.id, None).await?;
    obstacles(tx, target, &release, &hosts).await
}

/// Refuses a deployment that would not do what the plan with this hash says.
pub(super) async fn hold_to(
    tx: &mut Transaction,
    target: &TargetRow,
    release: &ReleaseRow,
    strategy: &Strategy,
    hash: &Digest,
) -> OperationResult<()> {
    let planned = find(tx, hash).await?.agreed;
    if release.built.is_none() {
        let what = format!(
            "release {} is not built yet, and a plan is about bytes",
            release.label
        );
        return Err(Refusal::conflict("release_not_built", what).into());
    }
    let live = plans::live(tx, target.id).await?;
    let hosts = plans::hosts(tx, target.id, None).await?;
    let now = agreed(tx, target, release, strategy, &hosts, live.map(|(_, live)| live)).await?;
    Ok(planning::judge(&planned, &now)?)
}

fn unbuilt(project: &ProjectRow, spec: &str, commit: &str) -> Refusal {
    let what = format!("{spec} is commit {commit}, of which no release is built");
    Refusal::conflict("release_not_built", what).hint(format!(
        "a plan is about bytes; first: pointsman build {} --ref {spec}",
        project.name
    ))
}

async fn built(
    conn: &mut PgConnection,
    id: ReleaseId,
    project: &ProjectRow,
    spec: &str,
) -> OperationResult<ReleaseRow> {
    let row = releases::get(conn, id)
        .await?
        .ok_or_else(|| StoreError::inconsistent("release", id, "it was found and does not exist"))?;
    find_release::judge(&row)?;
    if row.built.is_none() {
        return Err(unbuilt(project, spec, row.commit.short()).into());
    }
    Ok(row)
}

/// What the hash covers.
async fn agreed(
    tx: &mut Transaction,
    target: &TargetRow,
    release: &ReleaseRow,
    strategy: &Strategy,
    hosts: &[PlannedHost],
    from: Option<PlannedRelease>,
) -> OperationResult<Agreed> {
    let built = release.built.as_ref();
    let built = built
        .ok_or_else(|| StoreError::inconsistent("release", release.id, "it is planned and not built"))?;
    Ok(Agreed {
        target: target.name.clone(),
        release: PlannedRelease {
            number: release.number,
            label: release.label.clone(),
            commit: release.commit.clone(),
            digest: built.manifest,
        },
        from,
        pre_migrations: pre_migrations(tx, target, release).await?,
        waves: in_waves(strategy, hosts),
        strategy: strategy.clone(),
    })
}

/// What a deployment would apply; a project's own tool is asked on a host, so that only it knows.
async fn pre_migrations(
    tx: &mut Transaction,
    target: &TargetRow,
    release: &ReleaseRow,
) -> OperationResult<Vec<String>> {
    let known = good_releases::missing_migrations(tx, target.id, release.id).await?;
    let own_tool = matches!(
        release.recipe.migrations.runner(MigrationPhase::Pre),
        Some(MigrationRunner::Commands { .. })
    );
    Ok(if known.is_empty() && own_tool {
        vec!["what the project's own tool lists as pending".to_owned()]
    } else {
        known
    })
}

fn in_waves(strategy: &Strategy, hosts: &[PlannedHost]) -> Vec<Vec<pointsman_shared::name::HostId>> {
    let candidates = hosts.iter().map(|host| Candidate {
        placement: host.placement,
        host: &host.host,
        seen: host.seen && host.unusable.is_none(),
    });
    let mut in_waves: Vec<Vec<_>> = Vec::new();
    for (placement, wave) in waves::freeze(strategy, candidates.collect()) {
        let wave = usize::try_from(wave).unwrap_or(1);
        in_waves.resize(in_waves.len().max(wave), Vec::new());
        let host = hosts.iter().find(|host| host.placement == placement);
        if let (Some(host), Some(members)) = (host, in_waves.get_mut(wave - 1)) {
            members.push(host.host.clone());
        }
    }
    // Who is absent comes last in a wave's order, and may change: what is agreed is who stands in which wave.
    for wave in &mut in_waves {
        wave.sort();
    }
    in_waves
}

async fn describe(
    tx: &mut Transaction,
    target: &TargetRow,
    release: &ReleaseRow,
    agreed: Agreed,
    hosts: &[PlannedHost],
    actor: &Actor,
) -> OperationResult<Plan> {
    let hash = planning::hash(&agreed).map_err(|error| OperationError::internal("hashing a plan", error))?;
    let note = |host: &PlannedHost| {
        let absent = (!host.seen)
            .then(|| "it is absent: it will be deferred, and converge when it returns".to_owned());
        let unusable = host.unusable.as_ref().map(|why| {
            format!("{why}; it will be deferred, and converge once its root can be worked in again")
        });
        let note = unusable.or_else(|| host.drift.clone()).or(absent)?;
        Some(HostNote {
            host: host.host.clone(),
            note,
        })
    };
    Ok(Plan {
        hash,
        commits: PlannedCommits::default(),
        newer: None,
        post_migrations: plans::waiting_post_migrations(tx, target.id, release.id).await?,
        notes: hosts.iter().filter_map(note).collect(),
        expected: forecast::usual(&deployments::durations(tx, target.id, RUNS).await?),
        way_back: way_back(&agreed, hosts),
        obstacles: obstacles(tx, target, release, hosts).await?,
        made_by: actor.name.clone(),
        made_at: pointsman_store::now(tx).await?,
        agreed,
    })
}

fn way_back(agreed: &Agreed, hosts: &[PlannedHost]) -> WayBack {
    let ready = hosts.iter().filter(|host| host.has_way_back).count();
    let note = match (&agreed.from, agreed.pre_migrations.as_slice()) {
        (None, _) => Some("nothing was live and healthy here before".to_owned()),
        (Some(_), []) => None,
        (Some(_), names) => Some(format!("a rollback does not revert {}", names.join(", "))),
    };
    WayBack {
        to: agreed.from.as_ref().map(|from| from.label.clone()),
        ready_on: u32::try_from(ready).unwrap_or(u32::MAX),
        note,
    }
}

/// Why, and the way round it.
fn told(refusal: Refusal) -> String {
    match refusal.hint {
        Some(hint) => format!("{}; {hint}", refusal.what),
        None => refusal.what,
    }
}

/// What a request would be refused or wait for right now.
async fn obstacles(
    tx: &mut Transaction,
    target: &TargetRow,
    release: &ReleaseRow,
    hosts: &[PlannedHost],
) -> OperationResult<Vec<String>> {
    let mut found = Vec::new();
    let mut note = |outcome: OperationResult<()>| match outcome {
        Ok(()) => Ok(()),
        Err(OperationError::Refused(refusal)) => {
            found.push(told(refusal));
            Ok(())
        }
        Err(error) => Err(error),
    };
    let kind = pointsman_domain::deployment::DeploymentKind::Deploy;
    note(judge_target::refuse_when_locked(tx, target, kind).await)?;
    note(judge_rollback::refuse_forbidden(tx, target, release).await)?;
    for refusal in pass_gates::closed(tx, target, release).await? {
        note(Err(refusal.into()))?;
    }
    if hosts.is_empty() {
        found.push(format!("{} has no host", target.name));
    }
    let open = deployments::open_of_target(tx, target.id).await?;
    if let Some(open) = open.iter().find(|open| open.started) {
        found.push(format!(
            "it would wait behind #{}, by {}",
            open.number, open.requested_by
        ));
    }
    Ok(found)
}
