//! Answers the pushes that webhooks told: fetches, looks what the ref means now, and asks for a deployment in every target
//! that follows it. What it asks is judged like anybody's wish: by rights, locks, gates and the target's own rules.
//!
//! Pushes are claimed, one of a project at a time, so several coordinators answer each once and a repository that hangs
//! holds up nobody else's. What is away is tried again later, for each target by itself; a wish that is refused is told
//! with its reason, and not repeated by itself.

use std::time::Duration;

use chrono::TimeDelta;
use pointsman_domain::push::Pushed;
use pointsman_domain::{Actor, Refusal, RefusalKind, Rights};
use pointsman_git::RefKind;
use pointsman_shared::api::deployments::NewDeployment;
use pointsman_shared::api::pushes::{PushAnswer, PushOutcome};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::name::TargetName;
use pointsman_shared::repository::{CommitId, GitRef};
use pointsman_store::projects::ProjectRow;
use pointsman_store::pushes::{self, Claimed};
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, projects, push_pauses, targets, webhooks};

use super::hold_back::{self, Held};
use super::{act, keep_webhook, request_deployment, set_lock};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::mirrors::{self, Asked, Source};

/// How long a claim holds when it is not renewed.
const CLAIM: TimeDelta = TimeDelta::minutes(2);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(30);
/// The first pause before another try; each is twice the one before.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(10);
/// Tries of one push: the last one is about an hour after the first.
const TRIES: u32 = 9;

/// Claims the push that is due longest, if one is.
pub async fn claim(app: &App) -> OperationResult<Option<Claimed>> {
    let mut conn = app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    Ok(pushes::claim(&mut conn, now, now + CLAIM).await?)
}

