//! What takes an act back. An act whose effect does not stand any more has no inverse: another act came after it.

use pointsman_shared::api::deployments::{
    CancelRequest, Decision, DecisionRequest, DeploymentState, NewDeployment, NewRollback,
};
use pointsman_shared::api::garbage::PinRequest;
use pointsman_shared::api::locks::{Lock, NewLock};
use pointsman_shared::api::releases::NewMark;
use pointsman_shared::api::tokens::AuditEntry;
use pointsman_shared::name::{MarkName, ProjectName, TargetName};

use super::keys;
use super::notifying::{self, Telling};
use crate::client::Client;
use crate::error::CliError;

/// How an act is taken back, and how that is taken back.
#[derive(Debug)]
pub struct Way {
    /// What is done.
    pub inverse: Inverse,
    /// The command that does the same.
    pub command: String,
    /// The command that does the act again.
    pub redo: String,
}

/// What is done.
#[derive(Debug)]
pub enum Inverse {
    /// A deployment that is open is cancelled.
    Cancel(i64),
    /// A deployment that waits for a person goes on.
    Resume(i64),
    /// A target goes back.
    Rollback(TargetName, String),
    /// A target goes forth again.
    Deploy(TargetName, String),
    /// A target, or everything, is locked again.
    Lock(Option<TargetName>, String),
    /// A target, or everything, is unlocked.
    Unlock(Option<TargetName>),
    /// A release is pinned, or not any more.
    Pin(ProjectName, String, bool),
    /// A release bears a mark again.
    Mark(ProjectName, String, MarkName),
    /// A release bears a mark no more.
    Unmark(ProjectName, String, MarkName),
    /// The key of a project is removed.
    RemoveKey(ProjectName),
    /// Something about who is told what.
    Telling(Telling),
}

impl Inverse {
    /// Whether `--reason` is kept with it.
    pub const fn keeps_reason(&self) -> bool {
        match self {
            Self::Cancel(_) | Self::Resume(_) | Self::Rollback(..) | Self::Deploy(..) | Self::Pin(..) => true,
            Self::Lock(..)
            | Self::Unlock(_)
            | Self::Mark(..)
            | Self::Unmark(..)
            | Self::RemoveKey(_)
            | Self::Telling(_) => false,
        }
    }
}

/// The way back of an act of `me`; none where there is none (any more).
pub async fn of(client: &Client, me: &str, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    match act.action.as_str() {
        "deployment.request" => of_deployment(client, act).await,
        "rollback.request" => of_rollback(client, act).await,
        "deployment.pause" => of_pause(client, act).await,
        "target.lock" | "stop.set" => of_lock(client, me, act).await,
        "target.unlock" | "stop.lift" => of_unlock(client, act).await,
        "release.pin" | "release.unpin" => Ok(of_pin(act)),
        "release.mark" | "release.unmark" => of_mark(client, me, act).await,
        "channel.enable" | "channel.disable" => notifying::of_switch(client, act).await,
        "rule.add" => notifying::of_rule(client, act).await,
        "rule.remove" => Ok(notifying::of_removed_rule(act)),
        "deploy_key.make" | "deploy_key.set" => keys::of(client, act).await,
        _ => Ok(None),
    }
}

async fn of_deployment(client: &Client, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let (Ok(target), Some(number)) = (
        act.object.parse::<TargetName>(),
        act.detail["deployment"].as_i64(),
    ) else {
        return Ok(None);
    };
    let deployment = client.deployment(number).await?;
    let redo = format!("pointsman deploy {target} {}", deployment.release);
    if !deployment.state.is_final() {
        return Ok(Some(Way {
            inverse: Inverse::Cancel(number),
            command: format!("pointsman cancel {number}"),
            redo,
        }));
    }
    let stands = deployment.state == DeploymentState::Live && is_newest(client, &target, number).await?;
    Ok(deployment.from.filter(|_| stands).map(|from| Way {
        command: format!("pointsman rollback {target} {from}"),
        inverse: Inverse::Rollback(target, from.to_string()),
        redo,
    }))
}

/// What a rollback left is deployed again.
async fn of_rollback(client: &Client, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let (Ok(target), Some(number)) = (
        act.object.parse::<TargetName>(),
        act.detail["deployment"].as_i64(),
    ) else {
        return Ok(None);
    };
    let deployment = client.deployment(number).await?;
    if !is_newest(client, &target, number).await? {
        return Ok(None);
    }
    // A rollback against an open deployment is a decision in it: its own release is the one that was left.
    let left = if deployment.kind == "rollback" {
        deployment.from
    } else {
        Some(deployment.release)
    };
    Ok(left.map(|release| Way {
        command: format!("pointsman deploy {target} {release}"),
        redo: format!("pointsman rollback {target}"),
        inverse: Inverse::Deploy(target, release.to_string()),
    }))
}

async fn is_newest(client: &Client, target: &TargetName, number: i64) -> Result<bool, CliError> {
    let newest = client.deployments(Some(target), 1).await?.items;
    Ok(newest.first().is_some_and(|newest| newest.number == number))
}

async fn of_pause(client: &Client, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let Some(number) = act
        .object
        .strip_prefix("deployment #")
        .and_then(|text| text.parse().ok())
    else {
        return Ok(None);
    };
    let open = !client.deployment(number).await?.state.is_final();
    Ok(open.then(|| Way {
        inverse: Inverse::Resume(number),
        command: format!("pointsman resume {number}"),
        redo: format!("pointsman pause {number}"),
    }))
}

