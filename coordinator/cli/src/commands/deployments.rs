//! `deployments` and `watch`

use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::name::TargetName;

use super::listing;
use crate::args::{Deployments, LogSubject, Watch};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::follow::{self, Goal, Waiter};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::wording;

/// Follows a deployment to its end, whatever it is.
pub async fn watch(session: &Session, args: Watch) -> Result<Exit, CliError> {
    let client = session.client()?;
    let waiter = Waiter::subscribe(session, &client).await?;
    let number = match args.subject {
        LogSubject::Deployment(number) => number,
        LogSubject::Target(target) => newest(&client, &target).await?,
        LogSubject::Project(project) => return Err(environment_is_missing(project.as_str())),
    };
    let deployment = client.deployment(number).await?;
    follow::deployment(session, &client, waiter, deployment, Goal::End).await
}

/// Lists deployments, or shows one with its hosts.
pub async fn deployments(session: &Session, args: Deployments) -> Result<Exit, CliError> {
    let client = session.client()?;
    let place = match &args.subject {
        Some(LogSubject::Deployment(number)) => {
            let deployment = client.deployment(*number).await?;
            session
                .printer
                .show(&deployment, &deployment_hosts(&deployment))?;
            return Ok(Exit::Ok);
        }
        Some(LogSubject::Project(project)) => Some(("project", project.to_string())),
        Some(LogSubject::Target(target)) => Some(("target", target.to_string())),
        None => None,
    };
    let filters = [
        place,
        args.state.map(|state| ("state", state.as_str().to_owned())),
        args.who.map(|who| ("who", who)),
        args.release.map(|release| ("release", release)),
    ];
    let query: Vec<_> = filters.into_iter().flatten().collect();
    let deployments = client.chosen_deployments(&query, args.rows.most()).await?;
    let empty = if query.is_empty() {
        "no deployments yet; pointsman deploy PROJECT@ENVIRONMENT RELEASE"
    } else {
        "no deployment fits these filters"
    };
    listing::show(
        session,
        &deployments,
        &deployment_table(&deployments.items),
        empty,
    )
}

/// Number of the target's open deployment, else of its newest.
pub async fn newest(client: &Client, target: &TargetName) -> Result<i64, CliError> {
    if let Some(number) = client.target(target).await?.open_deployment {
        return Ok(number);
    }
    let newest = client
        .deployments(Some(target), 1)
        .await?
        .items
        .into_iter()
        .next();
    newest
        .map(|deployment| deployment.number)
        .ok_or_else(|| CliError::Outcome {
            exit: Exit::NotFound,
            what: format!("nothing was deployed to {target} yet"),
            why: None,
            help: Some(format!("pointsman deploy {target} RELEASE")),
        })
}

/// A project alone names many deployments.
pub fn environment_is_missing(project: &str) -> CliError {
    CliError::usage(
        format!("{project} is a project, not a target"),
        format!("write {project}@ENVIRONMENT, or the number of a deployment"),
    )
}

/// Deployments as a table.
pub fn deployment_table(deployments: &[Deployment]) -> Table {
    let mut table = Table::new([
        ("NO", Narrow::Keep),
        ("TARGET", Narrow::Keep),
        ("RELEASE", Narrow::Keep),
        ("FROM", Narrow::Drop(2)),
        ("KIND", Narrow::Drop(3)),
        ("STATE", Narrow::Keep),
        ("AGE", Narrow::Drop(1)),
        ("BY", Narrow::Drop(4)),
        ("NOTE", Narrow::Cut(12)),
    ]);
    for deployment in deployments {
        table.row([
            Cell::Number(deployment.number),
            Cell::Text(deployment.target.to_string()),
            deployment.release.as_str().into(),
            Cell::maybe(deployment.from.as_ref()),
            deployment.kind.as_str().into(),
            wording::deployment_state(deployment.state),
            Cell::At(deployment.requested_at),
            deployment.requested_by.as_str().into(),
            note(deployment),
        ]);
    }
    table
}

fn note(deployment: &Deployment) -> Cell {
    let summary =
        Some(&deployment.summary).filter(|summary| *summary != wording::deployment_word(deployment.state));
    Cell::maybe(deployment.reason.as_ref().or(summary))
}

/// A deployment's hosts as a table.
pub fn deployment_hosts(deployment: &Deployment) -> Table {
    let mut table = Table::new([
        ("HOST", Narrow::Keep),
        ("WAVE", Narrow::Drop(2)),
        ("STATE", Narrow::Keep),
        ("TOOK", Narrow::Drop(1)),
        ("JOB", Narrow::Drop(3)),
        ("NOTE", Narrow::Cut(12)),
    ]);
    for host in &deployment.hosts {
        table.row([
            host.host.as_str().into(),
            Cell::Number(host.wave.into()),
            Cell::Toned(wording::host_tone(&host.state), host.state.replace('_', " ")),
            host.duration_ms.map_or(Cell::Nothing, Cell::Took),
            host.job.map_or(Cell::Nothing, Cell::Number),
            Cell::maybe(follow::reason(host)),
        ]);
    }
    table
}
