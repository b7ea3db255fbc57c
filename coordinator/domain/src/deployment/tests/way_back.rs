//! The way back, told host by host.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::projects::OnFailure;
use pointsman_shared::outcome::JobKind;

use super::stories::{installed, told};
use super::world::{NEW, OLD, World, release, strategy};
use crate::deployment::{DeploymentKind, DeploymentOutcome, PauseReason, progress};

#[test]
fn a_failed_health_check_rolls_back_what_was_switched_and_only_that() {
    let mut world = installed(3, strategy(&["1", "100%"], OnFailure::Rollback));
    world.grant(3);
    world.fail(3, "web-1: no healthy answer within 2m", true);
    assert_eq!(
        progress(&world.facts).summary,
        "switching wave 1 of 2",
        "no later wave begins"
    );
    world.advance();
    assert_eq!(progress(&world.facts).state, DeploymentState::RollingBack);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::RolledBack));
    assert_eq!(world.switches, [(0, NEW, false), (0, OLD, true)]);
    assert_eq!(
        told(&world),
        "rolled back [web-1 rolled_back, web-2 installed, web-3 installed]"
    );
    assert_eq!(
        world.detail(),
        "rolled back to 1.0: failed on web-1: no healthy answer within 2m"
    );
}

#[test]
fn a_switch_that_ends_too_late_to_be_cancelled_goes_back_too() {
    let mut world = installed(3, strategy(&["100%"], OnFailure::Rollback));
    for job in 3..6 {
        world.grant(job);
    }
    world.fail(3, "unhealthy", true);
    world.advance();
    assert!(world.facts.jobs[4].cancel_requested && world.facts.jobs[5].cancel_requested);
    world.succeed(4);
    world.stop(5);
    world.run_to_rest();
    assert_eq!(
        world.switches[3..],
        [(0, OLD, true), (1, OLD, true)],
        "web-3 stopped in time"
    );
    assert_eq!(world.outcome(), Some(DeploymentOutcome::RolledBack));
}

#[test]
fn the_way_back_installs_what_is_gone() {
    let mut world = installed(1, strategy(&["100%"], OnFailure::Rollback));
    world.facts.hosts[0].has = vec![NEW];
    world.grant(1);
    world.fail(1, "unhealthy", true);
    world.run_to_rest();
    let kinds: Vec<_> = world.facts.jobs.iter().map(|job| job.kind).collect();
    assert_eq!(
        kinds,
        [
            JobKind::Install,
            JobKind::Activate,
            JobKind::Install,
            JobKind::Rollback
        ]
    );
    assert_eq!(world.outcome(), Some(DeploymentOutcome::RolledBack));
}

#[test]
fn a_failed_rollback_is_not_tried_again_by_itself() {
    let mut world = installed(1, strategy(&["100%"], OnFailure::Rollback));
    world.grant(1);
    world.fail(1, "unhealthy", true);
    world.advance();
    world.grant(2);
    world.fail(2, "unhealthy as well", true);
    world.run_to_rest();
    assert_eq!(
        world.facts.paused.as_ref().unwrap().why,
        PauseReason::RollbackFailed
    );
    assert_eq!(world.switches.len(), 2);
    assert_eq!(
        progress(&world.facts).summary,
        "paused on the way back to 1.0: a person decides"
    );
    let ways = ["pointsman decide 812 rollback", "pointsman cancel 812"];
    assert_eq!(world.facts.ways_out(), ways);
    let refusal = world.facts.judge_retry(&[]).unwrap_err();
    assert_eq!(
        refusal.hint,
        Some(ways.join(" | ")),
        "no way that is refused is named"
    );
    world.roll_back();
    assert!(world.facts.ways_out().is_empty());
    world.run_to_rest();
    assert_eq!(world.switches.len(), 3);
    assert_eq!(world.outcome(), Some(DeploymentOutcome::RolledBack));
}

