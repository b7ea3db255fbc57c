//! One look, drawn.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::Job;
use url::Url;

use super::Look;
use crate::commands::{hosts, jobs};
use crate::printer::Tone;
use crate::table::{Cell, Narrow, Table};
use crate::{text, wording};

/// The line above everything.
pub fn title(base: &Url, look: &Look) -> String {
    let well = look.members - look.hosts.len();
    format!(
        "{}  {well} of {} hosts well  (q leaves)",
        Tone::Heading.paint(text::address(base)),
        look.members
    )
}

/// Every part, those with nothing in them in a word.
pub fn frame(look: &Look, width: Option<usize>, now: DateTime<Utc>) -> String {
    let parts = [
        ("Deployments", deployments(look), "none is open"),
        ("At work", running(look), "no job"),
        ("Waiting", waiting(look), "no job"),
        ("Not well", not_well(look), "no host"),
    ];
    let mut frame = String::new();
    for lock in &look.locks {
        let what = match &lock.target {
            None => "Everything is stopped".to_owned(),
            Some(target) => format!("{target} is locked"),
        };
        let line = format!("{what} by {}: {}", lock.owner, lock.reason);
        frame.push_str(&Tone::Warning.paint(&text::plain(&line)));
        frame.push('\n');
    }
    for (name, table, nothing) in parts {
        frame.push_str(&Tone::Busy.bold(name));
        if table.is_empty() {
            frame.push_str(": ");
            frame.push_str(nothing);
            frame.push('\n');
        } else {
            frame.push('\n');
            frame.push_str(&table.for_people(width, now).0);
        }
    }
    frame
}

fn deployments(look: &Look) -> Table {
    let mut table = Table::new([
        ("NO", Narrow::Keep),
        ("TARGET", Narrow::Keep),
        ("RELEASE", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("AGE", Narrow::Drop(2)),
        ("LEFT", Narrow::Drop(1)),
        ("BY", Narrow::Drop(3)),
        ("STAGE", Narrow::Cut(12)),
    ]);
    for deployment in &look.deployments {
        table.row([
            Cell::Number(deployment.number),
            Cell::Text(deployment.target.to_string()),
            deployment.release.as_str().into(),
            wording::deployment_state(deployment.state),
            Cell::At(deployment.requested_at),
            deployment
                .left
                .map_or(Cell::Nothing, |left| Cell::Took(left.median_ms)),
            deployment.requested_by.as_str().into(),
            deployment.reason.as_deref().unwrap_or(&deployment.summary).into(),
        ]);
    }
    table
}

fn running(look: &Look) -> Table {
    let mut table = Table::new([
        ("JOB", Narrow::Keep),
        ("KIND", Narrow::Keep),
        ("SUBJECT", Narrow::Drop(1)),
        ("HOST", Narrow::Keep),
        ("SINCE", Narrow::Keep),
        ("STEP", Narrow::Cut(12)),
    ]);
    for job in &look.running {
        table.row([
            Cell::Number(job.number),
            job.kind.as_str().into(),
            jobs::subject(job).into(),
            Cell::maybe(job.host.as_ref()),
            Cell::when(job.started_at),
            Cell::maybe(step(job)),
        ]);
    }
    table
}

fn step(job: &Job) -> Option<&str> {
    let step = job.steps.iter().rfind(|step| step.state == "running");
    step.or(job.steps.last()).map(|step| step.name.as_str())
}

fn waiting(look: &Look) -> Table {
    let mut table = Table::new([
        ("JOB", Narrow::Keep),
        ("KIND", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("SUBJECT", Narrow::Drop(1)),
        ("HOST", Narrow::Keep),
        ("AGE", Narrow::Keep),
        ("WHY", Narrow::Cut(12)),
    ]);
    for job in &look.waiting {
        table.row([
            Cell::Number(job.number),
            job.kind.as_str().into(),
            wording::job_state(job.state),
            jobs::subject(job).into(),
            Cell::maybe(job.host.as_ref()),
            Cell::At(job.created_at),
            Cell::maybe(job.reason.as_ref()),
        ]);
    }
    table
}

fn not_well(look: &Look) -> Table {
    let mut table = Table::new([
        ("HOST", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("SEEN", Narrow::Keep),
        ("PROBLEMS", Narrow::Cut(12)),
    ]);
    for host in &look.hosts {
        table.row([
            host.id.as_str().into(),
            hosts::state(host),
            Cell::when(host.last_seen_at),
            Cell::list(&host.problems),
        ]);
    }
    table
}

/// Everything in one form, for scripts: what, which, where, state, note.
pub fn table(look: &Look) -> Table {
    let mut table =
        Table::new(["WHAT", "WHICH", "WHERE", "STATE", "NOTE"].map(|title| (title, Narrow::Keep)));
    for deployment in &look.deployments {
        table.row([
            "deployment".into(),
            Cell::Number(deployment.number),
            Cell::Text(deployment.target.to_string()),
            wording::deployment_state(deployment.state),
            deployment.reason.as_deref().unwrap_or(&deployment.summary).into(),
        ]);
    }
    for job in look.running.iter().chain(&look.waiting) {
        table.row([
            "job".into(),
            Cell::Number(job.number),
            Cell::maybe(job.host.as_ref()),
            wording::job_state(job.state),
            Cell::maybe(job.reason.as_deref().or(step(job))),
        ]);
    }
    for host in &look.hosts {
        table.row([
            "host".into(),
            host.id.as_str().into(),
            host.id.as_str().into(),
            hosts::state(host),
            Cell::list(&host.problems),
        ]);
    }
    table
}