/// The lock that holds now on what the act was about.
async fn held(client: &Client, target: Option<&TargetName>) -> Result<Option<Lock>, CliError> {
    let locks = client.locks().await?;
    Ok(locks.into_iter().find(|lock| lock.target.as_ref() == target))
}

/// The target of an act about locks; the stop has none.
fn locked(act: &AuditEntry) -> Option<TargetName> {
    act.object.parse().ok()
}

async fn of_lock(client: &Client, me: &str, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let target = locked(act);
    let reason = act.detail["reason"].as_str().unwrap_or_default();
    let still = held(client, target.as_ref()).await?;
    if !still.is_some_and(|lock| lock.owner == me && lock.reason == reason) {
        return Ok(None);
    }
    let (command, redo) = commands_of_lock(target.as_ref(), reason);
    Ok(Some(Way {
        inverse: Inverse::Unlock(target),
        command: redo,
        redo: command,
    }))
}

async fn of_unlock(client: &Client, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let target = locked(act);
    let Some(reason) = act.detail["reason"].as_str() else {
        return Ok(None);
    };
    if held(client, target.as_ref()).await?.is_some() {
        return Ok(None);
    }
    let (command, redo) = commands_of_lock(target.as_ref(), reason);
    Ok(Some(Way {
        inverse: Inverse::Lock(target, reason.to_owned()),
        command,
        redo,
    }))
}

/// The command that locks, and the one that unlocks.
fn commands_of_lock(target: Option<&TargetName>, reason: &str) -> (String, String) {
    match target {
        Some(target) => (
            format!("pointsman lock {target} -m {reason:?}"),
            format!("pointsman unlock {target}"),
        ),
        None => (
            format!("pointsman stop -m {reason:?}"),
            "pointsman resume".to_owned(),
        ),
    }
}

/// Project and label of an act about a release.
fn release(act: &AuditEntry) -> Option<(ProjectName, String)> {
    let project = act.object.split(' ').next()?.parse().ok()?;
    Some((project, act.detail["release"].as_str()?.to_owned()))
}

fn of_pin(act: &AuditEntry) -> Option<Way> {
    let (project, release) = release(act)?;
    let pin = format!("pointsman pin {project} {release}");
    let unpin = format!("pointsman unpin {project} {release}");
    let pinned = act.action == "release.pin";
    let (command, redo) = if pinned { (unpin, pin) } else { (pin, unpin) };
    Some(Way {
        inverse: Inverse::Pin(project, release, !pinned),
        command,
        redo,
    })
}

async fn of_mark(client: &Client, me: &str, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let mark = act.detail["mark"]
        .as_str()
        .and_then(|mark| mark.parse::<MarkName>().ok());
    let (Some((project, release)), Some(mark)) = (release(act), mark) else {
        return Ok(None);
    };
    let marks = client.release(&project, &release).await?.marks;
    let bears = marks.iter().find(|known| known.mark == mark);
    let set = format!("pointsman mark {project} {release} {mark}");
    let unset = format!("pointsman unmark {project} {release} {mark}");
    let marked = act.action == "release.mark";
    Ok(match (marked, bears) {
        (true, Some(known)) if known.by == me => Some(Way {
            inverse: Inverse::Unmark(project, release, mark),
            command: unset,
            redo: set,
        }),
        (false, None) => Some(Way {
            inverse: Inverse::Mark(project, release, mark),
            command: set,
            redo: unset,
        }),
        (true, Some(_) | None) | (false, Some(_)) => None,
    })
}

/// Does it; returns the number of the deployment to follow, where there is one.
pub async fn carry_out(
    client: &Client,
    inverse: Inverse,
    reason: Option<String>,
) -> Result<Option<i64>, CliError> {
    match inverse {
        Inverse::Cancel(number) => {
            client
                .cancel_deployment(number, &CancelRequest { reason })
                .await?;
        }
        Inverse::Resume(number) => {
            let decision = Decision::Continue;
            let request = DecisionRequest { decision, reason };
            client.decide(number, &request).await?;
            return Ok(Some(number));
        }
        Inverse::Rollback(target, release) => {
            let release = Some(release);
            let wish = NewRollback {
                target,
                release,
                reason,
            };
            return client
                .rollback(&wish)
                .await
                .map(|deployment| Some(deployment.number));
        }
        Inverse::Deploy(target, release) => {
            let mut wish = NewDeployment::new(target, release);
            wish.reason = reason;
            return client
                .deploy(&wish)
                .await
                .map(|deployment| Some(deployment.number));
        }
        Inverse::Lock(target, reason) => {
            let wish = NewLock {
                reason,
                expires_in_s: None,
            };
            match target {
                Some(target) => client.lock(&target, &wish).await.map(drop)?,
                None => client.stop(&wish).await.map(drop)?,
            }
        }
        Inverse::Unlock(Some(target)) => client.unlock(&target).await.map(drop)?,
        Inverse::Unlock(None) => client.go_on().await.map(drop)?,
        Inverse::Pin(project, release, pinned) => client
            .pin(&project, &release, &PinRequest { pinned, reason })
            .await
            .map(drop)?,
        Inverse::Mark(project, release, mark) => {
            client
                .mark(&project, &release, &mark, &NewMark::default())
                .await?;
        }
        Inverse::Unmark(project, release, mark) => client.unmark(&project, &release, &mark).await?,
        Inverse::RemoveKey(project) => client.remove_deploy_key(&project).await?,
        Inverse::Telling(telling) => notifying::carry_out(client, telling).await?,
    }
    Ok(None)
}
