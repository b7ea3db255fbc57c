//! A target on a host: how its state report is read, and when it may be brought on by itself (protocol.md 3).
//!
//! A host is switched by itself only if its fence is not above what we allocated and `current` is what its fence says.
//! Everything else is drift: adopted as it is, shown, and left to a person. So a restored old database never moves a
//! host. Drift is judged when a report differs from the last one; a person's later wish clears it.

#[cfg(test)]
mod tests;

use pointsman_shared::ids::{Generation, ReleaseId};
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::wire::from_agent::FenceState;

/// What is stored of a placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Of the newest decision.
    pub generation: Generation,
    /// The host last reported; none = no fence, or never reported.
    pub fence: Option<Generation>,
    /// The link last read back.
    pub current: Option<ReleaseFolder>,
    /// The link's text when it named no release.
    pub foreign: Option<String>,
    /// Whether the host ever reported.
    pub reported: bool,
    /// What differs from what was decided.
    pub drift: Option<String>,
    /// Generation of the switch that is open on it.
    pub open_switch: Option<Generation>,
}

/// A slot as the host reports it.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    /// Its fence.
    pub fence: &'a FenceState,
    /// The release its link names.
    pub current: Option<&'a ReleaseFolder>,
    /// The link's text when it names no release.
    pub foreign: Option<&'a str>,
}

/// What a report means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The generation from which the next is counted.
    pub generation: Generation,
    /// The host's fence.
    pub fence: Option<Generation>,
    /// The fence must be created or raised to this before the host executes anything.
    pub adopt: Option<Generation>,
    /// What differs from what was decided.
    pub drift: Option<String>,
}

/// Reads a report.
pub fn read(stored: &Stored, reported: Reported<'_>) -> Reading {
    match reported.fence {
        FenceState::Missing | FenceState::Damaged => {
            // Below the open switch, so that this one may still be executed; above all that came before it.
            let below = stored
                .open_switch
                .map(|open| Generation(open.0.saturating_sub(1)));
            Reading {
                generation: stored.generation,
                fence: None,
                adopt: Some(below.unwrap_or(stored.generation)),
                drift: drift_without_fence(stored, reported),
            }
        }
        FenceState::Standing {
            generation, to, done, ..
        } => Reading {
            generation: stored.generation.max(*generation),
            fence: Some(*generation),
            adopt: None,
            drift: drift_of_fence(stored, reported, *generation, to.as_ref(), *done),
        },
    }
}

/// Whether the link is as it was last reported.
fn is_same_link(stored: &Stored, reported: Reported<'_>) -> bool {
    stored.reported
        && stored.current.as_ref() == reported.current
        && stored.foreign.as_deref() == reported.foreign
}

fn link(reported: Reported<'_>) -> String {
    let foreign = reported.foreign.unwrap_or("nothing");
    reported
        .current
        .map_or_else(|| foreign.to_owned(), ToString::to_string)
}

fn drift_without_fence(stored: &Stored, reported: Reported<'_>) -> Option<String> {
    if stored.reported && stored.fence.is_none() && is_same_link(stored, reported) {
        return stored.drift.clone();
    }
    let fence = match reported.fence {
        FenceState::Damaged => "damaged",
        FenceState::Missing | FenceState::Standing { .. } => "missing",
    };
    let is_new = fence == "missing" && reported.current.is_none() && reported.foreign.is_none();
    (!is_new).then(|| format!("its fence is {fence} while `current` names {}", link(reported)))
}

fn drift_of_fence(
    stored: &Stored,
    reported: Reported<'_>,
    generation: Generation,
    to: Option<&ReleaseFolder>,
    done: bool,
) -> Option<String> {
    if generation > stored.generation {
        let ours = stored.generation;
        return Some(format!(
            "its fence is at generation {generation}, above ours ({ours}): this database is older than the host"
        ));
    }
    let same_link = is_same_link(stored, reported);
    let is_unchanged = stored.fence == Some(generation) && same_link;
    if is_unchanged || stored.open_switch == Some(generation) {
        return stored.drift.clone();
    }
    match to {
        Some(to) if reported.current == Some(to) => None,
        // Interrupted: the link is still where it was before.
        Some(_) if !done && same_link => None,
        Some(to) => Some(format!(
            "`current` names {}, the last decision was {to}",
            link(reported)
        )),
        // Created by an adopt, a fence says nothing of the link but that it is as it was then.
        None if same_link || (reported.current.is_none() && reported.foreign.is_none()) => {
            stored.drift.clone()
        }
        None => Some(format!(
            "`current` names {}, which was not decided here",
            link(reported)
        )),
    }
}

/// What decides whether a host is brought on by itself.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts from five places, each of which alone keeps the host where it is"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converging {
    /// What should be live.
    pub desired: Option<ReleaseId>,
    /// What was read back.
    pub confirmed: Option<ReleaseId>,
    /// Whether what should be live lies there complete.
    pub installed: bool,
    /// Whether the host is seen.
    pub seen: bool,
    /// Whether its fence is known and stands.
    pub fenced: bool,
    /// Whether it drifted, or its root cannot be worked in.
    pub drifted: bool,
    /// Whether a job is open on it.
    pub busy: bool,
    /// Whether the newest try to bring this release there failed: it is not tried again by itself.
    pub failed: bool,
}

/// The next step towards what should be live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Bring the release.
    Install(ReleaseId),
    /// Switch to it.
    Switch(ReleaseId),
}

/// What a host needs; none = it is there, or may not be moved by itself.
pub fn converge(facts: &Converging) -> Option<NextStep> {
    let desired = facts.desired?;
    let stays = !facts.seen || !facts.fenced || facts.drifted || facts.busy || facts.failed;
    if stays || facts.confirmed == Some(desired) {
        return None;
    }
    Some(if facts.installed {
        NextStep::Switch(desired)
    } else {
        NextStep::Install(desired)
    })
}
