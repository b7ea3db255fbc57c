//! A new agent after its predecessor was killed.

use pointsman_agent::journal::StateFolder;
use pointsman_agent::recovery::recover;

use crate::actor::{self, SHORT};
use crate::world::{eventually, lives, pid_in};

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
