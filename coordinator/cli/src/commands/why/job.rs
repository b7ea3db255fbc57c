//! A job: what it waits for or failed at, and the host that is to do it.

use pointsman_shared::api::jobs::{Job, JobState};
use pointsman_shared::outcome::JobKind;

use super::Asked;
use crate::error::CliError;
use crate::{text, wording};

impl Asked<'_> {
    /// The job, and its host where it matters.
    pub async fn job(&mut self, depth: usize, job: &Job) -> Result<(), CliError> {
        self.job_of_host(depth, job, None).await
    }

    /// The same, where more is known of the reason than the job tells.
    pub async fn job_of_host(
        &mut self,
        depth: usize,
        job: &Job,
        known: Option<&str>,
    ) -> Result<(), CliError> {
        let place = job
            .host
            .as_ref()
            .map_or_else(String::new, |host| format!(" on {host}"));
        let stands = self.stands(job, known);
        let about = format!("job #{}", job.number);
        let tone = wording::job_state(job.state).tone();
        let says = format!("{}{place} {stands}", job.kind.as_str().replace('_', " "));
        self.chain.add(depth, tone, about, says, what_to_do(job));
        match &job.host {
            Some(host)
                if !matches!(
                    job.state,
                    JobState::Succeeded | JobState::Superseded | JobState::Cancelled
                ) =>
            {
                self.host(depth + 1, host).await
            }
            Some(_) | None => Ok(()),
        }
    }

    fn stands(&self, job: &Job, known: Option<&str>) -> String {
        let reason = job.reason.as_deref().or(known);
        let because = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let since = |at| text::age(at, self.session.clock.now());
        match job.state {
            JobState::Queued => format!("is not offered yet{because}"),
            JobState::Offered => format!(
                "is offered since {}, and nobody has taken it{because}",
                since(job.created_at)
            ),
            JobState::Running => {
                let step = job.steps.iter().rfind(|step| step.state == "running");
                let step = step.map_or_else(String::new, |step| format!(", at the step {:?}", step.name));
                format!(
                    "works since {}{step}{because}",
                    since(job.started_at.unwrap_or(job.created_at))
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
}

fn what_to_do(job: &Job) -> Option<String> {
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
