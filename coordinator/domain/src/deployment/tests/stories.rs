//! What a deployer sees, told host by host.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::name::HostId;

use super::world::{World, strategy};
use crate::deployment::{DeploymentOutcome, foreseen, progress};

/// Everything is installed, and the first wave is offered.
pub(super) fn installed(hosts: usize, strategy: Strategy) -> World {
    let mut world = World::new(hosts, strategy);
    world.advance();
    for job in 0..hosts {
        world.grant(job);
        world.succeed(job);
    }
    world.advance();
    world
}

pub(super) fn told(world: &World) -> String {
    let progress = progress(&world.facts);
    let hosts: Vec<_> = progress
        .hosts
        .iter()
        .map(|host| format!("{} {}", host.host, host.state))
        .collect();
    format!("{} [{}]", progress.summary, hosts.join(", "))
}

#[test]
fn what_is_foreseen_of_waves_is_what_a_start_freezes() {
    let mut world = World::new(3, strategy(&["1", "100%"], OnFailure::Hold));
    world.facts.hosts[0].seen = false;
    let ahead = foreseen(&world.facts);
    let names: Vec<Vec<&str>> = ahead
        .iter()
        .map(|wave| wave.iter().map(HostId::as_str).collect())
        .collect();
    assert_eq!(names, [vec!["web-2"], vec!["web-3", "web-1"]]);
    world.advance();
    for host in &world.facts.hosts {
        let wave = usize::try_from(host.wave).unwrap();
        assert!(ahead[wave - 1].contains(&host.host), "{}", host.host);
    }
    assert!(foreseen(&world.facts).is_empty(), "by now they are frozen");
}

#[test]
fn three_hosts_in_two_waves() {
    let mut world = World::new(3, strategy(&["1", "100%"], OnFailure::Hold));
    world.advance();
    assert_eq!(
        told(&world),
        "installing: 0 of 3 hosts [web-1 installing, web-2 installing, web-3 installing]"
    );
    for job in 0..3 {
        world.grant(job);
        world.succeed(job);
        world.advance();
    }
    assert_eq!(
        told(&world),
        "switching wave 1 of 2 [web-1 switching, web-2 installed, web-3 installed]"
    );
    world.grant(3);
    world.facts.jobs[3].step = Some("health".to_owned());
    assert_eq!(progress(&world.facts).state, DeploymentState::Verifying);
    world.succeed(3);
    world.advance();
    assert_eq!(
        told(&world),
        "switching wave 2 of 2 [web-1 live, web-2 switching, web-3 switching]"
    );
    world.run_to_rest();
    assert_eq!(told(&world), "live [web-1 live, web-2 live, web-3 live]");
}

#[test]
fn it_waits_while_its_release_is_built_and_fails_with_the_build() {
    let mut world = World::new(2, Strategy::default());
    world.facts.release.state = ReleaseState::Building;
    world.advance();
    assert_eq!(progress(&world.facts).summary, "building 2.0");
    world.facts.release.state = ReleaseState::Failed;
    world.facts.release.failure = Some("step `npm ci` exited with 1".to_owned());
    world.advance();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Failed));
    assert_eq!(
        world.detail(),
        "release 2.0 was not built: step `npm ci` exited with 1"
    );
}

#[test]
fn a_wish_waits_behind_the_open_one() {
    let mut world = World::new(2, Strategy::default());
    world.facts.behind = Some(811);
    world.advance();
    assert_eq!(told(&world), "waiting behind #811 []");
    world.facts.behind = None;
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
}

#[test]
fn a_full_disk_on_one_host_stops_it_before_any_switch() {
    for (on_failure, ends) in [(OnFailure::Rollback, true), (OnFailure::Hold, false)] {
        let mut world = World::new(3, strategy(&["100%"], on_failure));
        world.advance();
        world.grant(1);
        world.fail(1, "no space left on /srv/shop", false);
        world.run_to_rest();
        assert!(world.switches.is_empty());
        if ends {
            assert_eq!(world.outcome(), Some(DeploymentOutcome::Failed));
            assert_eq!(
                world.detail(),
                "failed on web-2: no space left on /srv/shop; no host had switched"
            );
        } else {
            let progress = progress(&world.facts);
            assert_eq!(progress.state, DeploymentState::Paused);
            assert_eq!(
                progress.reason.as_deref(),
                Some("failed on web-2: no space left on /srv/shop")
            );
        }
    }
}

#[test]
fn a_hold_goes_on_when_told_and_pauses_again_at_the_next_failure() {
    let mut world = installed(3, strategy(&["1", "1", "1"], OnFailure::Hold));
    world.grant(3);
    world.fail(3, "unhealthy", true);
    world.run_to_rest();
    assert_eq!(
        progress(&world.facts).reason.as_deref(),
        Some("failed on web-1: unhealthy")
    );
    world.go_on();
    world.advance();
    world.grant(4);
    world.fail(4, "unhealthy", true);
    world.run_to_rest();
    assert!(world.facts.paused.is_some());
    world.go_on();
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
    assert_eq!(
        world.detail(),
        "live on 1 of 3 hosts; failed on web-1, web-2: unhealthy"
    );
}

