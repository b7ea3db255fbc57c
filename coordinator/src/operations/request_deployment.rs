//! Asks to have a release live in a target: the wish is judged, written and started at once when nothing is open there;
//! else it waits, and says behind what. A newer wish takes the place of one that waits, and ends one that holds.

use pointsman_domain::deployment::DeploymentKind;
use pointsman_domain::timing::Timing;
use pointsman_domain::{Action, Actor, Refusal, RefusalKind, reason, waves};
use pointsman_shared::api::deployments::NewDeployment;
use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::ids::{DeploymentId, ReleaseId};
use pointsman_shared::name::TargetName;
use pointsman_shared::repository::{GitRef, InvalidRepository};
use pointsman_store::projects::ProjectRow;
use pointsman_store::push_pauses::PauseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, Transaction, deployments, push_pauses, releases, targets};

use super::find_release::{self, Named};
use super::{
    act, advance_deployment, end_deployment, judge_rollback, judge_target, known, make_plan, make_way,
    pass_gates, request_build, tell_deployment,
};
use crate::app::App;
use crate::error::OperationResult;
use crate::mirrors::{self, Asked, Source};

/// Asks for a deployment; returns its number.
pub async fn execute(app: &App, actor: &Actor, wish: &NewDeployment) -> OperationResult<i64> {
    let object = wish.target.to_string();
    let (number, target) = act::audited(app, actor, "deployment.request", &object, async {
        actor.authorize_in(&wish.target.project, Action::Deploy, &object)?;
        reason::judge("reason", wish.reason.as_deref())?;
        let (target, project) = target_of(app, &wish.target).await?;
        let strategy = strategy(&target.strategy, wish.waves.as_ref(), wish.on_failure)?;
        let wanted = wanted(app, &project, wish).await?;
        let mut tx = app.store.begin().await?;
        let number = request(app, &mut tx, actor, &target, &project, wish, &strategy, wanted).await?;
        act::commit(tx).await?;
        Ok((number, target))
    })
    .await?;
    begin(app, &target).await;
    Ok(number)
}

/// Asks for what a push brought to a target that follows it; returns the number of the deployment. Refused for now when
/// something changed since it was judged with these pauses.
pub(super) async fn follow(
    app: &App,
    actor: &Actor,
    target: &TargetRow,
    project: &ProjectRow,
    wish: &NewDeployment,
    (source, pauses): (&Source, &[PauseRow]),
) -> OperationResult<i64> {
    let object = wish.target.to_string();
    let number = act::audited(app, actor, "deployment.request", &object, async {
        actor.authorize_in(&wish.target.project, Action::Deploy, &object)?;
        let wanted = Wanted::Build(Box::new(source.clone()));
        let mut tx = app.store.begin().await?;
        targets::lock(&mut tx, target.id).await?;
        let same = push_pauses::of_target(&mut tx, target.id).await? == *pauses;
        let there = push_pauses::on_its_way(&mut tx, target.id, &source.commit).await?;
        if !same || there.is_some() {
            let what = format!("{} changed while a push was looked at", target.name);
            return Err(Refusal::new(RefusalKind::Unavailable, "target_changed", what).into());
        }
        let strategy = &target.strategy;
        let number = request(app, &mut tx, actor, target, project, wish, strategy, wanted).await?;
        act::commit(tx).await?;
        Ok(number)
    })
    .await?;
    begin(app, target).await;
    Ok(number)
}

/// The target of this name, and its project.
pub(super) async fn target_of(app: &App, name: &TargetName) -> OperationResult<(TargetRow, ProjectRow)> {
    let mut conn = app.store.read().await?;
    Ok((
        known::target(&mut conn, name).await?,
        known::project(&mut conn, &name.project).await?,
    ))
}

/// Looks at the target at once, so that the answer shows what the wish came to. Should that fail, the reconciler looks.
pub(super) async fn begin(app: &App, target: &TargetRow) {
    if let Err(error) = advance_deployment::advance_target(app, target.id).await {
        tracing::warn!(target = %target.name, error = &error as &dyn std::error::Error, "a new wish is left to the reconciler");
    }
    app.bells.reconcile.notify_one();
    app.bells.relay.notify_one();
    app.bells.events.notify_one();
}

/// The target's strategy with what a wish says otherwise for this once.
pub(super) fn strategy(
    of_target: &Strategy,
    waves: Option<&Vec<String>>,
    on_failure: Option<OnFailure>,
) -> Result<Strategy, Refusal> {
    let mut strategy = of_target.clone();
    if let Some(waves) = waves {
        strategy.waves.clone_from(waves);
    }
    if let Some(on_failure) = on_failure {
        strategy.on_failure = on_failure;
    }
    waves::parse(&strategy.waves)?;
    Ok(strategy)
}

/// The release a wish is about: there already, or to be built from this source.
enum Wanted {
    Release(ReleaseId),
    Build(Box<Source>),
}

async fn wanted(app: &App, project: &ProjectRow, wish: &NewDeployment) -> OperationResult<Wanted> {
    let spec = wish.release.as_str();
    let commit = match find_release::named(app, project, spec).await? {
        Named::Release(id) => return Ok(Wanted::Release(id)),
        Named::Unbuilt(commit) => commit,
    };
    if !wish.build {
        let what = format!(
            "{spec} is commit {}, of which no release is built",
            commit.short()
        );
        let hint = format!(
            "pointsman build {} --ref {spec}, or deploy it with --build",
            project.name
        );
        return Err(Refusal::conflict("release_not_built", what).hint(hint).into());
    }
    let reference: GitRef = spec
        .parse()
        .map_err(|error: InvalidRepository| Refusal::invalid("invalid_ref", error.to_string()))?;
    Ok(Wanted::Build(Box::new(
        mirrors::source(app, project, Asked::ByItsTag(reference)).await?,
    )))
}

