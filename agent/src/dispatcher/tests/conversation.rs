//! Hello, welcome, offer, claim, grant, beats: the talk as it should be, and with silences.

use pointsman_shared::wire::to_agent::{LeaseVerdict, ToAgent, Unwelcome};

use super::world::*;
use crate::dispatcher::{Action, Event};
use crate::lease::Standing;

#[test]
fn offers_are_consumed_only_after_a_welcome_over_this_connection() {
    let mut world = World::new();
    let actions = world.tell(Event::Up);
    assert_eq!(words(&actions), ["hello after 99"]);
    let welcome = world.welcome(hello_nonce(&actions).unwrap());
    let actions = world.control(&ToAgent::Welcome(welcome));
    assert_eq!(
        words(&actions),
        ["Ack 1", "heard", "welcomed", "consume host", "consume default"]
    );
    world.tell(Event::Down);
    assert_eq!(words(&world.tell(Event::Up)), ["hello after 99"]);
}

#[test]
fn hello_is_repeated_until_welcome_and_then_means_a_broken_connection() {
    let mut world = World::new();
    world.tell(Event::Up);
    let mut pauses = Vec::new();
    let last = loop {
        let (pause, actions) = world.wake();
        pauses.push(pause);
        match words(&actions).as_slice() {
            [one] if one == "hello after 99" => {}
            other => break other.to_vec(),
        }
    };
    assert_eq!(pauses, [2, 4, 8, 16, 30, 30]);
    assert_eq!(last, ["rebuild"]);
}

#[test]
fn a_refused_predecessor_is_followed_by_the_one_before() {
    let mut world = World::new();
    let actions = world.tell(Event::Up);
    let refuse = |world: &mut World, actions: &[Action]| {
        let refusal = Unwelcome {
            v: 1,
            host: "web-1".parse().unwrap(),
            instance: instance(100),
            nonce: hello_nonce(actions).unwrap(),
            reason: "another instance is alive".to_owned(),
        };
        world.control(&ToAgent::Unwelcome(refusal))
    };
    let actions = refuse(&mut world, &actions);
    assert_eq!(words(&actions), ["Ack 1", "hello after 98"]);
    let actions = refuse(&mut world, &actions);
    assert_eq!(words(&actions), ["Ack 2"], "both were tried");
    let (pause, actions) = world.wake();
    assert_eq!((pause, words(&actions)), (10, vec!["hello after 99".to_owned()]));
}

#[test]
fn the_offer_is_acked_after_the_grant_and_work_begins() {
    let mut world = World::welcomed();
    let actions = world.offer(INSTALL, 1);
    assert_eq!(words(&actions), ["claim"]);
    let claim = claimed(&actions).unwrap();
    let actions = world.control(&ToAgent::Grant(world.grant(&claim)));
    assert_eq!(words(&actions), ["Ack 3", "Ack 2", "begin 1"]);
    let again = world.control(&ToAgent::Grant(world.grant(&claim)));
    assert_eq!(
        words(&again),
        ["Ack 4"],
        "the same grant twice begins nothing twice"
    );
}

#[test]
fn an_unanswered_claim_is_repeated_with_its_nonce_until_the_offer_is_over() {
    let mut world = World::welcomed();
    let first = claimed(&world.offer(INSTALL, 1)).unwrap();
    let mut moments = Vec::new();
    loop {
        let (_, actions) = world.wake();
        if let Some(claim) = claimed(&actions) {
            assert_eq!(claim.nonce, first.nonce);
            moments.push(world.passed());
        }
        if words(&actions).contains(&"Ack 2".to_owned()) {
            break;
        }
    }
    assert_eq!(moments, [2, 6, 14, 30, 62]);
    assert_eq!(world.passed(), 120);
    let actions = world.control(&ToAgent::Grant(world.grant(&first)));
    assert_eq!(words(&actions)[1..], ["not begun"], "too late, and said so");
}

#[test]
fn a_grant_after_stop_time_is_not_begun() {
    let mut world = World::welcomed();
    let claim = claimed(&world.offer(ACTIVATE, 1)).unwrap();
    world.later(30);
    let actions = world.control(&ToAgent::Grant(world.grant(&claim)));
    assert_eq!(words(&actions), ["Ack 3", "Ack 2", "not begun"]);
}

#[test]
fn beats_list_the_epochs_and_their_answers_move_the_leases() {
    let mut world = World::welcomed();
    let (one, _) = world.begin(INSTALL, 1);
    let (two, _) = world.begin(ACTIVATE, 2);
    let (pause, actions) = world.wake();
    assert_eq!((pause, words(&actions)), (10, vec!["beat 1 of 2".to_owned()]));
    let cancel = LeaseVerdict::Cancel {
        reason: "enough".to_owned(),
    };
    let verdicts = [(first_epoch(1), cancel), (first_epoch(2), LeaseVerdict::Lost)];
    world.control(&world.reply(1, &verdicts));
    assert_eq!(
        one.lease.standing(),
        Standing::Cancelled {
            reason: "enough".to_owned()
        }
    );
    assert_eq!(two.lease.standing(), Standing::Lost);
    world.tell(Event::Ended(first_epoch(1)));
    world.tell(Event::Ended(first_epoch(2)));
    world.later(10);
    assert_eq!(world.wake().0, 30, "an idle agent beats slowly");
}

#[test]
fn three_unanswered_beats_rebuild_the_connection_and_no_faster_than_the_pause_allows() {
    let mut world = World::welcomed();
    let _running = world.begin(INSTALL, 1);
    let mut rebuilds = Vec::new();
    while world.passed() < 600 {
        let (_, actions) = world.wake();
        if words(&actions) == ["rebuild"] {
            rebuilds.push(world.passed());
            world.tell(Event::Down);
            world.tell(Event::Up);
        }
    }
    let gaps: Vec<u64> = rebuilds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(rebuilds[0], 40);
    assert!(gaps.windows(2).all(|pair| pair[0] <= pair[1]), "{gaps:?}");
    assert!(gaps.last() > gaps.first(), "{gaps:?}");
}

#[test]
fn a_redelivered_offer_joins_its_claim() {
    let mut world = World::welcomed();
    let claim = claimed(&world.offer(INSTALL, 1)).unwrap();
    world.tell(Event::Down);
    let actions = world.tell(Event::Up);
    assert!(claimed(&actions).is_some(), "the claim is repeated at once");
    let screened = world.screened(INSTALL, 1, 0);
    assert_eq!(words(&world.offer_screened(screened)), Vec::<String>::new());
    let actions = world.control(&ToAgent::Grant(world.grant(&claim)));
    assert_eq!(words(&actions), ["Ack 4", "Ack 3", "begin 1"]);
}
