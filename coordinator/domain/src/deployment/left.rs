//! How long a deployment usually takes from where it is, read from how long its target's earlier ones took stage by stage.
//!
//! While a person is asked, or the end is a cancel or a way back, there is nothing usual to tell.

use chrono::{DateTime, Utc};
use pointsman_shared::api::deployments::{DeploymentState, Overdue};
use pointsman_shared::api::plans::Usual;
use pointsman_shared::outcome::JobKind;

use super::facts::{Facts, JobFacts};
use super::progress::progress;
use crate::forecast::usual;
use crate::forecast::waits::{self, Wait};

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

/// What earlier deployments tell of this one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Left {
    /// How long it usually takes from here.
    Usual(Usual),
    /// Its stage takes longer than that of any of them.
    Overdue(Overdue),
}

/// Of an earlier deployment: the stage that is under way now, and all that came after it.
type Rest = fn(&StageTimes) -> (u64, u64);

/// How long it usually takes from here; none before the start, after the end, and without an earlier one. What it waited
/// for a person, `waited`, is no part of its stage, as it is none of those of the earlier ones.
pub fn left(facts: &Facts, earlier: &[StageTimes], waited: &[Wait], now: DateTime<Utc>) -> Option<Left> {
    let since = |begun: Option<DateTime<Utc>>| {
        let begun = begun.or(facts.started_at)?;
        let lasted = u64::try_from((now - begun).num_milliseconds()).ok()?;
        Some(lasted.saturating_sub(waits::within(waited, begun, now)))
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
    let rests: Vec<(u64, u64)> = earlier.iter().map(rest).collect();
    // Those that were quicker tell nothing of how long a stage takes that has taken longer already.
    let slower = rests.iter().filter(|(stage, _)| *stage > elapsed);
    let left: Vec<u64> = slower
        .map(|(stage, after)| (stage - elapsed).saturating_add(*after))
        .collect();
    let longest = rests.iter().map(|(stage, _)| *stage).max()?;
    Some(usual(&left).map_or_else(
        || {
            Left::Overdue(Overdue {
                longest_ms: longest,
                runs: u32::try_from(rests.len()).unwrap_or(u32::MAX),
            })
        },
        Left::Usual,
    ))
}
