//! A new agent after its predecessor was killed.

use std::time::Duration;

use pointsman_agent::journal::{RootRecord, StateFolder};
use pointsman_agent::layout::Root;
use pointsman_agent::recovery::{Patience, recover};
use pointsman_shared::ids::PlacementId;
use pointsman_shared::name::RootPath;
use uuid::Uuid;

use crate::actor::{self, SHORT};
use crate::world::{eventually, lives, pid_in, placement};

#[tokio::test]
async fn a_killed_agent_takes_its_child_along_and_the_next_one_ends_the_grandchild() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir(folder.path().join("state")).unwrap();
    let mut agent = actor::start("hold child", folder.path(), None);
    let child = pid_in(&folder.path().join("child"));
    let grandchild = pid_in(&folder.path().join("grandchild"));
    agent.kill().unwrap();
    agent.wait().unwrap();
    eventually("the child died with its parent", || !lives(child));
    assert!(
        lives(grandchild),
        "the parent-death signal reaches the leader only"
    );

    let state = StateFolder::open(&folder.path().join("state")).unwrap();
    assert_eq!(state.groups.all().len(), 1);
    let recovered = recover(&state, SHORT).await;
    assert!(recovered.survivors.is_empty());
    assert!(!lives(grandchild));
    assert!(state.groups.all().is_empty());
}

#[tokio::test]
async fn a_group_that_refuses_to_end_closes_its_placement_only() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["state", "mine", "other"] {
        fs_err::create_dir(folder.path().join(name)).unwrap();
    }
    let mut agent = actor::start("hold child", folder.path(), None);
    let grandchild = pid_in(&folder.path().join("grandchild"));
    agent.kill().unwrap();
    agent.wait().unwrap();

    let state = StateFolder::open(&folder.path().join("state")).unwrap();
    let placements = [("mine", placement()), ("other", PlacementId(Uuid::from_u128(77)))];
    for (name, placement) in placements {
        let root: RootPath = folder.path().join(name).display().to_string().parse().unwrap();
        drop(Root::open(&root).unwrap());
        fs_err::create_dir(folder.path().join(name).join("releases/.tmp-left")).unwrap();
        state.roots.record(&RootRecord { placement, root }).unwrap();
    }
    // No time between the question and giving up: whatever lives at once has refused.
    let hasty = Patience {
        grace: Duration::from_mins(1),
        refusal: Duration::ZERO,
    };
    let recovered = recover(&state, hasty).await;
    let closed: Vec<_> = recovered
        .survivors
        .iter()
        .map(|survivor| survivor.placement)
        .collect();
    assert_eq!(closed, [Some(placement())]);
    assert!(
        folder.path().join("mine/releases/.tmp-left").exists(),
        "its root is left alone"
    );
    assert_eq!(state.groups.all().len(), 1, "it stays in the journal");
    assert!(!folder.path().join("other/releases/.tmp-left").exists());
    assert!(recover(&state, SHORT).await.survivors.is_empty());
    assert!(!folder.path().join("mine/releases/.tmp-left").exists());
    eventually("the grandchild is gone", || !lives(grandchild));
}
