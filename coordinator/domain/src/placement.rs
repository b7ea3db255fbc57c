//! A target on a host: how its state report is read, and when it may be brought on by itself (protocol.md 3).
//!
//! A host is switched by itself only if its fence is not above what we allocated and `current` is what its fence says.
//! Everything else is drift: adopted as it is, shown, and left to a person. So a restored old database never moves a
//! host. Drift is judged when a report differs from the last one; a person's later wish clears it.

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
    let same_link = stored.reported
        && stored.current.as_ref() == reported.current
        && stored.foreign.as_deref() == reported.foreign;
    let absent = reported.current.is_none() && reported.foreign.is_none();
    let kept = || stored.drift.clone();
    let link = || {
        reported.current.map_or_else(
            || reported.foreign.unwrap_or("nothing").to_owned(),
            ToString::to_string,
        )
    };
    match reported.fence {
        FenceState::Missing | FenceState::Damaged => {
            let damaged = matches!(reported.fence, FenceState::Damaged);
            let drift = if stored.reported && stored.fence.is_none() && same_link {
                kept()
            } else if absent && !damaged {
                None
            } else {
                let fence = if damaged { "damaged" } else { "missing" };
                Some(format!("its fence is {fence} while `current` names {}", link()))
            };
            // Below the open switch, so that this one may still be executed; above all that came before it.
            let below = stored
                .open_switch
                .map(|open| Generation(open.0.saturating_sub(1)));
            let adopt = Some(below.unwrap_or(stored.generation));
            Reading {
                generation: stored.generation,
                fence: None,
                adopt,
                drift,
            }
        }
        FenceState::Standing {
            generation, to, done, ..
        } => {
            let fence = Some(*generation);
            let unchanged = stored.fence == fence && same_link;
            let drift = if *generation > stored.generation {
                Some(format!(
                    "its fence is at generation {generation}, above ours ({}): this database is older than the host",
                    stored.generation
                ))
            } else if unchanged || stored.open_switch == fence {
                kept()
            } else {
                let fits = match (to, done) {
                    (Some(to), true) => reported.current == Some(to),
                    // Interrupted: the link is where it was before, or already where it should go.
                    (Some(to), false) => reported.current == Some(to) || same_link,
                    // Created by an adopt: it says nothing of the link but what was there then.
                    (None, _) => absent || same_link,
                };
                match (fits, to) {
                    (true, Some(_)) => None,
                    (true, None) => kept(),
                    (false, Some(to)) => {
                        Some(format!("`current` names {}, the last decision was {to}", link()))
                    }
                    (false, None) => Some(format!("`current` names {}, which was not decided here", link())),
                }
            };
            Reading {
                generation: stored.generation.max(*generation),
                fence,
                adopt: None,
                drift,
            }
        }
    }
}

/// What decides whether a host is brought on by itself.
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
    /// Whether it drifted.
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

#[cfg(test)]
mod tests {
    use pointsman_shared::digest::Digest;
    use pointsman_shared::ids::Epoch;

    use super::*;

    fn folder(number: u32) -> ReleaseFolder {
        ReleaseFolder::of(number, &Digest::of(b"x"))
    }

    fn stored(generation: u64, fence: Option<u64>, current: Option<u32>) -> Stored {
        Stored {
            generation: Generation(generation),
            fence: fence.map(Generation),
            current: current.map(folder),
            foreign: None,
            reported: true,
            drift: None,
            open_switch: None,
        }
    }

    fn fence(generation: u64, to: Option<u32>, done: bool) -> FenceState {
        FenceState::Standing {
            generation: Generation(generation),
            job: None,
            epoch: Epoch(1),
            to: to.map(folder),
            done,
        }
    }

    fn read_link(stored: &Stored, fence: &FenceState, current: Option<u32>) -> Reading {
        let current = current.map(folder);
        read(
            stored,
            Reported {
                fence,
                current: current.as_ref(),
                foreign: None,
            },
        )
    }

