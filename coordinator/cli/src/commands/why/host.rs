//! A host: whether it is there and well, and what waits for it.

use pointsman_shared::api::fleet::Host;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::name::HostId;
use pointsman_shared::why::{self, Link, Mood};

use super::Asked;
use crate::error::CliError;
use crate::printer::Tone;

/// Jobs of each state that are looked through.
const MOST_JOBS: usize = 200;

impl Asked<'_> {
    /// The host alone.
    pub async fn host(&mut self, depth: usize, host: &HostId) -> Result<(), CliError> {
        let host = self.client.host(host).await?;
        self.host_link(depth, &host);
        Ok(())
    }

    /// The host, where it is not as it should be, and all work that it has or keeps waiting.
    pub async fn whole_host(&mut self, host: &HostId) -> Result<(), CliError> {
        let known = self.client.host(host).await?;
        self.host_link(0, &known);
        for target in self.client.status().await? {
            let here = target
                .placements
                .iter()
                .filter(|placement| placement.host == *host);
            for placement in here {
                self.placement(1, &target, placement);
            }
        }
        let waiting = [
            JobState::Running,
            JobState::Offered,
            JobState::Queued,
            JobState::Deferred,
            JobState::Indeterminate,
        ];
        for state in waiting {
            let jobs = self.client.jobs(Some(state), None, MOST_JOBS).await?.items;
            for job in jobs.iter().filter(|job| job.host.as_ref() == Some(host)) {
                // A list leaves the steps out.
                let job = self.client.job(job.number).await?;
                self.job(1, &job).await?;
            }
        }
        Ok(())
    }

    /// One thing and how it stands, in the words that the dashboard has too.
    pub fn link(&mut self, depth: usize, link: Link) {
        let tone = match link.mood {
            Mood::Good => Tone::Good,
            Mood::Warning => Tone::Warning,
            Mood::Bad => Tone::Bad,
        };
        self.chain.add(depth, tone, link.about, link.says, link.cure);
    }

    fn host_link(&mut self, depth: usize, host: &Host) {
        let link = why::host(host, self.session.clock.now());
        self.link(depth, link);
    }
}
