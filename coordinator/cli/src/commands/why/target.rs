//! A target: what should be live, what is under way, and which hosts differ.

use pointsman_shared::api::projects::{Placement, Target};
use pointsman_shared::name::TargetName;

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

    /// A host's part of a target, where it differs from what it should be; while a deployment is open, that one tells.
    pub fn placement(&mut self, depth: usize, of: &Target, placement: &Placement) {
        let target = &of.name;
        let run = |release: &Option<_>| {
            release
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), ToString::to_string)
        };
        let about = format!("{target} on {}", placement.host);
        if let Some(drift) = &placement.drift {
            let release = placement
                .desired
                .as_ref()
                .map_or_else(|| "RELEASE".to_owned(), ToString::to_string);
            let cure = format!("drift is never mended unasked: pointsman deploy {target} {release}");
            self.chain
                .add(depth, Tone::Warning, about, drift.clone(), Some(cure));
        } else if placement.confirmed != placement.desired && of.open_deployment.is_none() {
            let says = format!(
                "runs {}, should run {}",
                run(&placement.confirmed),
                run(&placement.desired)
            );
            let cure = match &placement.desired {
                Some(_) => "it is brought up by itself once it can be".to_owned(),
                None => {
                    format!("nothing became this target's release yet: pointsman deploy {target} RELEASE")
                }
            };
            self.chain.add(depth, Tone::Warning, about, says, Some(cure));
        } else if placement.health == "unhealthy" {
            let says = format!("runs {}, and its health check fails", run(&placement.confirmed));
            let cure = format!(
                "pointsman logs {target} --host {}; pointsman rollback {target}",
                placement.host
            );
            self.chain.add(depth, Tone::Bad, about, says, Some(cure));
        }
    }
}
