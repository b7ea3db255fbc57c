//! A job: what it waits for or failed at, and the host that is to do it.

use pointsman_shared::api::jobs::Job;
use pointsman_shared::why;

use super::Asked;
use crate::error::CliError;
use crate::wording;

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
        let link = why::job(job, known, self.session.clock.now());
        let tone = wording::job_state(job.state).tone();
        self.chain.add(depth, tone, link.about, link.says, link.cure);
        match &job.host {
            Some(host) if why::is_up_to_host(job.state) => self.host(depth + 1, host).await,
            Some(_) | None => Ok(()),
        }
    }
}
