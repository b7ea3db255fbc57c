//! Whatever happens in whatever order: it ends, once, and breaks no rule on the way.

use pointsman_shared::api::projects::{OnFailure, Strategy};
use pointsman_shared::api::releases::ReleaseState;
use proptest::prelude::*;
use proptest::strategy::Strategy as Strategy_;

use super::world::World;
use crate::deployment::{DeploymentOutcome, decide, progress};

#[derive(Debug, Clone)]
enum Happening {
    Grant(usize),
    Succeed(usize),
    Fail(usize, bool),
    Stop(usize),
    Lose(usize),
    Vanish(usize),
    ComeBack(usize),
    Drift(usize),
    Built(bool),
    Cancel,
    GoOn,
    RollBack,
    Pause,
    Retry(usize),
    Skip(usize),
    NewerWish,
    /// Nobody looks for a while: things happen without a decision between them.
    Look,
}

fn happening() -> impl Strategy_<Value = Happening> {
    let job = || 0_usize..24;
    let host = || 0_usize..5;
    prop_oneof![
        8 => job().prop_map(Happening::Grant),
        8 => job().prop_map(Happening::Succeed),
        2 => (job(), any::<bool>()).prop_map(|(job, changed)| Happening::Fail(job, changed)),
        2 => job().prop_map(Happening::Stop),
        2 => job().prop_map(Happening::Lose),
        2 => host().prop_map(Happening::Vanish),
        2 => host().prop_map(Happening::ComeBack),
        1 => host().prop_map(Happening::Drift),
        1 => any::<bool>().prop_map(Happening::Built),
        1 => Just(Happening::Cancel),
        1 => Just(Happening::GoOn),
        1 => Just(Happening::RollBack),
        1 => Just(Happening::Pause),
        2 => host().prop_map(Happening::Retry),
        1 => host().prop_map(Happening::Skip),
        1 => Just(Happening::NewerWish),
        10 => Just(Happening::Look),
    ]
}

fn strategy() -> impl Strategy_<Value = Strategy> {
    let waves = prop_oneof![
        Just(vec!["100%".to_owned()]),
        Just(vec!["1".to_owned(), "100%".to_owned()]),
        Just(vec!["1".to_owned(), "50%".to_owned(), "100%".to_owned()]),
    ];
    let on_failure = prop_oneof![
        Just(OnFailure::Hold),
        Just(OnFailure::Rollback),
        Just(OnFailure::Continue)
    ];
    (waves, on_failure, 0_u32..3, 0_u32..2).prop_map(|(waves, on_failure, max_unavailable, max_failures)| {
        Strategy {
            waves,
            max_unavailable,
            max_failures,
            on_failure,
        }
    })
}

fn happen(world: &mut World, happening: &Happening) {
    let host = |host: usize| host % world.facts.hosts.len();
    match *happening {
        Happening::Grant(job) => world.grant(job),
        Happening::Succeed(job) => world.succeed(job),
        Happening::Fail(job, changed) => world.fail(job, "it failed", changed),
        Happening::Stop(job) => world.stop(job),
        Happening::Lose(job) => world.lose(job),
        Happening::Vanish(index) => world.vanish(host(index)),
        Happening::ComeBack(index) => world.come_back(host(index)),
        Happening::Drift(index) => world.drift(host(index)),
        Happening::Built(well) => built(world, well),
        Happening::Cancel => world.cancel(),
        Happening::GoOn => world.go_on(),
        Happening::RollBack => world.roll_back(),
        Happening::Pause => world.pause(),
        Happening::Retry(index) => {
            world.retry(host(index));
        }
        Happening::Skip(index) => {
            world.skip(host(index));
        }
        Happening::NewerWish => world.facts.newer = Some(813),
        Happening::Look => world.advance(),
    }
}

fn built(world: &mut World, well: bool) {
    if world.facts.release.state == ReleaseState::Building {
        world.facts.release.state = if well {
            ReleaseState::Built
        } else {
            ReleaseState::Failed
        };
    }
}

/// Everything that is owed arrives, and a person answers where one is asked.
fn settle(world: &mut World) {
    built(world, true);
    for _ in 0..10 {
        world.run_to_rest();
        if world.facts.ended.is_some() {
            return;
        }
        world.cancel();
    }
    panic!("it never ends: {:?}", world.facts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn it_always_ends_once_and_breaks_no_rule(
        hosts in 1_usize..5,
        strategy in strategy(),
        first in any::<bool>(),
        building in any::<bool>(),
        pre in any::<bool>(),
        happenings in proptest::collection::vec(happening(), 0..120),
    ) {
        let mut world = World::new(hosts, strategy);
        world.facts.migrations.pre = pre;
        if first {
            world.facts.from = None;
        }
        if building {
            world.facts.release.state = ReleaseState::Building;
        }
        for happening in &happenings {
            happen(&mut world, happening);
            progress(&world.facts);
        }
        settle(&mut world);
        prop_assert!(decide(&world.facts, world.now).is_empty(), "nothing is done after the end");
        let state = progress(&world.facts).state;
        prop_assert!(state.is_final());
        if world.outcome() == Some(DeploymentOutcome::RolledBack) {
            prop_assert!(!first, "there was nothing to go back to");
        }
    }

    #[test]
    fn without_failures_and_people_it_ends_live(
        hosts in 1_usize..5, strategy in strategy(), pre in any::<bool>(), losses in proptest::collection::vec(0_usize..24, 0..6),
    ) {
        let mut world = World::new(hosts, strategy);
        world.facts.migrations.pre = pre;
        world.advance();
        for job in losses {
            world.grant(job);
            world.lose(job);
            world.advance();
        }
        world.run_to_rest();
        prop_assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
        prop_assert_eq!(world.detail(), "live");
    }

    #[test]
    fn no_wave_has_more_hosts_down_than_allowed(hosts in 1_usize..5, strategy in strategy()) {
        let mut world = World::new(hosts, strategy);
        for _ in 0..60 {
            world.advance();
            for wave in 1..=3 {
                let in_wave = |placement| world.facts.hosts[world.index(placement)].wave == wave;
                let open = world.facts.jobs.iter().filter(|job| job.kind.is_switch() && !job.state.is_final());
                let down = open.filter(|job| in_wave(job.placement)).count();
                let limit = world.facts.strategy.max_unavailable;
                prop_assert!(limit == 0 || down <= limit as usize);
            }
            let open = world.jobs().position(|job| !job.state.is_final());
            if let Some(job) = open {
                world.grant(job);
                world.succeed(job);
            }
        }
        prop_assert_eq!(world.outcome(), Some(DeploymentOutcome::Live));
    }
}
