//! Slots, pools, and the end.

use pointsman_shared::wire::from_agent::DeclineReason;
use pointsman_shared::wire::to_agent::ToAgent;

use super::world::*;
use crate::dispatcher::Event;
use crate::lease::Standing;

#[test]
fn a_full_kind_declines_and_says_when_it_is_free() {
    let mut world = World::welcomed();
    let _running = world.begin(INSTALL, 1);
    assert_eq!(words(&world.offer(INSTALL, 2)), [busy(), "Ack 4".to_owned()]);
    let actions = world.tell(Event::Ended(first_epoch(1)));
    assert_eq!(words(&actions), ["slot free for install"]);
    assert_eq!(words(&world.later(1)), Vec::<String>::new(), "it says so once");
}

#[test]
fn switches_always_have_a_slot() {
    let mut world = World::welcomed();
    let running: Vec<_> = (1..=50).map(|n| world.begin(ACTIVATE, n)).collect();
    assert_eq!(world.dispatcher.working().len(), running.len());
}

#[test]
fn a_full_builder_leaves_its_pool_before_it_acks() {
    let mut world = World::welcomed();
    let claim = claimed(&world.offer(BUILD, 1)).unwrap();
    let actions = world.control(&ToAgent::Grant(world.grant(&claim)));
    assert_eq!(words(&actions), ["stop default", "Ack 3", "Ack 2", "begin 1"]);
    let actions = world.tell(Event::Ended(first_epoch(1)));
    assert_eq!(words(&actions), ["consume default"]);
}

#[test]
fn what_the_host_objects_to_is_declined_with_its_words() {
    let mut world = World::welcomed();
    let mut screened = world.screened(INSTALL, 1, 0);
    let reason = DeclineReason::Policy {
        message: "not here".to_owned(),
    };
    screened.objection = Some(reason.clone());
    assert_eq!(
        words(&world.offer_screened(screened)),
        [format!("declined {reason:?}"), "Ack 2".to_owned()]
    );
}

#[test]
fn a_job_whose_last_epoch_winds_down_waits_for_its_end() {
    let mut world = World::welcomed();
    let (running, _) = world.begin(ACTIVATE, 1);
    let again = world.screened(ACTIVATE, 1, 1);
    assert_eq!(words(&world.offer_screened(again)), [busy(), "Ack 4".to_owned()]);
    drop(running);
    let actions = world.tell(Event::Ended(first_epoch(1)));
    assert_eq!(words(&actions), ["slot free for activate"]);
}

#[test]
fn a_draining_agent_takes_nothing_and_gives_its_work_back_after_the_grace() {
    let mut world = World::welcomed();
    let (running, _) = world.begin(INSTALL, 1);
    let claim = claimed(&world.offer(ACTIVATE, 2)).unwrap();
    let actions = words(&world.tell(Event::Drain));
    assert_eq!(actions, ["stop host", "stop default"]);
    assert_eq!(
        words(&world.offer(ACTIVATE, 3)),
        [
            format!("declined {:?}", DeclineReason::Draining),
            "Ack 5".to_owned()
        ]
    );
    let actions = words(&world.control(&ToAgent::Grant(world.grant(&claim))));
    assert_eq!(actions, ["Ack 6", "Ack 4", "not begun"]);
    world.later(59);
    assert_eq!(running.lease.standing(), Standing::Held);
    world.later(1);
    assert_eq!(running.lease.standing(), Standing::Lost);
    assert_eq!(words(&world.tell(Event::Ended(first_epoch(1)))), ["drained"]);
}

#[test]
fn an_idle_agent_drains_at_once() {
    let mut world = World::welcomed();
    assert_eq!(
        words(&world.tell(Event::Drain)),
        ["stop host", "stop default", "drained"]
    );
}
