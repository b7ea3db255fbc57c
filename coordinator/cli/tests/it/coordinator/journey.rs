//! How a deployment goes: one step per reading.

use chrono::TimeDelta;
use pointsman_shared::api::deployments::{Deployment, DeploymentState, HostProgress};

use super::world::{JUST_NOW, World, ago, name};

/// How the next deployment will go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Story {
    /// Two waves, all well.
    #[default]
    GoesLive,
    /// The first host's health check fails; the policy rolls back.
    RollsBack,
    /// The same, but the policy holds and a person decides.
    Pauses,
    /// The build of the release fails.
    Fails,
    /// Nothing moves until somebody cancels.
    Stays,
    /// Nothing is published yet.
    IsHeld,
}

/// Steps that are still to come.
pub type Journey = Vec<fn(&mut Deployment)>;

impl Story {
    /// Its steps, the last first.
    pub fn journey(self) -> Journey {
        let mut steps: Journey = match self {
            Self::GoesLive => vec![installing, first_wave, first_live, second_wave, all_live],
            Self::RollsBack => vec![installing, first_wave, first_fails, rolling_back, rolled_back],
            Self::Pauses => vec![installing, first_wave, first_fails, paused],
            Self::Fails => vec![building, build_failed],
            Self::Stays => vec![installing],
            Self::IsHeld => vec![held],
        };
        steps.reverse();
        steps
    }
}

/// After a while.
pub fn to_the_end() -> Journey {
    vec![all_live, first_wave]
}

/// After `decide rollback`, or `rollback` against an open deployment.
pub fn back() -> Journey {
    vec![rolled_back, rolling_back]
}

/// After `decide continue`.
pub fn on() -> Journey {
    vec![all_live, second_wave]
}

impl World {
    /// Moves the deployment a step, and says so.
    pub fn advance(&mut self, number: i64) {
        let Some(step) = self.journeys.get_mut(&number).and_then(Journey::pop) else {
            return;
        };
        let Some(deployment) = self.deployments.iter_mut().find(|known| known.number == number) else {
            return;
        };
        step(deployment);
        if deployment.state.is_final() {
            deployment.ended_at = deployment.started_at.map(|at| at + TimeDelta::seconds(41));
        }
        let deployment = deployment.clone();
        if deployment.state.is_final() {
            self.conclude(&deployment);
        }
        self.tell("deployment.changed", Some(&deployment), &deployment.summary);
    }

    fn conclude(&mut self, deployment: &Deployment) {
        let target = self
            .targets
            .iter_mut()
            .find(|target| target.name == deployment.target)
            .unwrap();
        target.open_deployment = None;
        if deployment.state == DeploymentState::Live {
            target.desired = Some(deployment.release.clone());
            for placement in &mut target.placements {
                placement.desired = Some(deployment.release.clone());
                placement.confirmed = Some(deployment.release.clone());
            }
        }
    }

    /// Writes a wish down.
    pub fn wish(&mut self, kind: &str, target: &str, release: &str) -> Deployment {
        let number = 811 + i64::try_from(self.deployments.len()).unwrap() + 1;
        let known = self
            .targets
            .iter_mut()
            .find(|known| known.name == name(target))
            .unwrap();
        known.open_deployment = Some(number);
        let hosts = known
            .placements
            .iter()
            .enumerate()
            .map(|(at, placement)| HostProgress {
                host: placement.host.clone(),
                wave: if at == 0 { 1 } else { 2 },
                state: "waiting".to_owned(),
                reason: None,
                job: Some(8_121 + i64::try_from(at).unwrap()),
                duration_ms: None,
            });
        let deployment = Deployment {
            id: uuid::Uuid::nil().into(),
            number,
            target: name(target),
            release: name(release),
            from: known.desired.clone(),
            kind: kind.to_owned(),
            state: DeploymentState::Waiting,
            summary: "about to start".to_owned(),
            reason: None,
            ways_out: Vec::new(),
            requested_by: "lucy".to_owned(),
            requested_at: ago(JUST_NOW),
            starts_at: None,
            started_at: Some(ago(JUST_NOW)),
            ended_at: None,
            left: None,
            overdue: None,
            hosts: hosts.collect(),
        };
        self.deployments.push(deployment.clone());
        self.journeys.insert(number, self.story.journey());
        self.tell("deployment.requested", Some(&deployment), "requested by lucy");
        // Hosts are shown once it has started.
        Deployment {
            hosts: Vec::new(),
            ..deployment
        }
    }
}

