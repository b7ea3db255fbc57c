//! Why something waits, holds or failed, in words that command line and dashboard share. Each says how one thing stands
//! and what to do about it; which thing holds up which is followed by whoever asks.

use chrono::{DateTime, Utc};

use crate::api::deployments::Deployment;
use crate::api::fleet::Host;
use crate::api::jobs::{Job, JobState};
use crate::api::locks::Lock;
use crate::api::projects::Placement;
use crate::name::TargetName;
use crate::outcome::JobKind;

/// How a thing feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It is well.
    Good,
    /// Somebody should know.
    Warning,
    /// Somebody is needed.
    Bad,
}

/// One thing and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Such as `deployment #812`.
    pub about: String,
    /// How it stands, and why.
    pub says: String,
    /// What to do about it.
    pub cure: Option<String>,
    /// How it feels.
    pub mood: Mood,
}

/// How long ago, in one unit: `12s`, `3m`, `6h`, `5d`; a moment to come is `in 3m`.
pub fn age(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = match (now - at).num_seconds() {
        // Two clocks are never quite the same.
        -5..0 => 0,
        seconds => seconds,
    };
    let length = match seconds.unsigned_abs() {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3_600 => format!("{}m", s / 60),
        s @ 3_600..86_400 => format!("{}h", s / 3_600),
        s => format!("{}d", s / 86_400),
    };
    if seconds < 0 {
        format!("in {length}")
    } else {
        length
    }
}

/// Who wished a deployment and how it stands; what to do about it depends on where one is.
pub fn wish(deployment: &Deployment, now: DateTime<Utc>) -> Link {
    let age = age(deployment.requested_at, now);
    let because = because(deployment.reason.as_deref());
    let says = format!(
        "{} wished {} for {} {age} ago; now {}{because}",
        deployment.requested_by, deployment.release, deployment.target, deployment.summary
    );
    Link {
        about: format!("deployment #{}", deployment.number),
        says,
        cure: None,
        mood: Mood::Good,
    }
}

/// The global stop.
pub fn stop(stop: &Lock) -> Link {
    Link {
        about: "everything".to_owned(),
        says: format!("{} stopped it: {}; only rollbacks go on", stop.owner, stop.reason),
        cure: Some("pointsman resume, once its reason is gone".to_owned()),
        mood: Mood::Warning,
    }
}

