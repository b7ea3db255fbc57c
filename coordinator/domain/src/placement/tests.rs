//! Reports of hosts, told one by one.

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
