//! Whatever is signed but stale, replayed, unasked or meant for somebody else changes nothing and is counted.

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::Epoch;
use pointsman_shared::wire::Nonce;
use pointsman_shared::wire::job::Audience;
use pointsman_shared::wire::to_agent::{Grant, LeaseVerdict, ToAgent};

use super::world::*;
use crate::dispatcher::{Event, JobQueue};
use crate::lease::Standing;
use crate::letter::Refusal;

#[test]
fn a_grant_must_agree_with_the_claim_in_everything() {
    let mut world = World::welcomed();
    let claim = claimed(&world.offer(INSTALL, 1)).unwrap();
    let right = world.grant(&claim);
    let stranger = Nonce::from_bytes([77; 16]);
    let wrong = [
        Grant {
            nonce: stranger,
            ..right.clone()
        },
        Grant {
            epoch: Epoch(2),
            ..right.clone()
        },
        Grant {
            digest: Digest::of(b"other"),
            ..right.clone()
        },
        Grant {
            job: job(2),
            ..right.clone()
        },
        Grant {
            instance: instance(99),
            ..right.clone()
        },
    ];
    for grant in wrong {
        let actions = words(&world.control(&ToAgent::Grant(grant.clone())));
        assert!(
            !actions.iter().any(|word| word.starts_with("begin")),
            "{grant:?}: {actions:?}"
        );
    }
    assert!(world.dispatcher.refused() >= 4);
    let actions = words(&world.control(&ToAgent::Grant(right)));
    assert!(actions.contains(&"begin 1".to_owned()), "{actions:?}");
}

#[test]
fn an_unasked_welcome_opens_nothing() {
    let mut world = World::new();
    world.tell(Event::Up);
    let welcome = world.welcome(Nonce::from_bytes([77; 16]));
    let actions = words(&world.control(&ToAgent::Welcome(welcome)));
    assert_eq!(actions.len(), 2);
    assert!(actions[1].contains("unasked"), "{actions:?}");
}

#[test]
fn a_reply_to_no_beat_of_ours_renews_nothing() {
    let mut world = World::welcomed();
    let (running, _) = world.begin(INSTALL, 1);
    let actions = words(&world.control(&world.reply(9, &[(first_epoch(1), LeaseVerdict::Lost)])));
    assert!(actions[1].contains("unasked"), "{actions:?}");
    assert_eq!(running.lease.standing(), Standing::Held);
}

#[test]
fn a_cancel_acts_once_in_time_and_for_this_instance() {
    let mut world = World::welcomed();
    let (running, _) = world.begin(INSTALL, 1);
    let mut expired = world.cancel(1, 1);
    expired.expires_at = world.now.coordinator;
    let mut foreign = world.cancel(1, 2);
    foreign.instance = instance(99);
    let mut other_epoch = world.cancel(1, 3);
    other_epoch.epoch = Epoch(7);
    for cancel in [expired, foreign, other_epoch] {
        world.control(&ToAgent::Cancel(cancel));
        assert_eq!(running.lease.standing(), Standing::Held);
    }
    let cancel = world.cancel(1, 4);
    world.control(&ToAgent::Cancel(cancel.clone()));
    assert_ne!(running.lease.standing(), Standing::Held);
    let actions = words(&world.control(&ToAgent::Cancel(cancel)));
    assert!(actions[1].contains("replayed"), "{actions:?}");
}

#[test]
fn an_offer_for_somebody_else_goes_to_the_dead_letters() {
    let mut world = World::welcomed();
    let mut screened = world.screened(INSTALL, 1, 0);
    screened.body.audience = Audience::Host("web-2".parse().unwrap());
    let actions = words(&world.offer_screened(screened));
    assert_eq!(actions[0], "Reject 2");
    assert!(actions[1].contains("foreign_host"), "{actions:?}");

    let screened = world.screened(BUILD, 2, 0);
    let delivery = world.next_delivery();
    let actions = words(&world.tell(Event::Offer(delivery, JobQueue::Host, Box::new(screened))));
    assert_eq!(actions[0], "Reject 3", "a pool's job over the host's queue");
}

#[test]
fn an_expired_offer_is_acked_and_dropped() {
    let mut world = World::welcomed();
    let screened = world.screened(INSTALL, 1, 0);
    world.later(120);
    assert_eq!(words(&world.offer_screened(screened)), ["Ack 2"]);
}

#[test]
fn a_flood_of_refused_messages_is_one_report_a_minute() {
    let mut world = World::welcomed();
    let mut faults = Vec::new();
    for _ in 0..10_000 {
        let delivery = world.next_delivery();
        let refusal = Refusal::new("forged", "signature does not match");
        let actions = words(&world.tell(Event::Refused(delivery, refusal)));
        faults.extend(actions.into_iter().filter(|word| word.starts_with("fault")));
    }
    assert_eq!(faults.len(), 1);
    let actions = words(&world.later(60));
    assert!(
        actions
            .iter()
            .any(|word| word.contains("9999 refused as forged (10000")),
        "{actions:?}"
    );
    assert_eq!(world.dispatcher.refused(), 10_000);
}