fn set(deployment: &mut Deployment, state: DeploymentState, summary: &str) {
    deployment.state = state;
    summary.clone_into(&mut deployment.summary);
}

fn hosts(deployment: &mut Deployment, wave: u32) -> impl Iterator<Item = &mut HostProgress> + use<'_> {
    deployment.hosts.iter_mut().filter(move |host| host.wave == wave)
}

fn become_state(host: &mut HostProgress, state: &str) {
    state.clone_into(&mut host.state);
    if state == "live" || state == "rolled_back" {
        host.duration_ms = Some(6_100);
    }
}

fn installing(deployment: &mut Deployment) {
    set(
        deployment,
        DeploymentState::Installing,
        "installing: 0 of 3 hosts",
    );
    for host in &mut deployment.hosts {
        become_state(host, "installing");
    }
}

fn first_wave(deployment: &mut Deployment) {
    set(deployment, DeploymentState::Switching, "switching wave 1 of 2");
    for host in &mut deployment.hosts {
        become_state(host, "installed");
    }
    hosts(deployment, 1).for_each(|host| become_state(host, "switching"));
}

fn first_live(deployment: &mut Deployment) {
    hosts(deployment, 1).for_each(|host| become_state(host, "live"));
}

fn second_wave(deployment: &mut Deployment) {
    deployment.reason = None;
    set(deployment, DeploymentState::Switching, "switching wave 2 of 2");
    hosts(deployment, 2).for_each(|host| become_state(host, "switching"));
}

fn all_live(deployment: &mut Deployment) {
    set(deployment, DeploymentState::Live, "live");
    for host in &mut deployment.hosts {
        become_state(host, "live");
        host.reason = None;
    }
}

fn first_fails(deployment: &mut Deployment) {
    hosts(deployment, 1).for_each(|host| {
        become_state(host, "failed");
        host.reason = Some("web1: health check answered 502 for 2m00".to_owned());
    });
}

fn paused(deployment: &mut Deployment) {
    set(deployment, DeploymentState::Paused, "paused: a person decides");
    deployment.reason = Some("failed on web1: health check answered 502 for 2m00".to_owned());
    let number = deployment.number;
    let back = deployment
        .from
        .as_ref()
        .map(|_| format!("pointsman decide {number} rollback"));
    deployment.ways_out = [
        format!("pointsman retry {number}"),
        format!("pointsman skip {number} HOST"),
        format!("pointsman decide {number} continue"),
    ]
    .into_iter()
    .chain(back)
    .chain([format!("pointsman cancel {number}")])
    .collect();
}

fn rolling_back(deployment: &mut Deployment) {
    set(
        deployment,
        DeploymentState::RollingBack,
        "rolling back to 1.9.0: 0 of 1 hosts",
    );
    deployment.reason = Some("failed on web1: health check answered 502 for 2m00".to_owned());
    hosts(deployment, 1).for_each(|host| become_state(host, "rolling_back"));
}

fn rolled_back(deployment: &mut Deployment) {
    set(deployment, DeploymentState::RolledBack, "rolled back");
    hosts(deployment, 1).for_each(|host| {
        become_state(host, "rolled_back");
        host.reason = None;
    });
    hosts(deployment, 2).for_each(|host| become_state(host, "cancelled"));
}

fn building(deployment: &mut Deployment) {
    set(deployment, DeploymentState::Building, "building 1.9.1");
}

fn build_failed(deployment: &mut Deployment) {
    set(deployment, DeploymentState::Failed, "failed");
    deployment.reason = Some("the build of 1.9.1 failed: npm ci exited with 1".to_owned());
}

fn held(deployment: &mut Deployment) {
    set(deployment, DeploymentState::Held, "held for 5s");
}
