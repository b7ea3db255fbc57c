//! What there is to say when a deployment was read again: pure, from two readings to lines.

use pointsman_shared::api::deployments::{Deployment, DeploymentState, HostProgress};

use crate::printer::{LiveLine, Tone};
use crate::text;
use crate::wording;

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How grave.
    pub tone: Tone,
    /// The state, or the host.
    pub verb: String,
    /// The rest.
    pub sentence: String,
}

/// What changed between two readings. Where hosts are drawn live, only their troubles are told (`every_host` false).
pub fn steps(before: Option<&Deployment>, after: &Deployment, every_host: bool) -> Vec<Step> {
    let mut steps: Vec<Step> = after
        .hosts
        .iter()
        .filter(|host| changed(before, host))
        .filter(|host| host.state != "waiting")
        .filter(|host| every_host || is_trouble(host))
        .map(|host| Step {
            tone: wording::host_tone(&host.state),
            verb: host.host.to_string(),
            sentence: host_words(host),
        })
        .collect();
    let same =
        before.is_some_and(|before| before.state == after.state && !tells_more(before, after, every_host));
    // How it ended is told by whoever followed it.
    if !same && !after.state.is_final() {
        steps.push(Step {
            tone: wording::deployment_tone(after.state),
            verb: wording::deployment_verb(after.state).to_owned(),
            sentence: news(before, after, every_host),
        });
    }
    steps
}

/// What is new: not the reason once more, and not a count where counts are drawn.
fn news(before: Option<&Deployment>, after: &Deployment, counts: bool) -> String {
    let told = before.is_some_and(|before| before.state == after.state && before.reason == after.reason);
    let rest = beyond_state(after);
    if told && !rest.is_empty() {
        rest.to_owned()
    } else if counts || !is_count(after) {
        sentence(after)
    } else {
        subject(after)
    }
}

/// Whether the same state has something new to say. Counts of hosts are drawn where there is a terminal.
fn tells_more(before: &Deployment, after: &Deployment, counts: bool) -> bool {
    before.reason != after.reason || before.summary != after.summary && (counts || !is_count(after))
}

/// Whether the summary counts hosts: `installing: 2 of 3 hosts`.
fn is_count(deployment: &Deployment) -> bool {
    beyond_state(deployment).ends_with("hosts")
}

/// What it is about: `1.9.1 on 3 hosts`.
fn subject(deployment: &Deployment) -> String {
    let hosts = text::counted(deployment.hosts.len(), "host");
    format!("{} on {hosts}", deployment.release)
}

/// Hosts on which the deployment did its work, and all that it could be done on.
pub fn progress(deployment: &Deployment) -> (usize, usize) {
    let wanted: &[&str] = match deployment.state {
        DeploymentState::Waiting | DeploymentState::Held | DeploymentState::Building => &[],
        DeploymentState::Installing | DeploymentState::Migrating => &["installed", "switching", "live"],
        DeploymentState::RollingBack | DeploymentState::RolledBack => &["rolled_back"],
        DeploymentState::Switching
        | DeploymentState::Verifying
        | DeploymentState::Paused
        | DeploymentState::Cancelling
        | DeploymentState::Live
        | DeploymentState::Failed
        | DeploymentState::Cancelled
        | DeploymentState::Superseded
        | DeploymentState::Abandoned => &["live"],
    };
    let done = deployment
        .hosts
        .iter()
        .filter(|host| wanted.contains(&host.state.as_str()));
    (done.count(), deployment.hosts.len())
}

/// The hosts as they are drawn while it runs.
pub fn live_lines(deployment: &Deployment) -> Vec<LiveLine> {
    deployment
        .hosts
        .iter()
        .map(|host| LiveLine {
            name: host.host.to_string(),
            tone: wording::host_tone(&host.state),
            words: if deployment.hosts.iter().any(|other| other.wave != host.wave) {
                format!("wave {}  {}", host.wave, host_words(host))
            } else {
                host_words(host)
            },
        })
        .collect()
}

/// What the summary says beyond the state, and why; where it says nothing, what it is about.
pub fn sentence(deployment: &Deployment) -> String {
    let rest = beyond_state(deployment);
    match deployment
        .reason
        .as_deref()
        .filter(|reason| !rest.contains(reason))
    {
        Some(reason) if rest.is_empty() => reason.to_owned(),
        Some(reason) => format!("{rest}: {reason}"),
        None if rest.is_empty() => subject(deployment),
        None => rest.to_owned(),
    }
}

/// What the summary says beyond the state: `wave 1 of 2` of `switching wave 1 of 2`.
pub fn beyond_state(deployment: &Deployment) -> &str {
    let summary = deployment.summary.trim();
    let word = wording::deployment_word(deployment.state);
    let rest = summary.strip_prefix(word).unwrap_or(summary);
    rest.trim_start_matches([' ', ':', ','])
}

/// `web3: No space left on device`, for every host that has a reason to be told.
pub fn troubles(deployment: &Deployment) -> Option<String> {
    let told: Vec<String> = deployment
        .hosts
        .iter()
        .filter(|host| matches!(host.state.as_str(), "failed" | "unknown") || host.reason.is_some())
        .map(|host| format!("{}: {}", host.host, reason(host).unwrap_or(&host.state)))
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// Why, without the host's name, which stands beside it.
pub fn reason(host: &HostProgress) -> Option<&str> {
    let reason = host.reason.as_deref()?;
    let after_name = reason
        .strip_prefix(host.host.as_str())
        .and_then(|rest| rest.strip_prefix(": "));
    Some(after_name.unwrap_or(reason))
}

fn changed(before: Option<&Deployment>, host: &HostProgress) -> bool {
    let known = before.and_then(|before| before.hosts.iter().find(|known| known.host == host.host));
    known.is_none_or(|known| known.state != host.state || known.reason != host.reason)
}

fn is_trouble(host: &HostProgress) -> bool {
    matches!(host.state.as_str(), "failed" | "deferred" | "unknown")
}

fn host_words(host: &HostProgress) -> String {
    let mut words = host.state.replace('_', " ");
    if let Some(milliseconds) = host.duration_ms.filter(|_| is_done(host)) {
        let took = text::duration(std::time::Duration::from_millis(milliseconds));
        words = format!("{words} in {took}");
    }
    if let Some(reason) = reason(host) {
        words = format!("{words}: {reason}");
    }
    words
}

fn is_done(host: &HostProgress) -> bool {
    matches!(host.state.as_str(), "live" | "rolled_back")
}
