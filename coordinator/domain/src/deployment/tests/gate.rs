//! Pre-migrations stand between the installs and the first switch.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::OnFailure;

use super::stories::{installed, told};
use super::world::{World, strategy};
use crate::deployment::{DeploymentOutcome, PauseReason, progress};

/// Two hosts have the release, and its migrations are to run.
fn at_the_gate(on_failure: OnFailure) -> World {
    let mut world = World::new(2, strategy(&["1", "100%"], on_failure));
    world.facts.migrations.pre = true;
    world.advance();
    for job in 0..2 {
        world.grant(job);
        world.succeed(job);
    }
    world.advance();
    world
}

#[test]
fn no_host_switches_before_they_are_applied() {
    let mut world = at_the_gate(OnFailure::Hold);
    let waiting = "applying pre-migrations on web-1 [web-1 installed, web-2 installed]";
    assert_eq!(told(&world), waiting);
    world.grant(2);
    world.advance();
    assert_eq!(told(&world), waiting);
    world.run_to_rest();
    assert_eq!(told(&world), "live [web-1 live, web-2 live]");
}

#[test]
fn a_release_without_any_knows_no_gate() {
    let world = installed(2, strategy(&["100%"], OnFailure::Hold));
    assert_eq!(progress(&world.facts).state, DeploymentState::Switching);
}

#[test]
fn a_failed_one_waits_for_a_person_and_is_tried_once_more_on_his_word() {
    let mut world = at_the_gate(OnFailure::Hold);
    world.grant(2);
    world.fail(2, "0002_broken.sql, line 3: no such table", false);
    world.advance();
    let paused = world.facts.paused.clone().unwrap();
    assert_eq!(paused.why, PauseReason::Migration);
    assert_eq!(
        paused.message,
        "pre-migrations failed: 0002_broken.sql, line 3: no such table"
    );
    world.go_on();
    world.advance();
    assert_eq!(world.facts.migrations.jobs.len(), 2);
    world.grant(3);
    world.fail(3, "again", false);
    world.advance();
    assert!(world.facts.paused.is_some(), "each word is for one try");
    world.go_on();
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
}

#[test]
fn with_rollback_a_failed_one_ends_it_and_nothing_had_switched() {
    let mut world = at_the_gate(OnFailure::Rollback);
    world.grant(2);
    world.fail(2, "no such table", false);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Failed));
    assert_eq!(
        world.detail(),
        "pre-migrations failed: no such table; no host had switched"
    );
    assert!(world.switches.is_empty());
}

#[test]
fn one_whose_end_nobody_saw_holds_everything_until_the_ledger_was_read() {
    let mut world = at_the_gate(OnFailure::Hold);
    world.grant(2);
    world.lose(2);
    world.advance();
    assert_eq!(world.facts.migrations.jobs[0].state, JobState::Indeterminate);
    assert!(told(&world).starts_with("nobody knows yet what the pre-migrations did"));
    assert!(world.switches.is_empty() && world.facts.paused.is_none());
    world.succeed(2);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
    assert_eq!(world.facts.migrations.jobs.len(), 1, "it ran once");
}

#[test]
fn a_host_that_goes_away_leaves_them_to_the_next() {
    let mut world = at_the_gate(OnFailure::Hold);
    world.vanish(0);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
    assert!(
        told(&world).starts_with("live on 1 of 2 hosts with 1 deferred: web-1"),
        "{}",
        told(&world)
    );
}

#[test]
fn a_named_host_is_waited_for() {
    let mut world = World::new(2, strategy(&["100%"], OnFailure::Hold));
    world.facts.migrations.pre = true;
    world.facts.migrations.host = Some("web-2".parse().unwrap());
    world.advance();
    for job in 0..2 {
        world.grant(job);
        world.succeed(job);
    }
    world.vanish(1);
    world.advance();
    assert_eq!(
        told(&world),
        "applying pre-migrations on web-2 [web-1 installed, web-2 installed]"
    );
    world.come_back(1);
    world.run_to_rest();
    assert_eq!(told(&world), "live [web-1 live, web-2 live]");
}

#[test]
fn cancelling_ends_the_run_first() {
    let mut world = at_the_gate(OnFailure::Hold);
    world.grant(2);
    world.cancel();
    world.advance();
    assert!(world.facts.migrations.jobs[0].cancel_requested);
    assert_eq!(world.outcome(), None);
    world.stop(2);
    world.advance();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Cancelled));
}

#[test]
fn an_applied_post_migration_forbids_the_way_back() {
    let mut world = installed(1, strategy(&["100%"], OnFailure::Rollback));
    world.facts.migrations.forbidding = vec!["0003_drop_price".to_owned()];
    world.grant(1);
    world.fail(1, "no healthy answer", true);
    world.advance();
    let paused = world.facts.paused.clone().unwrap();
    assert_eq!(paused.why, PauseReason::NoPreviousGood);
    assert!(
        paused
            .message
            .ends_with("1.0 cannot run after the applied post-migration 0003_drop_price"),
        "{}",
        paused.message
    );
}
