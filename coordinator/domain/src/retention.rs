//! Which releases a target still needs on its hosts, and which the project still needs in the store: each with its
//! reason, in words that people can check.
//!
//! | kept always | |
//! |---|---|
//! | live | what should be live in the target |
//! | confirmed | read back from any of its hosts |
//! | previous good | where a rollback would go |
//! | pinned | somebody said so |
//! | in flight | an open deployment or job wants it, or would go back to it |
//!
//! Beyond those the newest `keep` good ones stay, and everything younger than `min_age`. It never asks the time, and what
//! it does not know it keeps.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_shared::api::projects::Retention;
use pointsman_shared::ids::ReleaseId;

use crate::rollback::{GoodRelease, previous_good};

#[cfg(test)]
mod tests;

/// A release that lies on hosts or in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The release.
    pub id: ReleaseId,
    /// When its build ended.
    pub built_at: DateTime<Utc>,
    /// Who wants it kept whatever happens, and why.
    pub pinned: Option<String>,
}

/// What a target needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// What should be live.
    pub live: Option<ReleaseId>,
    /// Read back from its hosts, or last tried there.
    pub confirmed: BTreeSet<ReleaseId>,
    /// Wanted by open deployments and jobs, or what they would go back to.
    pub in_flight: BTreeSet<ReleaseId>,
    /// Good releases, in any order.
    pub good: Vec<GoodRelease>,
}

/// Why a release stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It should be live.
    Live,
    /// A host says that it is live there.
    Confirmed,
    /// A rollback would go there.
    PreviousGood,
    /// Somebody pinned it.
    Pinned(String),
    /// An open deployment or job wants it, or would go back to it.
    InFlight,
    /// One of the newest good ones.
    NewestGood,
    /// Built lately.
    Young {
        /// Until when it stays for that alone.
        until: DateTime<Utc>,
    },
}

impl Reason {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Live => "live".to_owned(),
            Self::Confirmed => "still live on a host".to_owned(),
            Self::PreviousGood => "previous good: a rollback goes there".to_owned(),
            Self::Pinned(why) => format!("pinned: {why}"),
            Self::InFlight => "an open deployment or job needs it".to_owned(),
            Self::NewestGood => "one of the newest good releases".to_owned(),
            Self::Young { until } => format!("young, until {}", until.format("%F %H:%M UTC")),
        }
    }

    /// Whether it holds when a disk is short, too.
    const fn holds_always(&self) -> bool {
        match self {
            Self::Live | Self::Confirmed | Self::PreviousGood | Self::Pinned(_) | Self::InFlight => true,
            Self::NewestGood | Self::Young { .. } => false,
        }
    }
}

/// How hard the disk is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressure {
    /// There is room.
    Normal,
    /// The disk is short: only what is kept always stays.
    DiskLow,
}

/// Why `release` stays on a target's hosts; none = nobody needs it there.
pub fn reason_to_keep(
    release: &Candidate,
    needs: &Needs,
    policy: &Retention,
    pressure: Pressure,
    now: DateTime<Utc>,
) -> Option<Reason> {
    let reason = reason(release, needs, policy, now)?;
    (pressure == Pressure::Normal || reason.holds_always()).then_some(reason)
}

fn reason(release: &Candidate, needs: &Needs, policy: &Retention, now: DateTime<Utc>) -> Option<Reason> {
    let id = release.id;
    if needs.live == Some(id) {
        return Some(Reason::Live);
    }
    if needs.confirmed.contains(&id) {
        return Some(Reason::Confirmed);
    }
    if previous_good(needs.live, &needs.good).is_some_and(|good| good.id == id) {
        return Some(Reason::PreviousGood);
    }
    if let Some(why) = &release.pinned {
        return Some(Reason::Pinned(why.clone()));
    }
    if needs.in_flight.contains(&id) {
        return Some(Reason::InFlight);
    }
    if newest_good(needs, policy.keep).contains(&id) {
        return Some(Reason::NewestGood);
    }
    let until = release
        .built_at
        .checked_add_signed(TimeDelta::hours(policy.min_age_hours.into()))
        .unwrap_or(DateTime::<Utc>::MAX_UTC);
    (until > now).then_some(Reason::Young { until })
}

fn newest_good(needs: &Needs, keep: u32) -> BTreeSet<ReleaseId> {
    let mut good: Vec<_> = needs.good.iter().collect();
    good.sort_by_key(|good| std::cmp::Reverse(good.first_live_at));
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    good.into_iter().take(keep).map(|good| good.id).collect()
}