    #[test]
    fn a_new_root_is_adopted_without_drift() {
        let new = Stored {
            reported: false,
            ..stored(0, None, None)
        };
        let reading = read_link(&new, &FenceState::Missing, None);
        assert_eq!((reading.adopt, reading.drift), (Some(Generation(0)), None));
    }

    #[test]
    fn a_root_with_a_link_of_its_own_is_adopted_and_shown() {
        let new = Stored {
            reported: false,
            ..stored(0, None, None)
        };
        assert!(read_link(&new, &FenceState::Missing, Some(7)).drift.is_some());
        let cleared = stored(0, None, Some(7));
        assert_eq!(
            read_link(&cleared, &FenceState::Missing, Some(7)).drift,
            None,
            "a person's wish is not undone"
        );
        assert_eq!(read_link(&cleared, &fence(0, None, true), Some(7)).drift, None);
    }

    #[test]
    fn an_adopt_stays_below_the_open_switch() {
        let open = Stored {
            open_switch: Some(Generation(3)),
            ..stored(3, None, None)
        };
        assert_eq!(
            read_link(&open, &FenceState::Missing, None).adopt,
            Some(Generation(2))
        );
    }

    #[test]
    fn a_restored_old_database_sees_drift_and_counts_on_above_the_host() {
        let old = stored(3, Some(3), Some(1));
        let reading = read_link(&old, &fence(9, Some(2), true), Some(2));
        assert_eq!(reading.generation, Generation(9));
        assert!(reading.drift.is_some());
        let after = Stored {
            drift: reading.drift.clone(),
            ..stored(9, Some(9), Some(2))
        };
        let again = read_link(&after, &fence(9, Some(2), true), Some(2));
        assert_eq!(again.drift, reading.drift, "the same report does not clear it");
    }

    #[test]
    fn a_link_changed_by_hand_is_drift_and_changed_back_is_none() {
        let known = stored(3, Some(3), Some(1));
        let reading = read_link(&known, &fence(3, Some(1), true), Some(5));
        assert!(reading.drift.is_some());
        let after = Stored {
            drift: reading.drift,
            ..stored(3, Some(3), Some(5))
        };
        assert_eq!(read_link(&after, &fence(3, Some(1), true), Some(1)).drift, None);
    }

    #[test]
    fn an_interrupted_switch_and_an_older_snapshot_are_no_drift() {
        let known = stored(4, Some(3), Some(1));
        assert_eq!(read_link(&known, &fence(4, Some(2), false), Some(1)).drift, None);
        assert_eq!(read_link(&known, &fence(4, Some(2), false), Some(2)).drift, None);
        assert_eq!(read_link(&known, &fence(2, Some(0), true), Some(0)).drift, None);
        assert!(
            read_link(&known, &fence(4, Some(2), false), Some(9))
                .drift
                .is_some()
        );
    }

    #[test]
    fn only_a_seen_fenced_undrifted_idle_host_is_brought_on() {
        let release = ReleaseId(uuid::Uuid::from_u128(1));
        let facts = Converging {
            desired: Some(release),
            confirmed: None,
            installed: false,
            seen: true,
            fenced: true,
            drifted: false,
            busy: false,
            failed: false,
        };
        assert_eq!(converge(&facts), Some(NextStep::Install(release)));
        let installed = Converging {
            installed: true,
            ..facts.clone()
        };
        assert_eq!(converge(&installed), Some(NextStep::Switch(release)));
        for stays in [
            Converging {
                desired: None,
                ..installed.clone()
            },
            Converging {
                confirmed: Some(release),
                ..installed.clone()
            },
            Converging {
                seen: false,
                ..installed.clone()
            },
            Converging {
                fenced: false,
                ..installed.clone()
            },
            Converging {
                drifted: true,
                ..installed.clone()
            },
            Converging {
                busy: true,
                ..installed.clone()
            },
            Converging {
                failed: true,
                ..installed.clone()
            },
        ] {
            assert_eq!(converge(&stays), None, "{stays:?}");
        }
    }
}