#[expect(
    clippy::too_many_arguments,
    reason = "one wish, and everything it was judged with"
)]
async fn request(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    project: &ProjectRow,
    wish: &NewDeployment,
    strategy: &Strategy,
    wanted: Wanted,
) -> OperationResult<i64> {
    targets::lock(tx, target.id).await?;
    if let Some(number) = under_way(app, tx, actor, target, wish).await? {
        return Ok(number);
    }
    let now = pointsman_store::now(tx).await?;
    let timing = Timing::judge(wish, now)?;
    // A wish for later waits for its time, and then for the lock.
    if timing.scheduled_for.is_none() {
        judge_target::refuse_when_locked(tx, target, DeploymentKind::Deploy).await?;
    }
    if timing.scheduled_for.is_none() && timing.held_until.is_none() {
        make_way::execute(app, tx, actor, target).await?;
    }
    judge_target::refuse_without_hosts(app, tx, target).await?;
    let (release, fresh) = match wanted {
        Wanted::Release(id) => (id, false),
        Wanted::Build(source) => release_of(app, tx, actor, project, &source).await?,
    };
    let row = releases::get(tx, release)
        .await?
        .ok_or_else(|| StoreError::inconsistent("release", release, "it was found and does not exist"))?;
    find_release::judge(&row)?;
    judge_rollback::refuse_forbidden(tx, target, &row).await?;
    pass_gates::execute(tx, target, &row).await?;
    if let Some(hash) = &wish.plan {
        make_plan::hold_to(tx, target, &row, strategy, hash).await?;
    }
    let new = deployments::NewDeployment {
        id: DeploymentId(app.ids.next()),
        target: target.id,
        release,
        kind: DeploymentKind::Deploy,
        by: actor.principal,
        at: now,
        reason: wish.reason.as_deref(),
        strategy,
        timing,
        plan: wish.plan,
        trace: actor.trace.as_ref(),
    };
    let number = insert(app, tx, actor, target, &new, row.label.as_str()).await?;
    if fresh {
        request_build::offer(app, tx, project, release, Some(new.id), new.trace).await?;
    }
    Ok(number)
}

/// The deployment that carries out the plan of this wish already: a second press, of whomever, lands where the first did.
async fn under_way(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    wish: &NewDeployment,
) -> OperationResult<Option<i64>> {
    let Some(plan) = wish.plan.filter(|_| wish.at.is_none()) else {
        return Ok(None);
    };
    let Some(open) = deployments::carrying_out(tx, target.id, &plan).await? else {
        return Ok(None);
    };
    let detail = serde_json::json!({ "deployment": open.number, "under_way": true, "reason": wish.reason });
    act::done(
        app,
        tx,
        actor,
        "deployment.request",
        &target.name.to_string(),
        detail,
    )
    .await?;
    Ok(Some(open.number))
}

/// A release of this commit and recipe that is there or on its way, or a new one; true = its build must be offered.
async fn release_of(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    project: &ProjectRow,
    source: &Source,
) -> OperationResult<(ReleaseId, bool)> {
    let digest = source
        .recipe_body
        .as_ref()
        .map(|body| pointsman_shared::digest::Digest::of(body.as_bytes()));
    if let Some(id) = releases::find_same(tx, project.id, &source.commit, digest.as_ref()).await? {
        return Ok((id, false));
    }
    actor.authorize_in(&project.name, Action::Build, project.name.as_str())?;
    Ok((
        request_build::insert(app, tx, actor, project, source).await?,
        true,
    ))
}

/// Writes a wish with its act and event; one that waits steps aside for it.
pub(super) async fn insert(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    new: &deployments::NewDeployment<'_>,
    label: &str,
) -> OperationResult<i64> {
    let open = deployments::open_of_target(tx, target.id).await?;
    // What has a time of its own waits beside others, and takes nobody's place.
    let is_scheduled = new.timing.scheduled_for.is_some();
    let waiting: Vec<_> = open
        .iter()
        .filter(|open| !is_scheduled && !open.started && !open.scheduled)
        .collect();
    for waiting in &waiting {
        let detail = "a newer wish took its place";
        deployments::supersede(tx, waiting.id, new.id, detail, new.at).await?;
        push_pauses::lift_of(tx, waiting.id, new.at).await?;
        tell_deployment::tell_number(tx, target, waiting.number, "deployment.superseded", detail).await?;
    }
    let number = deployments::insert(tx, new).await?;
    for waiting in waiting {
        let reason = format!("#{number} took the place of #{}", waiting.number);
        end_deployment::stop_build(app, tx, waiting.id, waiting.release, &actor.name, &reason).await?;
    }
    let verb = match new.kind {
        DeploymentKind::Deploy => "deployment.request",
        DeploymentKind::Rollback => "rollback.request",
    };
    let detail = serde_json::json!({ "deployment": number, "release": label, "reason": new.reason });
    act::done(app, tx, actor, verb, &target.name.to_string(), detail).await?;
    let message = match (new.timing.scheduled_for, open.iter().find(|open| open.started)) {
        (Some(at), _) => format!(
            "{label} is wished by {} for {}",
            actor.name,
            at.format("%F %T UTC")
        ),
        (None, Some(ahead)) => format!("{label} waits behind #{}", ahead.number),
        (None, None) => format!("{label} is wished by {}", actor.name),
    };
    tell_deployment::tell_number(tx, target, number, "deployment.requested", &message).await?;
    Ok(number)
}