/// Answers a claimed push.
pub async fn execute(app: &App, push: &Claimed) -> OperationResult<()> {
    let work = answer(app, push);
    tokio::pin!(work);
    loop {
        tokio::select! {
            answered = &mut work => return answered,
            () = tokio::time::sleep(RENEWAL) => {
                let mut conn = app.store.read().await?;
                let now = pointsman_store::now(&mut conn).await?;
                pushes::renew(&mut conn, push, now + CLAIM).await?;
            }
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
        Err(error) => {
            let mut answers = push.answers.clone();
            answers.retain(|answer| answer.outcome != PushOutcome::Waits);
            answers.push(failed(push, None, &error));
            Answered {
                commit: None,
                answers,
            }
        }
    };
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let waits = answered
        .answers
        .iter()
        .any(|answer| answer.outcome == PushOutcome::Waits);
    let pause = FIRST_PAUSE * 2_i32.saturating_pow(push.nth.saturating_sub(1).min(TRIES));
    let again = waits.then(|| now + pause);
    if pushes::answer(
        &mut tx,
        push,
        answered.commit.as_ref(),
        &answered.answers,
        again,
        now,
    )
    .await?
    {
        for answer in answered
            .answers
            .iter()
            .filter(|answer| !push.answers.contains(answer))
        {
            if let Some(target) = &answer.target {
                let message = format!("push #{} of {}: {}", push.number, push.reference, answer.message);
                set_lock::tell(&mut tx, Some(target), told_as(answer.outcome), message).await?;
            }
        }
    }
    act::commit(tx).await?;
    app.bells.events.notify_one();
    Ok(())
}

/// What is told of an error; with tries left, what may go well a little later is tried again.
fn failed(push: &Claimed, target: Option<&TargetName>, error: &OperationError) -> PushAnswer {
    let may_pass = match error {
        OperationError::Refused(refusal) => refusal.kind == RefusalKind::Unavailable,
        OperationError::Store(store) => store.is_transient(),
        OperationError::Internal { .. } => true,
    };
    let what = match error {
        OperationError::Refused(refusal) => refusal.what.clone(),
        OperationError::Store(_) | OperationError::Internal { .. } => {
            let error = error as &dyn std::error::Error;
            tracing::warn!(push = push.number, error, "a push could not be answered");
            "something went wrong inside the coordinator; its log tells more".to_owned()
        }
    };
    if may_pass && push.nth < TRIES {
        return PushAnswer {
            target: target.cloned(),
            outcome: PushOutcome::Waits,
            deployment: None,
            message: format!("{what}; it is tried again"),
        };
    }
    PushAnswer {
        target: target.cloned(),
        outcome: PushOutcome::Refused,
        deployment: None,
        message: what,
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
    let Ok(name) = pushed.name().parse::<GitRef>() else {
        return Ok(nothing("it has a name that cannot be asked for"));
    };
    let kind = match pushed {
        Pushed::Branch(_) => RefKind::Branch,
        Pushed::Tag(_) => RefKind::Tag,
    };
    let source = mirrors::source(app, &project, Asked::Exactly(kind, name)).await?;
    let mut answers = Vec::new();
    for target in followers {
        let before = push
            .answers
            .iter()
            .find(|answer| answer.target.as_ref() == Some(&target.name));
        let answer = match before {
            // What a try before came to stands.
            Some(answer) if answer.outcome != PushOutcome::Waits => answer.clone(),
            Some(_) | None => follow(app, &actor, push, &target, &project, &source).await,
        };
        answers.push(answer);
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
        // A forge speaks for one project.
        rights: Rights::only_in(webhook.project, RoleName::Deployer),
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
) -> PushAnswer {
    let answered = judge(app, actor, push, target, project, source).await;
    let (outcome, deployment, message) = match answered {
        Ok(answered) => answered,
        Err(error) => return failed(push, Some(&target.name), &error),
    };
    PushAnswer {
        target: Some(target.name.clone()),
        outcome,
        deployment,
        message: format!("{} {message}", source.commit.short()),
    }
}

async fn judge(
    app: &App,
    actor: &Actor,
    push: &Claimed,
    target: &TargetRow,
    project: &ProjectRow,
    source: &Source,
) -> OperationResult<(PushOutcome, Option<i64>, String)> {
    let pauses = match hold_back::judge(app, target, project, &source.commit).await? {
        Held::By(why) => return Ok((PushOutcome::Paused, None, format!("is held back: {why}"))),
        Held::Not(pauses) => pauses,
    };
    let there = push_pauses::on_its_way(&mut *app.store.read().await?, target.id, &source.commit).await?;
    if let Some(there) = there {
        let message = format!("is there or on its way already, by #{}", there.deployment);
        return Ok((PushOutcome::Unchanged, Some(there.deployment), message));
    }
    let by = push.by.as_deref().unwrap_or("somebody");
    let wish = NewDeployment {
        build: true,
        reason: Some(format!("push #{} of {} by {by}", push.number, source.reference)),
        ..NewDeployment::new(target.name.clone(), source.commit.to_string())
    };
    match request_deployment::follow(app, actor, target, project, &wish, (source, &pauses)).await {
        Ok(number) => {
            let message = format!("by {by} is deployed by #{number}");
            Ok((PushOutcome::Requested, Some(number), message))
        }
        Err(OperationError::Refused(Refusal { kind, what, .. })) if kind != RefusalKind::Unavailable => {
            Ok((PushOutcome::Refused, None, format!("is not deployed: {what}")))
        }
        Err(error) => Err(error),
    }
}

/// The kind of the event that tells of an answer.
const fn told_as(outcome: PushOutcome) -> &'static str {
    match outcome {
        PushOutcome::Requested => "push.requested",
        PushOutcome::Refused => "push.refused",
        PushOutcome::Paused => "push.held",
        PushOutcome::Unchanged | PushOutcome::Ignored | PushOutcome::Waits => "push.answered",
    }
}

fn nothing(why: &str) -> Answered {
    let ignored = PushAnswer {
        target: None,
        outcome: PushOutcome::Ignored,
        deployment: None,
        message: why.to_owned(),
    };
    Answered {
        commit: None,
        answers: vec![ignored],
    }
}
