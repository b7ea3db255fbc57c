//! A deployment: who wished it, what holds it up, and which of its jobs and hosts that is.

use pointsman_shared::api::deployments::{Deployment, DeploymentState, HostProgress};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::locks::Lock;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::why;

use super::Asked;
use crate::error::CliError;
use crate::{follow, text, wording};

/// Hosts that are explained; what holds up more of them is rarely something else.
const MOST_HOSTS: usize = 8;
/// Jobs of a deployment that are looked at.
const MOST_JOBS: usize = 200;

impl Asked<'_> {
    /// Who wished it and how it stands; nothing below it.
    pub fn wish(&mut self, depth: usize, deployment: &Deployment) {
        let link = why::wish(deployment, self.session.clock.now());
        let tone = wording::deployment_tone(deployment.state);
        self.chain
            .add(depth, tone, link.about, link.says, what_to_do(deployment));
    }

    /// All of it.
    pub async fn deployment(&mut self, depth: usize, deployment: &Deployment) -> Result<(), CliError> {
        self.wish(depth, deployment);
        if deployment.state.is_final() {
            return self.parts(depth + 1, deployment).await;
        }
        let locks = self.client.locks().await?;
        if deployment.kind != "rollback"
            && let Some(stop) = locks.iter().find(|lock| lock.target.is_none())
        {
            self.stop(depth, stop);
        }
        match deployment.state {
            DeploymentState::Waiting => self.ahead(depth + 1, deployment).await,
            DeploymentState::Building => self.build(depth + 1, deployment).await,
            DeploymentState::Held
            | DeploymentState::Installing
            | DeploymentState::Migrating
            | DeploymentState::Switching
            | DeploymentState::Verifying
            | DeploymentState::Paused
            | DeploymentState::RollingBack
            | DeploymentState::Cancelling
            | DeploymentState::Live
            | DeploymentState::Failed
            | DeploymentState::Cancelled
            | DeploymentState::RolledBack
            | DeploymentState::Superseded
            | DeploymentState::Abandoned => self.parts(depth + 1, deployment).await,
        }
    }

    /// The global stop.
    pub fn stop(&mut self, depth: usize, stop: &Lock) {
        let link = why::stop(stop);
        self.chain.add(
            depth,
            crate::printer::Tone::Warning,
            link.about,
            link.says,
            link.cure,
        );
    }

    /// What it waits behind, if it does not wait for its time.
    async fn ahead(&mut self, depth: usize, deployment: &Deployment) -> Result<(), CliError> {
        let open = self.client.target(&deployment.target).await?.open_deployment;
        match open.filter(|open| *open != deployment.number) {
            Some(number) => {
                let ahead = self.client.deployment(number).await?;
                self.wish(depth, &ahead);
                self.parts(depth + 1, &ahead).await
            }
            None => self.build(depth, deployment).await,
        }
    }

    /// The job that builds its release, where it is not built.
    async fn build(&mut self, depth: usize, deployment: &Deployment) -> Result<(), CliError> {
        let release = self
            .client
            .release(&deployment.target.project, deployment.release.as_ref())
            .await?;
        match (release.built_at, release.job) {
            (None, Some(number)) => {
                let job = self.client.job(number).await?;
                self.job(depth, &job).await
            }
            (Some(_), _) | (None, None) => Ok(()),
        }
    }

    /// Migrations that did not end well, then hosts that are not where they should be.
    async fn parts(&mut self, depth: usize, deployment: &Deployment) -> Result<(), CliError> {
        if deployment.state == DeploymentState::Failed && deployment.hosts.is_empty() {
            self.build(depth, deployment).await?;
        }
        let jobs = self
            .client
            .jobs(None, Some(deployment.number), MOST_JOBS)
            .await?
            .items;
        let migrations = jobs
            .iter()
            .filter(|job| job.kind == JobKind::Migrate && job.state != JobState::Succeeded);
        for job in migrations.take(2) {
            self.job(depth, job).await?;
        }
        let held_up: Vec<&HostProgress> = deployment.hosts.iter().filter(|host| holds_up(host)).collect();
        for host in held_up.iter().take(MOST_HOSTS) {
            match host.job {
                Some(number) => {
                    let job = self.client.job(number).await?;
                    self.job_of_host(depth, &job, host.reason.as_deref()).await?;
                }
                None => self.host(depth, &host.host).await?,
            }
        }
        if let Some(more) = held_up.len().checked_sub(MOST_HOSTS).filter(|more| *more > 0) {
            let cure = format!("pointsman deployments {}", deployment.number);
            self.chain.add(
                depth,
                crate::printer::Tone::Faint,
                text::counted(more, "more host"),
                "",
                Some(cure),
            );
        }
        Ok(())
    }
}

/// Whether a host's part is neither done nor merely to come; the words are the coordinator's.
fn holds_up(host: &HostProgress) -> bool {
    !matches!(
        host.state.as_str(),
        "live" | "waiting" | "installed" | "skipped" | "cancelled" | "rolled_back"
    ) || host.reason.is_some()
}

/// What a person can do about a deployment in this state.
fn what_to_do(deployment: &Deployment) -> Option<String> {
    let Deployment {
        number,
        target,
        release,
        ..
    } = deployment;
    match deployment.state {
        DeploymentState::Waiting => Some(format!(
            "it begins by itself; pointsman cancel {number} if it must not"
        )),
        DeploymentState::Held => Some(format!(
            "it goes on by itself; until then pointsman cancel {number} leaves no trace"
        )),
        DeploymentState::Paused => Some(wording::ways_out(deployment)),
        DeploymentState::Building
        | DeploymentState::Installing
        | DeploymentState::Migrating
        | DeploymentState::Switching
        | DeploymentState::Verifying
        | DeploymentState::RollingBack
        | DeploymentState::Cancelling => Some(format!("pointsman watch {number}")),
        DeploymentState::Live => None,
        DeploymentState::Failed if deployment.hosts.is_empty() => Some(format!(
            "pointsman logs {number}; once it is mended, build the new commit: pointsman build {} --ref REF",
            target.project
        )),
        DeploymentState::Failed | DeploymentState::RolledBack => Some(format!(
            "pointsman logs {number}; once it is mended, pointsman deploy {target} {release}"
        )),
        DeploymentState::Cancelled => Some(follow::after_cancel(deployment)),
        DeploymentState::Superseded => Some(format!("pointsman why {target}")),
        DeploymentState::Abandoned => Some(format!("pointsman status {target}")),
    }
}
