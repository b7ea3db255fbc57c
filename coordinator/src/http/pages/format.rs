//! Words, signs and tones of states: a state is never told by its colour alone.

use chrono::{DateTime, Utc};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::deployments::Overdue;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::plans::Usual;
use pointsman_shared::api::releases::ReleaseState;

/// How something stands, for people: a sign, a word, and a tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// A sign beside the word; hidden from screen readers.
    pub(super) sign: &'static str,
    /// The word.
    pub(super) word: &'static str,
    /// The class that colours both.
    pub(super) tone: &'static str,
}

const fn standing(sign: &'static str, word: &'static str, tone: &'static str) -> Standing {
    Standing { sign, word, tone }
}

/// Nobody knows.
pub(super) const UNKNOWN: Standing = standing("?", "unknown", "unknown");

/// How a release stands.
pub(super) const fn release(state: ReleaseState) -> Standing {
    match state {
        ReleaseState::Queued => standing("…", "queued", "wait"),
        ReleaseState::Building => standing("▶", "building", "run"),
        ReleaseState::Built => standing("✓", "built", "ok"),
        ReleaseState::Failed => standing("✕", "failed", "bad"),
        ReleaseState::Cancelled => standing("–", "cancelled", "unknown"),
        ReleaseState::Pruned => standing("–", "collected", "unknown"),
    }
}

/// How a deployment stands.
pub(super) const fn deployment(state: DeploymentState) -> Standing {
    match state {
        DeploymentState::Waiting => standing("…", "waiting", "wait"),
        DeploymentState::Held => standing("…", "held", "wait"),
        DeploymentState::Building => standing("▶", "building", "run"),
        DeploymentState::Installing => standing("▶", "installing", "run"),
        DeploymentState::Migrating => standing("▶", "migrating", "run"),
        DeploymentState::Switching => standing("▶", "switching", "run"),
        DeploymentState::Verifying => standing("▶", "verifying", "run"),
        DeploymentState::Paused => standing("‖", "paused", "warn"),
        DeploymentState::RollingBack => standing("↶", "rolling back", "warn"),
        DeploymentState::Cancelling => standing("▶", "cancelling", "warn"),
        DeploymentState::Live => standing("✓", "live", "ok"),
        DeploymentState::Failed => standing("✕", "failed", "bad"),
        DeploymentState::Cancelled => standing("–", "cancelled", "unknown"),
        DeploymentState::RolledBack => standing("↶", "rolled back", "warn"),
        DeploymentState::Superseded => standing("–", "superseded", "unknown"),
        DeploymentState::Abandoned => standing("✕", "abandoned", "bad"),
    }
}

/// How a deployment that is over ended, by the name of its outcome.
pub(super) fn outcome(name: &str) -> Standing {
    match name {
        "live" => deployment(DeploymentState::Live),
        "failed" => deployment(DeploymentState::Failed),
        "cancelled" => deployment(DeploymentState::Cancelled),
        "rolled_back" => deployment(DeploymentState::RolledBack),
        "superseded" => deployment(DeploymentState::Superseded),
        "abandoned" => deployment(DeploymentState::Abandoned),
        _ => UNKNOWN,
    }
}

/// How a job stands.
pub(super) const fn job(state: JobState) -> Standing {
    match state {
        JobState::Queued => standing("…", "queued", "wait"),
        JobState::Offered => standing("…", "offered", "wait"),
        JobState::Running => standing("▶", "running", "run"),
        JobState::Deferred => standing("…", "deferred", "warn"),
        JobState::Indeterminate => standing("?", "indeterminate", "bad"),
        JobState::Succeeded => standing("✓", "succeeded", "ok"),
        JobState::Failed => standing("✕", "failed", "bad"),
        JobState::Cancelled => standing("–", "cancelled", "unknown"),
        JobState::Superseded => standing("–", "superseded", "unknown"),
        JobState::Abandoned => standing("✕", "abandoned", "bad"),
    }
}

