//! Going back: each host the deployment may have switched gets the release that was live before, once its own switch
//! is over. All hosts at once, no waves: what they go back to is known to be good.
//!
//! One automatic try per host; where it fails, a person decides. It never goes back twice by itself.

use chrono::{DateTime, Utc};
use pointsman_shared::api::jobs::JobState;

use super::decide::{Ending, absence, end, stop, wind_down};
use super::decision::Decision;
use super::facts::{DeploymentOutcome, Facts, PauseReason, Paused, RollbackDecision};
use super::standing::Back;

pub(super) fn decide(facts: &Facts, rollback: &RollbackDecision, now: DateTime<Utc>) -> Vec<Decision> {
    let to = rollback.to.id;
    let standing = |host| facts.back(host, to, rollback.tries);
    let mut out: Vec<_> = facts
        .jobs
        .iter()
        .filter(|job| !job.undo)
        .filter_map(|job| stop(job, &rollback.reason))
        .collect();
    let (mut open, mut touched, mut back) = (false, false, 0_usize);
    let mut failed = Vec::new();
    for host in &facts.hosts {
        let standing = standing(host);
        touched |= standing != Back::Untouched;
        let placement = host.placement;
        let next = match standing {
            Back::Untouched | Back::Out(_) => None,
            Back::Stopping(_) => {
                open = true;
                None
            }
            Back::ToInstall | Back::ToSwitch if host.drift.is_some() => {
                host.drift.clone().map(|why| Decision::Defer { placement, why })
            }
            Back::ToInstall => Some(Decision::Install {
                placement,
                release: to,
                undo: true,
            }),
            Back::ToSwitch if host.busy => {
                open = true;
                None
            }
            Back::ToSwitch => Some(Decision::Switch {
                placement,
                release: to,
                undo: true,
            }),
            Back::Installing(job) => {
                open = true;
                (job.state == JobState::Deferred).then(|| Decision::Defer {
                    placement,
                    why: job.why().to_owned(),
                })
            }
            Back::Switching(job) => {
                open = true;
                absence(host, job)
            }
            Back::Done(_) => {
                back += 1;
                None
            }
            Back::Failed(job) => {
                failed.push(format!("{}: {}", host.host, job.why()));
                None
            }
        };
        // While a person is asked, nothing new begins; what is open goes on.
        let begins = matches!(next, Some(Decision::Install { .. } | Decision::Switch { .. }));
        open |= next.is_some();
        out.extend(next.filter(|_| facts.paused.is_none() || !begins));
    }
    if open || !out.is_empty() {
        return out;
    }
    if !touched {
        let detail = format!("{}; no host had switched", rollback.reason);
        let ending = if facts.failures().is_empty() {
            Ending::Cancelled(detail)
        } else {
            Ending::Failed(detail)
        };
        return wind_down(facts, &rollback.reason, ending);
    }
    if !failed.is_empty() {
        if facts.paused.is_some() {
            return Vec::new();
        }
        let message = format!(
            "rolling back to {} failed on {}",
            rollback.to.label,
            failed.join("; ")
        );
        return vec![Decision::Pause(Paused {
            why: PauseReason::RollbackFailed,
            message,
            at: now,
            by: None,
        })];
    }
    end_of(facts, rollback, back)
}

fn end_of(facts: &Facts, rollback: &RollbackDecision, back: usize) -> Vec<Decision> {
    let label = &rollback.to.label;
    let absent: Vec<_> = facts
        .hosts
        .iter()
        .filter(|host| matches!(facts.back(host, rollback.to.id, rollback.tries), Back::Out(_)))
        .map(|host| host.host.as_str())
        .collect();
    let tail = if absent.is_empty() {
        String::new()
    } else {
        format!("; {} deferred: {}", absent.len(), absent.join(", "))
    };
    let there = facts
        .hosts
        .iter()
        .any(|host| host.confirmed == Some(rollback.to.id));
    if back > 0 || there {
        return end(
            DeploymentOutcome::RolledBack,
            format!("rolled back to {label}{tail}: {}", rollback.reason),
        );
    }
    end(
        DeploymentOutcome::Failed,
        format!("{}; no host is confirmed back on {label}{tail}", rollback.reason),
    )
}
