//! How long it usually takes from here.

use chrono::TimeDelta;
use pointsman_shared::api::projects::{OnFailure, Strategy};

use super::stories::installed;
use super::world::{World, strategy};
use crate::deployment::{StageTimes, left};

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
        left(&world.facts, &[USUAL], world.now),
        None,
        "it has not started"
    );
    world.advance();
    world.facts.jobs[0].started_at = Some(world.now);
    let later = world.now + TimeDelta::seconds(4);
    assert_eq!(left(&world.facts, &[], later), None, "nothing is guessed");
    assert_eq!(
        left(&world.facts, &[USUAL], later).unwrap().median_ms,
        6_000 + 5_000 + 20_000
    );
    let late = world.now + TimeDelta::seconds(40);
    assert_eq!(
        left(&world.facts, &[USUAL], late).unwrap().median_ms,
        25_000,
        "a slow stage eats no other"
    );
}

#[test]
fn a_switch_is_the_last_stage_and_a_pause_has_no_end_to_tell() {
    let mut world = installed(1, strategy(&["100%"], OnFailure::Hold));
    world.facts.jobs[1].started_at = Some(world.now);
    let earlier = [20_000, 30_000, 40_000].map(|switch| StageTimes { switch, ..USUAL });
    let usual = left(&world.facts, &earlier, world.now + TimeDelta::seconds(5)).unwrap();
    assert_eq!(
        (usual.low_ms, usual.median_ms, usual.high_ms, usual.runs),
        (15_000, 25_000, 35_000, 3)
    );
    world.grant(1);
    world.fail(1, "it answered 500", true);
    world.advance();
    assert_eq!(left(&world.facts, &earlier, world.now), None);
}
