//! Roots that the agent cannot work in: told with what lies in them, and with the cure.

use std::os::unix::fs::PermissionsExt;

use pointsman_agent::layout::PlacementFacts;

use crate::machine::{Machine, failure};

#[tokio::test]
async fn a_root_that_cannot_be_written_to_is_read_and_names_its_cure() {
    let machine = Machine::new().await;
    let (one, two) = (machine.release(1), machine.release(2));
    machine.install(&one).await;
    machine.switch(&one, 1).await;
    machine.install(&two).await;
    let root = machine.in_root("");
    let mode = |mode| fs_err::set_permissions(&root, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o555);
    let facts = PlacementFacts::read(&machine.record());
    assert_eq!(facts.slots[0].current, Some(one.folder.clone()), "it is readable");
    let problem = facts.problem.unwrap();
    assert!(problem.contains("mode 0555; `chmod u+rwx "), "{problem}");
    let refused = machine.perform(2, 1, &machine.switch_order(&two, 2)).await;
    mode(0o755);
    let (code, message) = failure(&refused);
    assert_eq!(code, "root_closed");
    assert!(message.contains("`chmod u+rwx "), "{message}");
    assert_eq!(PlacementFacts::read(&machine.record()).problem, None);
}