/// A job, where `known` tells more of the reason than the job does.
pub fn job(job: &Job, known: Option<&str>, now: DateTime<Utc>) -> Link {
    let place = job
        .host
        .as_ref()
        .map_or_else(String::new, |host| format!(" on {host}"));
    let stands = stands(job, known, now);
    Link {
        about: format!("job #{}", job.number),
        says: format!("{}{place} {stands}", job.kind.as_str().replace('_', " ")),
        cure: about_job(job),
        mood: match job.state {
            JobState::Succeeded => Mood::Good,
            JobState::Failed | JobState::Abandoned | JobState::Indeterminate => Mood::Bad,
            JobState::Queued
            | JobState::Offered
            | JobState::Running
            | JobState::Deferred
            | JobState::Cancelled
            | JobState::Superseded => Mood::Warning,
        },
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

fn stands(job: &Job, known: Option<&str>, now: DateTime<Utc>) -> String {
    let because = because(job.reason.as_deref().or(known));
    match job.state {
        JobState::Queued => format!("is not offered yet{because}"),
        JobState::Offered => format!(
            "is offered since {}, and nobody has taken it{because}",
            age(job.created_at, now)
        ),
        JobState::Running => {
            let step = job.steps.iter().rfind(|step| step.state == "running");
            let step = step.map_or_else(String::new, |step| format!(", at the step {:?}", step.name));
            format!(
                "works since {}{step}{because}",
                age(job.started_at.unwrap_or(job.created_at), now)
            )
        }
        JobState::Deferred => format!("waits for its host to come back{because}"),
        JobState::Indeterminate => format!("was begun, and nobody knows what it did{because}"),
        JobState::Failed => format!("failed{because}"),
        JobState::Succeeded | JobState::Cancelled | JobState::Superseded | JobState::Abandoned => {
            format!("is {}{because}", job.state.as_str())
        }
    }
}

fn about_job(job: &Job) -> Option<String> {
    let number = job.number;
    match (job.state, job.kind, &job.target) {
        (JobState::Queued | JobState::Offered, JobKind::Build, _) => {
            Some("a host with the pool of the project and the kind build: pointsman hosts ls".to_owned())
        }
        (JobState::Offered, _, _) => {
            Some("it is offered again by itself; pointsman hosts ls shows who could take it".to_owned())
        }
        (JobState::Running, _, _) => Some(format!("pointsman logs --job {number} -f")),
        (JobState::Deferred, _, _) => Some("nothing: it is done by itself once the host is seen".to_owned()),
        (JobState::Indeterminate, JobKind::Migrate, Some(target)) => Some(format!(
            "the ledger is read again by itself; else look at the database, then pointsman migrations mark {target} NAME applied|pending"
        )),
        (JobState::Failed, JobKind::Migrate, Some(target)) => Some(format!(
            "pointsman logs --job {number}; pointsman migrations ls {target}"
        )),
        (JobState::Failed | JobState::Abandoned | JobState::Indeterminate, _, _) => {
            Some(format!("pointsman logs --job {number}"))
        }
        (JobState::Queued | JobState::Succeeded | JobState::Cancelled | JobState::Superseded, _, _) => None,
    }
}

/// Whether the host of a job in this state has to do with it still.
pub const fn is_up_to_host(state: JobState) -> bool {
    !matches!(
        state,
        JobState::Succeeded | JobState::Superseded | JobState::Cancelled
    )
}

/// A host.
pub fn host(host: &Host, now: DateTime<Utc>) -> Link {
    let heard = host.last_seen_at.map(|at| format!("heard {} ago", age(at, now)));
    let mut words: Vec<String> = heard.into_iter().collect();
    let (mood, cure) = if host.revoked_at.is_some() {
        words.push("its key was taken away".to_owned());
        let cure = format!("pointsman hosts invite {}, then join again on it", host.id);
        (Mood::Bad, Some(cure))
    } else if host.joined_at.is_none() {
        words.push("it was invited and has not joined".to_owned());
        let cure = "on the host: pointsman-agent join --token TOKEN".to_owned();
        (Mood::Warning, Some(cure))
    } else if host.stopped_at.is_some() {
        let cure = "on the host: systemctl start pointsman-agent".to_owned();
        (Mood::Warning, Some(cure))
    } else if !host.seen {
        let cure = "on the host: systemctl status pointsman-agent; journalctl -u pointsman-agent -n 50";
        (Mood::Bad, Some(cure.to_owned()))
    } else if host.problems.is_empty() {
        let jobs = if host.running == 1 { "job" } else { "jobs" };
        words.push(format!("well, works on {} {jobs}", host.running));
        (Mood::Good, None)
    } else {
        (
            Mood::Warning,
            Some("pointsman doctor names the cure of each".to_owned()),
        )
    };
    words.extend(host.problems.iter().cloned());
    Link {
        about: format!("host {}", host.id),
        says: words.join("; "),
        cure,
        mood,
    }
}

/// A host's part of a target, where it differs from what it should be; while a deployment is open, that one tells why
/// another release runs.
pub fn placement(target: &TargetName, is_open: bool, placement: &Placement) -> Option<Link> {
    let run = |release: &Option<_>| {
        release
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    let (says, cure, mood) = if let Some(drift) = &placement.drift {
        let release = placement
            .desired
            .as_ref()
            .map_or_else(|| "RELEASE".to_owned(), ToString::to_string);
        let cure = format!("drift is never mended unasked: pointsman deploy {target} {release}");
        (drift.clone(), cure, Mood::Warning)
    } else if placement.confirmed != placement.desired && !is_open {
        let says = format!(
            "runs {}, should run {}",
            run(&placement.confirmed),
            run(&placement.desired)
        );
        let cure = match &placement.desired {
            Some(_) if placement.seen => "it is brought up by itself once it can be".to_owned(),
            Some(_) => format!(
                "it is brought up by itself once {} is there again",
                placement.host
            ),
            None => format!("nothing became this target's release yet: pointsman deploy {target} RELEASE"),
        };
        (says, cure, Mood::Warning)
    } else if placement.health == "unhealthy" {
        let says = format!("runs {}, and its health check fails", run(&placement.confirmed));
        let cure = format!(
            "pointsman logs {target} --host {}; pointsman rollback {target}",
            placement.host
        );
        (says, cure, Mood::Bad)
    } else {
        return None;
    };
    Some(Link {
        about: format!("{target} on {}", placement.host),
        says,
        cure: Some(cure),
        mood,
    })
}
