//! `deploy` and `rollback`: a wish, then following it.

use std::time::Duration;

use pointsman_shared::api::deployments::{Deployment, NewDeployment, NewRollback, Promotion};

use super::deployments::deployment_table;
use crate::args::{Deploy, Follow, Promote, Rollback};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::follow::{self, Goal, Waiter};
use crate::printer::Tone;
use crate::session::Session;

/// Makes a release live.
pub async fn deploy(session: &Session, args: Deploy) -> Result<Exit, CliError> {
    let client = session.client()?;
    let now = session.clock.now();
    let follow = match args.at {
        Some(_) => args.follow.of_later(),
        None => args.follow,
    };
    let waiter = subscribe(session, &client, follow).await?;
    let wish = NewDeployment {
        target: args.target,
        release: args.release,
        build: args.build,
        waves: args.waves,
        on_failure: args.on_failure,
        at: args.at.map(|at| at.from(now)),
        expires: args.expires.map(|expires| expires.from(now)),
        hold_s: args.hold.map(whole_seconds),
        plan: args.plan,
        reason: session.options.reason.clone(),
    };
    let deployment = client.deploy(&wish).await?;
    accepted(session, &client, waiter, deployment, Goal::Live).await
}

/// Rounded up: a hold that is cut down to nothing would be none.
fn whole_seconds(time: Duration) -> u32 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// Makes what is live in one environment live in another.
pub async fn promote(session: &Session, args: Promote) -> Result<Exit, CliError> {
    let client = session.client()?;
    let waiter = subscribe(session, &client, args.follow).await?;
    let wish = Promotion {
        project: args.project,
        from: args.from,
        to: args.to,
        plan: args.plan,
        reason: session.options.reason.clone(),
    };
    let deployment = client.promote(&wish).await?;
    accepted(session, &client, waiter, deployment, Goal::Live).await
}

/// Goes back to an older good release, or decides that an open deployment does.
pub async fn rollback(session: &Session, args: Rollback) -> Result<Exit, CliError> {
    let client = session.client()?;
    let waiter = subscribe(session, &client, args.follow).await?;
    let wish = NewRollback {
        target: args.target,
        release: args.release,
        reason: session.options.reason.clone(),
    };
    let deployment = client.rollback(&wish).await?;
    let target = deployment.target.clone();
    let exit = accepted(session, &client, waiter, deployment, Goal::RolledBack).await?;
    // What was just left must not come back with the next push; whoever goes back should know.
    for pause in client.target(&target).await?.push_pauses {
        let sentence = format!("pushes to {target} are paused: {}", pause.reason);
        session
            .printer
            .note(&format!("{sentence}; pointsman push resume {target}"));
    }
    Ok(exit)
}

/// Listens before the wish is made, so that nothing of it is missed; not at all when detached.
pub async fn subscribe(
    session: &Session,
    client: &Client,
    follow: Follow,
) -> Result<Option<Waiter>, CliError> {
    if follow.detaches() {
        return Ok(None);
    }
    Waiter::subscribe(session, client).await.map(Some)
}

async fn accepted(
    session: &Session,
    client: &Client,
    waiter: Option<Waiter>,
    deployment: Deployment,
    goal: Goal,
) -> Result<Exit, CliError> {
    let Deployment {
        number,
        target,
        release,
        from,
        kind,
        ..
    } = &deployment;
    let arrow = from.as_ref().map_or(String::new(), |from| format!("{from} -> "));
    let sentence = format!("{kind} #{number}: {target} {arrow}{release}");
    session.printer.step(Tone::Good, "Requested", &sentence);
    if let Some(waiter) = waiter {
        return follow::deployment(session, client, waiter, deployment, goal).await;
    }
    session
        .printer
        .say(Tone::Busy, "Next", &format!("pointsman watch {number}"));
    session.printer.undo(&format!("pointsman cancel {number}"));
    session
        .printer
        .show(&deployment, &deployment_table(std::slice::from_ref(&deployment)))?;
    Ok(Exit::Ok)
}
