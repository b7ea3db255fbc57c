//! Answers the pushes that webhooks told: fetches, looks what the ref means now, and asks for a deployment in every target
//! that follows it. What it asks is judged like anybody's wish: by rights, locks, gates and the target's own rules.
//!
//! Pushes are claimed, so several coordinators answer each once. A repository or database that is away is tried again
//! later; a wish that is refused is told with its reason, and not repeated by itself.

use chrono::TimeDelta;
use pointsman_domain::push::Pushed;
use pointsman_domain::{Actor, RefusalKind};
use pointsman_shared::api::deployments::NewDeployment;
use pointsman_shared::api::pushes::{PushAnswer, PushOutcome, PushPause};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::name::TargetName;
use pointsman_shared::repository::{CommitId, GitRef};
use pointsman_store::projects::ProjectRow;
use pointsman_store::pushes::{self, Claimed};
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, projects, push_pauses, targets, webhooks};

use super::{act, keep_webhook, request_deployment, set_lock};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::mirrors::{self, Source};

/// How long whoever claims a push has it alone; longer than a fetch usually takes.
const CLAIM: TimeDelta = TimeDelta::minutes(20);
/// The first pause before another try; each is twice the one before.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(10);
/// Tries of one push: the last one is about an hour after the first.
const TRIES: u32 = 9;

/// Answers every push that is due.
pub async fn execute(app: &App) -> OperationResult<()> {
    loop {
        let mut conn = app.store.read().await?;
        let now = pointsman_store::now(&mut conn).await?;
        let claimed = pushes::claim(&mut conn, now, now + CLAIM).await?;
        drop(conn);
        match claimed {
            Some(push) => answer(app, &push).await?,
            None => return Ok(()),
        }
    }
}

/// What is known of a push once its targets are asked.
struct Answered {
    commit: Option<CommitId>,
    answers: Vec<PushAnswer>,
}

async fn answer(app: &App, push: &Claimed) -> OperationResult<()> {
    let answered = match ask(app, push).await {
        Ok(answered) => answered,
        Err(error) if push.tries < TRIES && may_pass(&error) => return postpone(app, push, &error).await,
        Err(error) => Answered {
            commit: None,
            answers: vec![of_all(PushOutcome::Refused, in_words(&error))],
        },
    };
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    if pushes::answer(&mut tx, push, answered.commit.as_ref(), &answered.answers, now).await? {
        for answer in &answered.answers {
            if let Some(target) = &answer.target {
                let message = format!("push #{} of {}: {}", push.number, push.reference, answer.message);
                set_lock::tell(&mut tx, Some(target), "push.answered", message).await?;
            }
        }
    }
    act::commit(tx).await?;
    app.bells.events.notify_one();
    Ok(())
}

/// Whether the same may go well a little later.
fn may_pass(error: &OperationError) -> bool {
    match error {
        OperationError::Refused(refusal) => refusal.kind == RefusalKind::Unavailable,
        OperationError::Store(store) => store.is_transient(),
        OperationError::Internal { .. } => true,
    }
}

async fn postpone(app: &App, push: &Claimed, error: &OperationError) -> OperationResult<()> {
    let pause = FIRST_PAUSE * 2_i32.saturating_pow(push.tries.saturating_sub(1));
    tracing::warn!(
        push = push.number,
        error = error as &dyn std::error::Error,
        "a push is tried again in {} s",
        pause.num_seconds()
    );
    let mut conn = app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    let so_far = [of_all(
        PushOutcome::Refused,
        format!("{}; it is tried again", in_words(error)),
    )];
    Ok(pushes::postpone(&mut conn, push, &so_far, now + pause).await?)
}

/// What a person may know of it; the cause of what is wrong inside is in the log.
fn in_words(error: &OperationError) -> String {
    match error {
        OperationError::Refused(refusal) => refusal.what.clone(),
        OperationError::Store(_) | OperationError::Internal { .. } => {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "a push could not be answered"
            );
            "something went wrong inside the coordinator; its log tells more".to_owned()
        }
    }
}

async fn ask(app: &App, push: &Claimed) -> OperationResult<Answered> {
    let (project, targets, actor) = involved(app, push).await?;
    let Some(actor) = actor else {
        return Ok(nothing("the webhook was removed"));
    };
    let pushed = Pushed::of(&push.reference);
    let follows = |target: &TargetRow| pushed.is_some_and(|pushed| pushed.is_followed(&target.on_push));
    let followers: Vec<_> = targets.into_iter().filter(follows).collect();
    let Some(pushed) = pushed.filter(|_| !followers.is_empty()) else {
        return Ok(nothing("no target follows it"));
    };
    let reference: Result<GitRef, _> = pushed.name().parse();
    let Ok(reference) = reference else {
        return Ok(nothing("it has a name that cannot be asked for"));
    };
    let source = mirrors::source(app, &project, Some(reference)).await?;
    let mut answers = Vec::new();
    for target in followers {
        answers.push(follow(app, &actor, push, &target, &project, &source).await?);
    }
    Ok(Answered {
        commit: Some(source.commit),
        answers,
    })
}