#[test]
fn a_newer_wish_ends_one_that_holds_as_failed() {
    let mut world = installed(1, strategy(&["100%"], OnFailure::Hold));
    world.grant(1);
    world.fail(1, "unhealthy", true);
    world.run_to_rest();
    world.facts.newer = Some(813);
    world.advance();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Failed));
    assert_eq!(
        world.detail(),
        "failed on web-1: unhealthy; ended by the newer wish #813"
    );
}

#[test]
fn failures_within_the_allowance_and_continue_go_on() {
    for strategy in [
        Strategy {
            max_failures: 1,
            ..strategy(&["1", "100%"], OnFailure::Hold)
        },
        strategy(&["1", "100%"], OnFailure::Continue),
    ] {
        let mut world = installed(2, strategy);
        world.grant(2);
        world.fail(2, "unhealthy", true);
        world.run_to_rest();
        assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
        assert_eq!(world.detail(), "live on 1 of 2 hosts; failed on web-1: unhealthy");
    }
}

#[test]
fn an_absent_host_is_deferred_by_name_and_holds_nobody() {
    let mut world = World::new(3, strategy(&["1", "100%"], OnFailure::Hold));
    world.vanish(0);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
    assert_eq!(
        world.detail(),
        "live on 2 of 3 hosts with 1 deferred: web-1 (it is absent)"
    );
    assert!(
        world
            .switches
            .iter()
            .all(|(host, _, _)| world.facts.hosts[*host].host.as_str() != "web-1")
    );
}

#[test]
fn with_every_host_absent_it_is_never_live() {
    let mut world = World::new(2, Strategy::default());
    world.vanish(0);
    world.vanish(1);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Failed));
    assert!(
        world
            .detail()
            .starts_with("live on no host with 2 deferred: web-1")
    );
}

#[test]
fn a_host_lost_after_its_grant_counts_as_failed_not_as_deferred() {
    let mut world = installed(2, strategy(&["1", "100%"], OnFailure::Hold));
    world.grant(2);
    world.vanish(0);
    world.lose(2);
    world.advance();
    assert_eq!(world.facts.jobs[2].state, JobState::Abandoned);
    assert!(told(&world).starts_with("paused: a person decides [web-1 unknown"));
}

#[test]
fn a_restarted_agent_finishes_the_same_decision() {
    let mut world = installed(1, Strategy::default());
    world.grant(1);
    world.lose(1);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
    assert_eq!(world.generations, [1]);
}

#[test]
fn a_host_that_drifts_is_left_to_a_person() {
    let mut world = installed(2, strategy(&["1", "100%"], OnFailure::Hold));
    world.drift(1);
    world.run_to_rest();
    assert_eq!(
        world.detail(),
        "live on 1 of 2 hosts with 1 deferred: web-2 (its link was changed by hand)"
    );
}

#[test]
fn cancel_ends_it_in_every_state() {
    let mut waiting = World::new(1, Strategy::default());
    waiting.facts.behind = Some(811);
    waiting.cancel();
    waiting.advance();
    assert_eq!(waiting.outcome(), Some(DeploymentOutcome::Cancelled));
    assert_eq!(waiting.detail(), "cancelled by ann before it started");

    let mut installing = World::new(2, Strategy::default());
    installing.advance();
    installing.grant(0);
    installing.cancel();
    installing.run_to_rest();
    assert_eq!(installing.outcome(), Some(DeploymentOutcome::Cancelled));
    assert!(installing.switches.is_empty());

    let mut switching = installed(2, strategy(&["1", "100%"], OnFailure::Hold));
    switching.grant(2);
    switching.succeed(2);
    switching.advance();
    switching.cancel();
    switching.run_to_rest();
    assert_eq!(switching.outcome(), Some(DeploymentOutcome::Cancelled));
    assert_eq!(
        switching.detail(),
        "deployment #812 was cancelled by ann; 2.0 stays on web-1"
    );
}

#[test]
fn a_cancelled_switch_whose_host_is_lost_ends_abandoned() {
    let mut world = installed(1, Strategy::default());
    world.grant(1);
    world.cancel();
    world.advance();
    world.vanish(0);
    world.lose(1);
    world.run_to_rest();
    assert_eq!(world.outcome(), Some(DeploymentOutcome::Abandoned));
    assert!(world.detail().ends_with("nobody knows yet what is live on web-1"));
}

#[test]
fn a_reason_that_many_hosts_share_is_told_once() {
    let mut world = installed(3, strategy(&["100%"], OnFailure::Hold));
    for (job, why) in [(3, "disk full"), (4, "no healthy answer"), (5, "disk full")] {
        world.grant(job);
        world.fail(job, why, false);
    }
    world.advance();
    assert_eq!(
        progress(&world.facts).reason.as_deref(),
        Some("failed on web-1, web-3: disk full; web-2: no healthy answer")
    );
    let number = world.facts.number;
    assert_eq!(
        world.facts.ways_out(),
        [
            format!("pointsman retry {number}"),
            format!("pointsman skip {number} HOST"),
            format!("pointsman decide {number} continue"),
            format!("pointsman decide {number} rollback"),
            format!("pointsman cancel {number}"),
        ]
    );
    world.facts.migrations.forbidding = vec!["0007_drop".to_owned()];
    assert!(!world.facts.ways_out().iter().any(|way| way.contains("rollback")));
}
