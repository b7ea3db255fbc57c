//! How long a deployment usually takes from where it is, read from how long its target's earlier ones took stage by stage.
//!
//! While a person is asked, or the end is a cancel or a way back, there is nothing usual to tell.

use chrono::{DateTime, Utc};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::plans::Usual;
use pointsman_shared::outcome::JobKind;

use super::facts::{Facts, JobFacts};
use super::progress::progress;
use crate::forecast::usual;

/// How long the stages of one earlier deployment took, in milliseconds; 0 where it had none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Its build.
    pub build: u64,
    /// Bringing the release to every host.
    pub install: u64,
    /// Its pre-migrations.
    pub migrate: u64,
    /// All its waves, checks included.
    pub switch: u64,
}

/// Of an earlier deployment: the stage that is under way now, and all that came after it.
type Rest = fn(&StageTimes) -> (u64, u64);

/// How long it usually takes from here; none before the start, after the end, and without an earlier one.
pub fn left(facts: &Facts, earlier: &[StageTimes], now: DateTime<Utc>) -> Option<Usual> {
    let since = |begun: Option<DateTime<Utc>>| {
        let begun = begun.or(facts.started_at)?;
        u64::try_from((now - begun).num_milliseconds()).ok()
    };
    let first = |job: fn(&JobFacts) -> bool| {
        let jobs = facts.jobs.iter().chain(&facts.migrations.jobs);
        since(
            jobs.filter(|known| job(known))
                .filter_map(|job| job.started_at)
                .min(),
        )
    };
    let (elapsed, rest): (u64, Rest) = match progress(facts).state {
        DeploymentState::Building => (since(None)?, |times| {
            (times.build, times.install + times.migrate + times.switch)
        }),
        DeploymentState::Installing => {
            let elapsed = first(|job| job.kind == JobKind::Install)?;
            (elapsed, |times| (times.install, times.migrate + times.switch))
        }
        DeploymentState::Migrating => {
            let elapsed = first(|job| job.kind == JobKind::Migrate)?;
            (elapsed, |times| (times.migrate, times.switch))
        }
        DeploymentState::Switching | DeploymentState::Verifying => {
            (first(|job| job.kind.is_switch())?, |times| (times.switch, 0))
        }
        DeploymentState::Waiting
        | DeploymentState::Held
        | DeploymentState::Paused
        | DeploymentState::RollingBack
        | DeploymentState::Cancelling
        | DeploymentState::Live
        | DeploymentState::Failed
        | DeploymentState::Cancelled
        | DeploymentState::RolledBack
        | DeploymentState::Superseded
        | DeploymentState::Abandoned => return None,
    };
    let left: Vec<u64> = earlier
        .iter()
        .map(|times| {
            let (stage, after) = rest(times);
            stage.saturating_sub(elapsed).saturating_add(after)
        })
        .collect();
    usual(&left)
}
