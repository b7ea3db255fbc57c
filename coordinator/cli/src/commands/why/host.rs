//! A host: whether it is there and well, and what waits for it.

use pointsman_shared::api::fleet::Host;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::name::HostId;

use super::Asked;
use crate::error::CliError;
use crate::printer::Tone;
use crate::text;

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

    fn host_link(&mut self, depth: usize, host: &Host) {
        let heard = host
            .last_seen_at
            .map(|at| format!("heard {} ago", text::age(at, self.session.clock.now())));
        let mut words: Vec<String> = heard.into_iter().collect();
        let (tone, cure) = if host.revoked_at.is_some() {
            words.push("its key was taken away".to_owned());
            (
                Tone::Bad,
                Some(format!(
                    "pointsman hosts invite {}, then join again on it",
                    host.id
                )),
            )
        } else if host.joined_at.is_none() {
            words.push("it was invited and has not joined".to_owned());
            (
                Tone::Warning,
                Some("on the host: pointsman-agent join --token TOKEN".to_owned()),
            )
        } else if host.stopped_at.is_some() {
            (
                Tone::Warning,
                Some("on the host: systemctl start pointsman-agent".to_owned()),
            )
        } else if !host.seen {
            let cure = "on the host: systemctl status pointsman-agent; journalctl -u pointsman-agent -n 50";
            (Tone::Bad, Some(cure.to_owned()))
        } else if host.problems.is_empty() {
            words.push(format!(
                "well, works on {}",
                text::counted(host.running as usize, "job")
            ));
            (Tone::Good, None)
        } else {
            (
                Tone::Warning,
                Some("pointsman doctor names the cure of each".to_owned()),
            )
        };
        words.extend(host.problems.iter().cloned());
        self.chain
            .add(depth, tone, format!("host {}", host.id), words.join("; "), cure);
    }
}