/// How a host of a deployment stands, by the name of its state.
pub(super) fn host(state: &str) -> Standing {
    match state {
        "live" => standing("✓", "live", "ok"),
        "failed" => standing("✕", "failed", "bad"),
        "deferred" => standing("…", "deferred", "warn"),
        "skipped" => standing("–", "skipped", "unknown"),
        "rolled_back" => standing("↶", "rolled back", "warn"),
        "waiting" | "queued" | "offered" => standing("…", "waiting", "wait"),
        "installing" => standing("▶", "installing", "run"),
        "installed" => standing("…", "installed", "wait"),
        "switching" => standing("▶", "switching", "run"),
        _ => UNKNOWN,
    }
}

/// How a step of a job stands, by the name of its state.
pub(super) fn step(state: &str) -> Standing {
    match state {
        "ok" => standing("✓", "done", "ok"),
        "failed" => standing("✕", "failed", "bad"),
        "running" => standing("▶", "running", "run"),
        _ => UNKNOWN,
    }
}

/// How the health of a release on a host stands, by its name.
pub(super) fn health(name: &str) -> Standing {
    match name {
        "healthy" => standing("✓", "healthy", "ok"),
        "unhealthy" => standing("✕", "unhealthy", "bad"),
        _ => UNKNOWN,
    }
}

/// A duration as people say it: `3m40`, `14.2s`, `0.4s`.
pub(super) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}.{}s", ms % 1000 / 100),
        60..3600 => format!("{}m{:02}", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A duration that is often short: `12 ms`, `1.2s`.
pub(super) fn brief(ms: u64) -> String {
    if ms < 1000 {
        format!("{ms} ms")
    } else {
        duration(ms)
    }
}

/// How long something took, and how much of it was no work: `4m02, of which 3m10 waited for a decision`.
pub(super) fn with_wait(ms: u64, waited: u64) -> String {
    if waited < 1000 {
        return duration(ms);
    }
    format!(
        "{}, of which {} waited for a decision",
        duration(ms),
        duration(waited)
    )
}

/// Bytes as people say them: powers of 1000.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    let mut tenths = bytes.saturating_mul(10);
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1000;
        unit = next;
    }
    if unit == "B" {
        return format!("{bytes} B");
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Milliseconds between two times.
pub(super) fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    u64::try_from((to - from).num_milliseconds()).unwrap_or_default()
}

/// How long something usually takes: `about 3m40 left (usually 3m10 to 5m10, from 12 runs)`.
pub(super) fn usual(usual: &Usual, left: &str) -> String {
    format!(
        "about {}{left} (usually {} to {}, from {})",
        duration(usual.median_ms),
        duration(usual.low_ms),
        duration(usual.high_ms),
        count(usual.runs as usize, "run")
    )
}

/// `longer than any of the last 20 runs (5m31 at most)`
pub(super) fn overdue(overdue: Overdue) -> String {
    let longest = duration(overdue.longest_ms);
    match overdue.runs {
        1 => format!("longer than the last run ({longest})"),
        runs => format!("longer than any of the last {runs} runs ({longest} at most)"),
    }
}

/// How many of something: `1 host`, `3 hosts`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_as_people_say_them() {
        let durations = [420, 14_200, 220_000, 7_500_000, 90_000_000].map(duration);
        assert_eq!(durations, ["0.4s", "14.2s", "3m40", "2h05", "1d01h"]);
        assert_eq!(
            [0, 12, 999, 1_200].map(brief),
            ["0 ms", "12 ms", "999 ms", "1.2s"]
        );
        assert_eq!(
            with_wait(242_000, 190_000),
            "4m02, of which 3m10 waited for a decision"
        );
        assert_eq!(with_wait(242_000, 999), "4m02");
        let sizes = [999, 1000, 41_200_000, 9_600_000_000].map(bytes);
        assert_eq!(sizes, ["999 B", "1.0 kB", "41.2 MB", "9.6 GB"]);
    }
}