/// The project of a push, its targets, and who asks; nobody asks for a webhook that was removed.
async fn involved(app: &App, push: &Claimed) -> OperationResult<(ProjectRow, Vec<TargetRow>, Option<Actor>)> {
    let mut conn = app.store.read().await?;
    let project = projects::get(&mut conn, push.project)
        .await?
        .ok_or_else(|| StoreError::inconsistent("push", push.number, "its project does not exist"))?;
    let mut targets = targets::all(&mut conn).await?;
    targets.retain(|target| target.project == project.id);
    let webhook = webhooks::get(&mut conn, push.webhook).await?;
    let actor = webhook.map(|webhook| Actor {
        principal: webhook.principal,
        kind: webhooks::ACTS_AS,
        name: keep_webhook::principal_name(&keep_webhook::object(&webhook.project, &webhook.name)),
        role: RoleName::Deployer,
        address: None,
        trace: None,
    });
    Ok((project, targets, actor))
}

async fn follow(
    app: &App,
    actor: &Actor,
    push: &Claimed,
    target: &TargetRow,
    project: &ProjectRow,
    source: &Source,
) -> OperationResult<PushAnswer> {
    let short = source.commit.short();
    if let Some(pause) = held_back(app, target, project, source).await? {
        let message = format!("{short} is held back: {}", pause.reason);
        return Ok(of_target(&target.name, PushOutcome::Paused, None, message));
    }
    let there = push_pauses::on_its_way(&mut *app.store.read().await?, target.id, &source.commit).await?;
    if let Some(there) = there {
        let message = format!("{short} is there or on its way already, by #{}", there.deployment);
        let number = Some(there.deployment);
        return Ok(of_target(&target.name, PushOutcome::Unchanged, number, message));
    }
    let by = push.by.as_deref().unwrap_or("somebody");
    let wish = NewDeployment {
        build: true,
        reason: Some(format!("push #{} of {} by {by}", push.number, source.reference)),
        ..NewDeployment::new(target.name.clone(), source.commit.to_string())
    };
    match request_deployment::follow(app, actor, target, project, &wish, source).await {
        Ok(number) => {
            let message = format!("{short} by {by} is deployed by #{number}");
            Ok(of_target(
                &target.name,
                PushOutcome::Requested,
                Some(number),
                message,
            ))
        }
        Err(OperationError::Refused(refusal)) if refusal.kind != RefusalKind::Unavailable => {
            let message = format!("{short} is not deployed: {}", refusal.what);
            Ok(of_target(&target.name, PushOutcome::Refused, None, message))
        }
        Err(error) => Err(error),
    }
}

/// The pause that holds this commit back. One whose commits a person has taken live again since is over.
async fn held_back(
    app: &App,
    target: &TargetRow,
    project: &ProjectRow,
    source: &Source,
) -> OperationResult<Option<PushPause>> {
    let pauses = push_pauses::of_target(&mut *app.store.read().await?, target.id).await?;
    for row in pauses {
        let Some(range) = &row.pause.range else {
            return Ok(Some(row.pause));
        };
        if !mirrors::carries(app, project, &source.commit, range).await? {
            continue;
        }
        let mut conn = app.store.read().await?;
        let since = push_pauses::newest_live(&mut conn, target.id, row.pause.since).await?;
        drop(conn);
        let is_over = match &since {
            Some(since) => mirrors::carries(app, project, &since.commit, range).await?,
            None => false,
        };
        let (true, Some(since)) = (is_over, since) else {
            return Ok(Some(row.pause));
        };
        let mut conn = app.store.read().await?;
        let now = pointsman_store::now(&mut conn).await?;
        push_pauses::lift(
            &mut conn,
            row.id,
            &format!("deployment #{}", since.deployment),
            now,
        )
        .await?;
    }
    Ok(None)
}

fn nothing(why: &str) -> Answered {
    Answered {
        commit: None,
        answers: vec![of_all(PushOutcome::Ignored, why.to_owned())],
    }
}

fn of_all(outcome: PushOutcome, message: String) -> PushAnswer {
    PushAnswer {
        target: None,
        outcome,
        deployment: None,
        message,
    }
}

fn of_target(
    name: &TargetName,
    outcome: PushOutcome,
    deployment: Option<i64>,
    message: String,
) -> PushAnswer {
    PushAnswer {
        target: Some(name.clone()),
        outcome,
        deployment,
        message,
    }
}
