//! A target: what should be live, what is under way, and which hosts differ.

use pointsman_shared::api::projects::{Placement, Target};
use pointsman_shared::name::TargetName;
use pointsman_shared::why;

use super::Asked;
use crate::error::CliError;
use crate::printer::Tone;
use crate::text;

impl Asked<'_> {
    /// All of it.
    pub async fn target(&mut self, name: &TargetName) -> Result<(), CliError> {
        let target = self.client.target(name).await?;
        let hosts = text::counted(target.placements.len(), "host");
        let (tone, says, cure) = match (&target.desired, target.placements.is_empty()) {
            (_, true) => {
                let labels: Vec<String> = target
                    .hosts
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let says = format!("no host bears its labels {}", labels.join(","));
                (
                    Tone::Bad,
                    says,
                    Some(format!(
                        "pointsman hosts invite HOST --labels {}",
                        labels.join(",")
                    )),
                )
            }
            (Some(release), false) => (Tone::Plain, format!("should run {release} on {hosts}"), None),
            (None, false) => {
                let says = format!("nothing was live on its {hosts} yet");
                (
                    Tone::Faint,
                    says,
                    Some(format!("pointsman deploy {name} RELEASE")),
                )
            }
        };
        self.chain.add(0, tone, name.to_string(), says, cure);
        self.holds(&target).await?;
        for placement in &target.placements {
            self.placement(1, &target, placement);
            if !placement.seen {
                self.host(2, &placement.host).await?;
            }
        }
        let newest = match target.open_deployment {
            Some(number) => Some(self.client.deployment(number).await?),
            // A list leaves the hosts out.
            None => match self.client.deployments(Some(name), 1).await?.items.first() {
                Some(newest) => Some(self.client.deployment(newest.number).await?),
                None => None,
            },
        };
        match newest {
            Some(deployment) => self.deployment(1, &deployment).await,
            None => Ok(()),
        }
    }

    /// Locks, the stop, and migrations whose effect is unknown.
    async fn holds(&mut self, target: &Target) -> Result<(), CliError> {
        let name = &target.name;
        for lock in self.client.locks().await? {
            match &lock.target {
                None => self.stop(1, &lock),
                Some(target) if target == name => {
                    let until = lock
                        .expires_at
                        .map_or_else(String::new, |at| format!(", until {}", text::moment(at)));
                    let says = format!(
                        "{} locked it: {}{until}; new wishes are refused",
                        lock.owner, lock.reason
                    );
                    self.chain.add(
                        1,
                        Tone::Warning,
                        format!("lock of {name}"),
                        says,
                        Some(format!("pointsman unlock {name}")),
                    );
                }
                Some(_) => {}
            }
        }
        for pause in &target.push_pauses {
            self.chain.add(
                1,
                Tone::Warning,
                format!("pushes to {name}"),
                format!("{} paused them: {}", pause.by, pause.reason),
                Some(format!("pointsman push resume {name}")),
            );
        }
        if let Some(number) = self.client.migrations(name, None).await?.unknown_job {
            let job = self.client.job(number).await?;
            self.job(1, &job).await?;
        }
        Ok(())
    }

    /// A host's part of a target, where it differs from what it should be.
    pub fn placement(&mut self, depth: usize, of: &Target, placement: &Placement) {
        if let Some(link) = why::placement(&of.name, of.open_deployment.is_some(), placement) {
            self.link(depth, link);
        }
    }
}
