//! Gathers who could take a job; the domain judges.

use chrono::{DateTime, Utc};
use pointsman_domain::fit::{Candidate, Fitness, fitness};
use pointsman_shared::wire::from_agent::DeclineReason;
use pointsman_shared::wire::job::Audience;
use pointsman_store::hosts::HostRow;
use pointsman_store::jobs::JobRow;
use pointsman_store::{Transaction, hosts};

use crate::app::App;
use crate::error::OperationResult;

/// Who could take a job now, later, or not at all.
pub async fn of(
    app: &App,
    tx: &mut Transaction,
    job: &JobRow,
    now: DateTime<Utc>,
) -> OperationResult<Fitness> {
    let audience = match &job.audience {
        Audience::Host(host) => hosts::get(tx, host).await?.into_iter().collect(),
        Audience::Pool(pool) => hosts::of_pool(tx, pool).await?,
    };
    let rhythm = app.config.timing.rhythm();
    let candidates: Vec<Candidate> = audience
        .iter()
        .map(|host| candidate(job, host, host.presence.absence(now, &rhythm)))
        .collect();
    Ok(fitness(job.kind, &candidates))
}

/// What a job asks for, in words.
pub fn asked(job: &JobRow) -> String {
    match &job.audience {
        Audience::Host(host) => format!("host {host}"),
        Audience::Pool(pool) => format!("pool {pool}"),
    }
}

fn candidate(
    job: &JobRow,
    host: &HostRow,
    absence: Option<pointsman_domain::presence::Absence>,
) -> Candidate {
    let declined = job.declined.get(&host.id);
    let refuses = match declined {
        Some(DeclineReason::Policy { message } | DeclineReason::Unreadable { message }) => {
            Some(message.clone())
        }
        Some(DeclineReason::Busy | DeclineReason::Closed { .. } | DeclineReason::Draining) | None => None,
    };
    Candidate {
        host: host.id.clone(),
        absence,
        allowed: host.kinds.contains(&job.kind),
        refuses,
        busy: declined.is_some() || host.busy_kinds.contains(&job.kind),
    }
}