#[test]
fn without_a_previous_good_release_it_holds() {
    let same = |world: &mut World| world.facts.from = Some(release(NEW));
    let none = |world: &mut World| world.facts.from = None;
    for prepare in [same as fn(&mut World), none] {
        let mut world = World::new(1, strategy(&["100%"], OnFailure::Rollback));
        prepare(&mut world);
        world.advance();
        for job in 0..2 {
            world.grant(job);
            if job == 0 {
                world.succeed(job);
            } else {
                world.fail(job, "unhealthy", true);
            }
            world.advance();
        }
        assert_eq!(
            world.facts.paused.as_ref().unwrap().why,
            PauseReason::NoPreviousGood
        );
        assert_eq!(world.switches.len(), 1);
    }
}

#[test]
fn a_rollback_by_hand_is_never_rolled_back_by_itself() {
    let mut world = World::new(1, strategy(&["100%"], OnFailure::Rollback));
    world.facts.kind = DeploymentKind::Rollback;
    world.advance();
    for job in 0..2 {
        world.grant(job);
        if job == 0 {
            world.succeed(job);
        } else {
            world.fail(job, "unhealthy", true);
        }
        world.advance();
    }
    assert_eq!(world.facts.paused.as_ref().unwrap().why, PauseReason::Failure);
}

#[test]
fn a_host_that_failed_before_its_switch_needs_no_way_back() {
    let mut world = installed(2, strategy(&["100%"], OnFailure::Rollback));
    world.grant(2);
    world.grant(3);
    world.fail(3, "web-2: bin/warm-cache exited with 1", false);
    world.fail(2, "web-1: no healthy answer within 2m", true);
    world.run_to_rest();
    assert_eq!(
        world.switches,
        [(0, NEW, false), (1, NEW, false), (0, OLD, true)],
        "web-2 is where it would go"
    );
    assert_eq!(world.outcome(), Some(DeploymentOutcome::RolledBack));
    assert_eq!(told(&world), "rolled back [web-1 rolled_back, web-2 failed]");
}

#[test]
fn where_no_switch_took_place_going_back_ends_at_once() {
    let mut world = installed(1, strategy(&["100%"], OnFailure::Rollback));
    world.grant(1);
    world.fail(1, "web-1: bin/warm-cache exited with 1", false);
    world.run_to_rest();
    assert_eq!(world.switches, [(0, NEW, false)]);
    assert_eq!(world.outcome(), Some(DeploymentOutcome::RolledBack));
}

#[test]
fn a_host_lost_in_its_switch_goes_back_whatever_it_last_said() {
    let mut world = installed(2, strategy(&["100%"], OnFailure::Rollback));
    world.grant(2);
    world.grant(3);
    world.fail(2, "web-1: no healthy answer within 2m", true);
    world.advance();
    world.lose(3);
    world.run_to_rest();
    assert_eq!(world.switches[2..], [(0, OLD, true), (1, OLD, true)]);
}

#[test]
fn a_rollback_by_hand_leaves_hosts_alone_that_are_there() {
    let mut world = World::new(3, strategy(&["100%"], OnFailure::Hold));
    world.facts.kind = DeploymentKind::Rollback;
    for host in [1, 2] {
        world.facts.hosts[host].confirmed = Some(NEW);
        world.facts.hosts[host].has.push(NEW);
    }
    world.facts.hosts[2].well = false;
    world.run_to_rest();
    assert_eq!(
        world.switches,
        [(0, NEW, false), (2, NEW, false)],
        "web-2 is there and well"
    );
    assert_eq!(told(&world), "live [web-1 live, web-2 live, web-3 live]");
    // Where all are there, the wish is to switch them again.
    let mut world = World::new(2, strategy(&["100%"], OnFailure::Hold));
    world.facts.kind = DeploymentKind::Rollback;
    for host in &mut world.facts.hosts {
        host.confirmed = Some(NEW);
        host.has.push(NEW);
    }
    world.run_to_rest();
    assert_eq!(world.switches.len(), 2);
}
