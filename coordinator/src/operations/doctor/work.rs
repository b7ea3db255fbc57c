//! Work that stands still: what no role or host does, and what waits for a person.

use pointsman_shared::api::deployments::{Deployment, DeploymentState, ListedState};
use pointsman_shared::api::fleet::Finding;
use pointsman_store::troubles::Troubles;
use pointsman_store::views::deployments::{self, Wanted};
use pointsman_store::{PgConnection, StoreResult};

use super::{fail, warn};

/// Open deployments that are looked at.
const MOST: i64 = 200;
/// Jobs that are named with one reason.
const NAMED: usize = 10;

/// What counts as standing still.
pub(super) fn look(troubles: &Troubles, is_stopped: bool) -> Vec<Finding> {
    let mut findings = standing_still(troubles);
    findings.extend(untaken(&troubles.waiting, is_stopped));
    findings.extend(for_people(troubles));
    findings
}

/// What a role that does not run, or a host that is away, leaves undone.
fn standing_still(troubles: &Troubles) -> Vec<Finding> {
    let counted = [
        (
            troubles.unsent,
            "messages wait for longer than a minute to be sent",
            "check that a coordinator runs the role relay, and the broker",
        ),
        (
            troubles.unnumbered,
            "events wait for longer than a minute to be numbered",
            "check that a coordinator runs the role http",
        ),
        (
            troubles.unchained,
            "acts wait for longer than ten minutes to be chained",
            "check that a coordinator runs the role schedule",
        ),
        (
            troubles.overdue,
            "jobs run on leases that ended",
            "check that a coordinator runs the roles intake and reconcile",
        ),
        (
            troubles.deferred,
            "jobs wait for absent hosts",
            "pointsman jobs ls --state deferred",
        ),
    ];
    counted
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, text, cure)| warn(format!("{count} {text}"), cure))
        .collect()
}

/// Offers that nobody takes: each reason once, with the jobs it holds of.
fn untaken(waiting: &[(i64, Option<String>)], is_stopped: bool) -> Vec<Finding> {
    let unknown = if is_stopped {
        "everything is stopped"
    } else {
        "nobody has taken it yet"
    };
    let mut reasons: Vec<(&str, Vec<i64>)> = Vec::new();
    for (number, reason) in waiting {
        let reason = reason.as_deref().unwrap_or(unknown);
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, jobs)) => jobs.push(*number),
            None => reasons.push((reason, vec![*number])),
        }
    }
    let finding = |(reason, jobs): (&str, Vec<i64>)| {
        let first = jobs.first()?;
        let text = match jobs.len() {
            1 => format!("job #{first} waits: {reason}"),
            many if many > NAMED => format!("{many} jobs wait, the first is #{first}: {reason}"),
            _ => format!("jobs {} wait: {reason}", numbers(&jobs)?),
        };
        Some(warn(text, format!("pointsman why --job {first}")))
    };
    reasons.into_iter().filter_map(finding).collect()
}

/// What goes on only when a person looks.
fn for_people(troubles: &Troubles) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(jobs) = numbers(&troubles.indeterminate) {
        let text = format!("nobody knows the effect of jobs {jobs}");
        findings.push(fail(text, "pointsman jobs show NUMBER"));
    }
    if let Some(jobs) = numbers(&troubles.dead_letters) {
        let text = format!("offers of jobs {jobs} came back unread");
        findings.push(warn(text, "look at the agents' logs"));
    }
    for (reason, count) in &troubles.refused {
        let text = format!("{count} messages were refused within a day: {reason}");
        findings.push(warn(text, "look at the coordinator's log"));
    }
    findings
}

/// Deployments that go on only when a person decides, each with what may be decided.
pub(super) async fn paused(conn: &mut PgConnection) -> StoreResult<Vec<Finding>> {
    let wanted = Wanted {
        state: Some(ListedState::Open),
        ..Wanted::default()
    };
    let open = deployments::page(conn, wanted, MOST).await?;
    let waits = |deployment: &&Deployment| deployment.state == DeploymentState::Paused;
    Ok(open.iter().filter(waits).map(waiting).collect())
}

fn waiting(deployment: &Deployment) -> Finding {
    let Deployment {
        number,
        target,
        reason,
        ..
    } = deployment;
    let why = reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    let text = format!("deployment #{number} of {target} waits for a person{why}");
    warn(text, deployment.ways_out.join(" | "))
}

/// `#1, #2`; none when there is none.
fn numbers(numbers: &[i64]) -> Option<String> {
    let numbers: Vec<String> = numbers.iter().map(|number| format!("#{number}")).collect();
    (!numbers.is_empty()).then(|| numbers.join(", "))
}
