//! A person pauses, tries a host again, leaves one out.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::OnFailure;

use super::stories::{installed, told};
use super::world::{World, strategy};
use crate::deployment::{DeploymentOutcome, progress};

/// Two hosts in two waves; the first one's switch failed after its effect, and a person is asked.
fn failed_on_the_first() -> World {
    let mut world = installed(2, strategy(&["1", "100%"], OnFailure::Hold));
    world.grant(2);
    world.fail(2, "it answered 500", true);
    world.advance();
    assert_eq!(progress(&world.facts).state, DeploymentState::Paused);
    world
}

#[test]
fn a_host_that_failed_is_tried_again_with_a_new_generation() {
    let mut world = failed_on_the_first();
    assert!(!world.retry(1), "web-2 did not fail");
    assert!(world.retry(0));
    world.advance();
    assert_eq!(
        told(&world),
        "switching wave 1 of 2 [web-1 switching, web-2 installed]"
    );
    assert_eq!(world.generations, [2, 0]);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
    assert_eq!(world.detail(), "live");
}

#[test]
fn a_retry_that_fails_asks_again() {
    let mut world = failed_on_the_first();
    world.retry(0);
    world.advance();
    world.grant(3);
    world.fail(3, "it answered 500 again", true);
    world.advance();
    let progress = progress(&world.facts);
    assert_eq!(progress.state, DeploymentState::Paused);
    assert_eq!(
        progress.reason.as_deref(),
        Some("failed on web-1: it answered 500 again")
    );
}

#[test]
fn an_install_that_failed_is_brought_again_before_anybody_switches() {
    let mut world = World::new(2, strategy(&["100%"], OnFailure::Hold));
    world.advance();
    world.grant(0);
    world.fail(0, "no space left", false);
    world.grant(1);
    world.succeed(1);
    world.advance();
    assert!(world.retry(0));
    world.advance();
    assert_eq!(
        told(&world),
        "installing: 1 of 2 hosts [web-1 installing, web-2 installed]"
    );
    world.run_to_rest();
    assert_eq!(world.detail(), "live");
}

#[test]
fn a_host_that_is_left_out_is_told_and_does_not_count_as_failed() {
    let mut world = failed_on_the_first();
    assert!(world.skip(0));
    let left_out: Vec<_> = world
        .facts
        .left_out_failed()
        .iter()
        .map(|(host, _)| host.host.to_string())
        .collect();
    assert_eq!(left_out, ["web-1"]);
    world.advance();
    assert_eq!(
        told(&world),
        "switching wave 2 of 2 [web-1 skipped, web-2 switching]"
    );
    assert!(!world.skip(0), "once");
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
    assert_eq!(world.detail(), "live on 1 of 2 hosts; left out: web-1");
}

#[test]
fn a_host_that_was_left_out_goes_back_with_the_others() {
    let mut world = failed_on_the_first();
    world.skip(0);
    world.advance();
    world.roll_back();
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::RolledBack));
    assert_eq!(
        told(&world),
        "rolled back [web-1 rolled_back, web-2 skipped]".replace("skipped", "cancelled")
    );
}

#[test]
fn nobody_leaves_out_a_host_that_is_being_switched_or_is_live() {
    let mut world = installed(2, strategy(&["1", "100%"], OnFailure::Hold));
    world.grant(2);
    assert_eq!(
        world
            .facts
            .judge_skip(&"web-1".parse().unwrap())
            .unwrap_err()
            .code,
        "host_at_work"
    );
    world.succeed(2);
    world.advance();
    assert_eq!(
        world
            .facts
            .judge_skip(&"web-1".parse().unwrap())
            .unwrap_err()
            .code,
        "already_live"
    );
    assert!(world.skip(1), "its switch is only offered");
    assert_eq!(world.facts.jobs[3].state, JobState::Cancelled);
    world.advance();
    assert_eq!(world.detail(), "live on 1 of 2 hosts; left out: web-2");
}

#[test]
fn it_pauses_between_waves_and_goes_on_when_told() {
    let mut world = installed(3, strategy(&["1", "100%"], OnFailure::Hold));
    world.pause();
    world.advance();
    let before = progress(&world.facts);
    assert_eq!(
        before.state,
        DeploymentState::Switching,
        "the wave under way goes on"
    );
    assert_eq!(
        before.reason.as_deref(),
        Some("ann wants it to pause before the next wave")
    );
    world.grant(3);
    world.succeed(3);
    world.advance();
    let paused = progress(&world.facts);
    assert_eq!(paused.state, DeploymentState::Paused);
    assert_eq!(paused.reason.as_deref(), Some("ann paused it before wave 2"));
    world.facts.newer = Some(813);
    world.advance();
    assert_eq!(world.outcome(), None, "a newer wish waits for whoever paused it");
    world.go_on();
    world.run_to_rest();
    assert_eq!(world.detail(), "live");
}

#[test]
fn a_pause_wished_early_comes_before_the_migrations() {
    let mut world = World::new(1, strategy(&["100%"], OnFailure::Hold));
    world.facts.migrations.pre = true;
    world.advance();
    world.pause();
    world.grant(0);
    world.succeed(0);
    world.advance();
    assert_eq!(progress(&world.facts).state, DeploymentState::Paused);
    assert!(world.facts.migrations.jobs.is_empty());
    world.go_on();
    world.run_to_rest();
    assert_eq!(world.detail(), "live");
}

#[test]
fn a_pause_in_the_last_wave_has_nothing_to_hold() {
    let mut world = installed(1, strategy(&["100%"], OnFailure::Hold));
    world.pause();
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
}

#[test]
fn a_migration_that_failed_is_told_before_a_pause_that_was_wished() {
    let mut world = World::new(1, strategy(&["100%"], OnFailure::Hold));
    world.facts.migrations.pre = true;
    world.advance();
    world.grant(0);
    world.succeed(0);
    world.advance();
    world.pause();
    world.grant(1);
    world.fail(1, "0002_index.sql, line 2: no such table", false);
    world.advance();
    let reason = progress(&world.facts).reason.unwrap();
    assert!(reason.starts_with("pre-migrations failed"), "{reason}");
    world.go_on();
    world.run_to_rest();
    assert_eq!(world.detail(), "live");
}

#[test]
fn a_failure_that_was_accepted_on_one_host_covers_no_other() {
    let mut world = installed(3, strategy(&["1", "1", "1"], OnFailure::Hold));
    world.grant(3);
    world.fail(3, "it answered 500", true);
    world.advance();
    world.go_on();
    world.advance();
    world.grant(4);
    world.fail(4, "it answered 500", true);
    world.advance();
    assert_eq!(progress(&world.facts).state, DeploymentState::Paused);
    assert!(world.retry(0), "the host whose failure was accepted");
    world.advance();
    assert_eq!(
        progress(&world.facts).state,
        DeploymentState::Paused,
        "web-2 is still nobody's decision"
    );
    assert!(world.retry(1));
    world.run_to_rest();
    assert_eq!(world.detail(), "live");
}
