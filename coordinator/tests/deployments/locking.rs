//! Locks refuse new wishes and say whose they are; the stop lets nothing but rollbacks begin.

use pointsman_coordinator::error::OperationError;
use pointsman_coordinator::operations::{release_lock, set_lock};
use pointsman_domain::Actor;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::locks::NewLock;
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::ids::PrincipalId;
use pointsman_store::{locks, principals};

use super::database::with_database;
use super::world::World;

fn because(reason: &str) -> NewLock {
    NewLock {
        reason: reason.to_owned(),
        expires_in_s: None,
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T, OperationError>) -> (&'static str, String) {
    match outcome.unwrap_err() {
        OperationError::Refused(refusal) => (refusal.code, refusal.what),
        other @ (OperationError::Store(_) | OperationError::Internal { .. }) => panic!("{other}"),
    }
}

/// Somebody else with a role.
async fn another(world: &World, name: &str, role: RoleName) -> Actor {
    let mut conn = world.app.store.read().await.unwrap();
    let fresh = PrincipalId(world.app.ids.next());
    let kind = pointsman_domain::ActorKind::Token;
    let principal = principals::ensure(&mut conn, fresh, kind, name, world.app.clock.now())
        .await
        .unwrap();
    Actor {
        principal,
        kind,
        name: name.to_owned(),
        rights: role.into(),
        address: None,
        trace: None,
    }
}

#[tokio::test]
async fn a_lock_refuses_new_wishes_and_says_whose_it_is() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        let target = "shop@production".parse().unwrap();
        set_lock::execute(&world.app, &world.actor, Some(&target), &because("the audit"))
            .await
            .unwrap();
        let (refused, words) = code(world.deploy("2.0").await);
        assert_eq!(refused, "locked");
        assert_eq!(words, "shop@production is locked by ann: the audit");

        let ben = another(&world, "ben", RoleName::Deployer).await;
        let wish = because("mine");
        let taken = set_lock::execute(&world.app, &ben, Some(&target), &wish).await;
        assert_eq!(code(taken).0, "locked");
        let freed = release_lock::execute(&world.app, &ben, Some(&target)).await;
        assert_eq!(code(freed).0, "not_allowed", "only its owner, or a maintainer");
        release_lock::execute(&world.app, &world.actor, Some(&target))
            .await
            .unwrap();
        assert_eq!(world.live("2.0").await.state, DeploymentState::Live);
        let again = release_lock::execute(&world.app, &world.actor, Some(&target)).await;
        assert_eq!(code(again).0, "not_locked");
    })
    .await;
}

#[tokio::test]
async fn a_stop_lets_rollbacks_pass_and_nothing_else() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        world.live("2.0").await;
        // What was asked for before the stop is not granted either.
        world.built("3.0").await;
        let open = world.deploy("3.0").await.unwrap().number;
        set_lock::execute(&world.app, &world.actor, None, &because("fire"))
            .await
            .unwrap();
        world.reconcile().await;
        let job = world.offer("web-1").await;
        assert!(!world.agents["web-1"].claim(&world.app, &job).await);
        assert_eq!(code(world.deploy("3.0").await).0, "stopped");
        world.cancel(open).await.unwrap();
        world.run().await;
        let back = world.roll_back(None).await.unwrap().number;
        world.run().await;
        assert_eq!(world.deployment(back).await.state, DeploymentState::Live);
        assert_eq!(world.links().await, ["1.0"]);

        release_lock::execute(&world.app, &world.actor, None)
            .await
            .unwrap();
        assert_eq!(world.live("3.0").await.state, DeploymentState::Live);
    })
    .await;
}

#[tokio::test]
async fn a_lock_needs_a_reason_and_ends_when_it_said() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        let target = "shop@production".parse().unwrap();
        let set =
            async |wish: NewLock| set_lock::execute(&world.app, &world.actor, Some(&target), &wish).await;
        assert_eq!(code(set(because("  ")).await).0, "invalid_reason");
        let short = NewLock {
            expires_in_s: Some(1),
            ..because("a minute")
        };
        set(short.clone()).await.unwrap();
        set(short).await.unwrap();
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let mut conn = world.app.store.read().await.unwrap();
            let now = pointsman_store::now(&mut conn).await.unwrap();
            if locks::all(&mut conn, now).await.unwrap().is_empty() {
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "it never ended");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        world.live("1.0").await;
        // An expired lock does not stand in the way of the next one.
        set_lock::execute(&world.app, &world.actor, Some(&target), &because("again"))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_under_the_stop_is_offered_again_when_it_ends() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        let number = world.deploy("1.0").await.unwrap().number;
        set_lock::execute(&world.app, &world.actor, None, &because("fire"))
            .await
            .unwrap();
        let refused = world.offer("web-1").await;
        assert!(!world.agents["web-1"].claim(&world.app, &refused).await);
        release_lock::execute(&world.app, &world.actor, None)
            .await
            .unwrap();
        let again = world.offer("web-1").await;
        assert_eq!(again.id, refused.id);
        assert!(
            again.offered_at > refused.offered_at,
            "its agent let the first offer go"
        );
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::Live);
    })
    .await;
}
