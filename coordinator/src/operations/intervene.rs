//! What a person says while a deployment goes over its hosts: pause before the next wave, try hosts again, leave hosts
//! out. The domain judges, this writes; what follows is decided by the next look at the deployment.

use pointsman_domain::deployment::{CancelDecision, Facts, Intervention, PauseWish};
use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::api::deployments::{HostsRequest, PauseRequest};
use pointsman_shared::ids::JobId;
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, deployments, jobs, targets};

use super::{
    act, cancel_deployment, cancel_job, decide_deployment, known, request_deployment, supersede_job,
    tell_deployment,
};
use crate::app::App;
use crate::error::OperationResult;

/// What is said.
#[derive(Debug, Clone)]
pub enum Said {
    /// Wait for a person before the next wave.
    Pause(PauseRequest),
    /// Try hosts again; all that failed when none is named.
    Retry(HostsRequest),
    /// Leave hosts out.
    Skip(HostsRequest),
}

impl Said {
    const fn action(&self) -> &'static str {
        match self {
            Self::Pause(_) => "deployment.pause",
            Self::Retry(_) => "deployment.retry",
            Self::Skip(_) => "deployment.skip",
        }
    }

    const fn reason(&self) -> Option<&String> {
        match self {
            Self::Pause(PauseRequest { reason }) => reason.as_ref(),
            Self::Retry(request) | Self::Skip(request) => request.reason.as_ref(),
        }
    }
}

/// Says it of the deployment with this number.
pub async fn execute(app: &App, actor: &Actor, number: i64, said: &Said) -> OperationResult<()> {
    let object = format!("deployment #{number}");
    let target = act::audited(app, actor, said.action(), &object, async {
        let (row, target) = cancel_deployment::find(app, number).await?;
        actor.authorize_in(&target.name.project, Action::Deploy, &object)?;
        reason::judge("reason", said.reason().map(String::as_str))?;
        let mut tx = app.store.begin().await?;
        targets::lock(&mut tx, target.id).await?;
        let facts = known::facts_under_lock(&mut tx, row.id).await?;
        decide_deployment::refuse_unless_open(&facts)?;
        let said_in_words = store(app, &mut tx, actor, &facts, said).await?;
        settle(app, &mut tx, actor, &target, &row, said).await?;
        tell_deployment::tell(&mut tx, &target, &facts, said.action(), &said_in_words).await?;
        act::commit(tx).await?;
        Ok(target)
    })
    .await?;
    request_deployment::begin(app, &target).await;
    Ok(())
}

/// Judges and writes; returns what was said, for people.
async fn store(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    facts: &Facts,
    said: &Said,
) -> OperationResult<String> {
    let by = &actor.name;
    match said {
        Said::Pause(request) => {
            facts.judge_pause()?;
            let wish = PauseWish {
                by: by.clone(),
                at: pointsman_store::now(tx).await?,
                reason: request.reason.clone(),
            };
            deployments::wish_pause(tx, facts.id, &wish).await?;
            Ok(format!("{by} wants it to pause before the next wave"))
        }
        Said::Retry(request) => {
            let interventions = facts.judge_retry(&request.hosts)?;
            for intervention in &interventions {
                apply(app, tx, actor, facts, intervention, None).await?;
            }
            Ok(format!("{by} has {} tried again", names(facts, &interventions)))
        }
        Said::Skip(request) => {
            if request.hosts.is_empty() {
                let refusal = Refusal::invalid("no_host", "no host is named")
                    .hint(format!("pointsman skip {} HOST", facts.number));
                return Err(refusal.into());
            }
            let interventions: Vec<_> = request
                .hosts
                .iter()
                .map(|host| facts.judge_skip(host))
                .collect::<Result<_, _>>()?;
            for intervention in &interventions {
                apply(app, tx, actor, facts, intervention, request.reason.as_ref()).await?;
            }
            Ok(format!("{by} leaves {} out", names(facts, &interventions)))
        }
    }
}

async fn apply(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    facts: &Facts,
    intervention: &Intervention,
    reason: Option<&String>,
) -> OperationResult<()> {
    match intervention {
        Intervention::Retry { placement, job } => {
            deployments::retry_host(tx, facts.id, *placement, *job).await?;
        }
        Intervention::Skip { placement, job } => {
            let skipped = CancelDecision {
                by: actor.name.clone(),
                at: pointsman_store::now(tx).await?,
                reason: reason.cloned(),
            };
            deployments::skip_host(tx, facts.id, *placement, &skipped).await?;
            if let Some(id) = job {
                take_back(app, tx, actor, *id).await?;
            }
        }
    }
    Ok(())
}

/// Ends the open job of a host that is left out. One that nobody works on is superseded, not cancelled: nothing speaks
/// against bringing the host up later.
async fn take_back(app: &App, tx: &mut Transaction, actor: &Actor, id: JobId) -> OperationResult<()> {
    let reason = format!("{} leaves this host out", actor.name);
    if supersede_job::when_idle(app, tx, id, &reason).await? {
        return Ok(());
    }
    if let Some(job) = jobs::lock(tx, id).await? {
        cancel_job::request(app, tx, &job, &actor.name, &reason).await?;
    }
    Ok(())
}

/// A pause about failures ends with the last one that was too many.
async fn settle(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    target: &TargetRow,
    row: &deployments::DeploymentRow,
    said: &Said,
) -> OperationResult<()> {
    if known::facts_under_lock(tx, row.id).await?.is_failure_settled() {
        deployments::resume(tx, row.id).await?;
    }
    let hosts = match said {
        Said::Pause(_) => None,
        Said::Retry(request) | Said::Skip(request) => Some(&request.hosts),
    };
    let detail = serde_json::json!({ "target": target.name, "hosts": hosts, "reason": said.reason() });
    act::done(
        app,
        tx,
        actor,
        said.action(),
        &format!("deployment #{}", row.number),
        detail,
    )
    .await
}

fn names(facts: &Facts, interventions: &[Intervention]) -> String {
    let placement = |intervention: &Intervention| match intervention {
        Intervention::Retry { placement, .. } | Intervention::Skip { placement, .. } => *placement,
    };
    let named = |intervention| {
        let host = facts
            .hosts
            .iter()
            .find(|host| host.placement == placement(intervention));
        host.map(|host| host.host.to_string())
    };
    interventions
        .iter()
        .filter_map(named)
        .collect::<Vec<_>>()
        .join(", ")
}
