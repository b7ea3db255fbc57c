//! How long it usually takes from here.

use chrono::TimeDelta;
use pointsman_shared::api::deployments::Overdue;
use pointsman_shared::api::projects::{OnFailure, Strategy};

use super::stories::installed;
use super::world::{World, strategy};
use crate::deployment::{Left, StageTimes, left};
use crate::forecast::waits::Wait;

const USUAL: StageTimes = StageTimes {
    build: 60_000,
    install: 10_000,
    migrate: 5_000,
    switch: 20_000,
};

#[test]
fn it_counts_what_is_left_of_the_stage_and_every_later_one() {
    let mut world = World::new(1, Strategy::default());
    assert_eq!(
        left(&world.facts, &[USUAL], &[], world.now),
        None,
        "it has not started"
    );
    world.advance();
    world.facts.jobs[0].started_at = Some(world.now);
    let later = world.now + TimeDelta::seconds(4);
    assert_eq!(left(&world.facts, &[], &[], later), None, "nothing is guessed");
    let about = |earlier: &[StageTimes], now| match left(&world.facts, earlier, &[], now) {
        Some(Left::Usual(usual)) => usual,
        other => panic!("{other:?}"),
    };
    assert_eq!(about(&[USUAL], later).median_ms, 6_000 + 5_000 + 20_000);
    let late = world.now + TimeDelta::seconds(40);
    let slow = StageTimes {
        install: 60_000,
        ..USUAL
    };
    let told = about(&[USUAL, slow, USUAL], late);
    assert_eq!(
        (told.median_ms, told.runs),
        (20_000 + 25_000, 1),
        "those that were quicker tell nothing any more"
    );
    assert_eq!(
        left(&world.facts, &[USUAL, USUAL], &[], late),
        Some(Left::Overdue(Overdue {
            longest_ms: 10_000,
            runs: 2
        })),
        "nobody knows how long it takes when it takes longer than ever"
    );
}

#[test]
fn a_switch_is_the_last_stage_and_a_pause_has_no_end_to_tell() {
    let mut world = installed(1, strategy(&["100%"], OnFailure::Hold));
    world.facts.jobs[1].started_at = Some(world.now);
    let earlier = [20_000, 30_000, 40_000].map(|switch| StageTimes { switch, ..USUAL });
    let told = left(&world.facts, &earlier, &[], world.now + TimeDelta::seconds(5));
    let Some(Left::Usual(usual)) = told else {
        panic!("{told:?}")
    };
    assert_eq!(
        (usual.low_ms, usual.median_ms, usual.high_ms, usual.runs),
        (15_000, 25_000, 35_000, 3)
    );
    let waited = [Wait {
        from: world.now + TimeDelta::seconds(2),
        to: Some(world.now + TimeDelta::seconds(5)),
    }];
    let told = left(&world.facts, &earlier, &waited, world.now + TimeDelta::seconds(5));
    assert!(
        matches!(told, Some(Left::Usual(usual)) if usual.low_ms == 18_000),
        "what it waited for a person is no part of it: {told:?}"
    );
    world.grant(1);
    world.fail(1, "it answered 500", true);
    world.advance();
    assert_eq!(left(&world.facts, &earlier, &[], world.now), None);
}
