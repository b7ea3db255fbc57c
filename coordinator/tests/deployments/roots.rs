//! Roots that cannot be read or worked in for a while.

use pointsman_shared::api::projects::{OnFailure, Placement};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, Generation};
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::wire::from_agent::FenceState;
use pointsman_store::views;

use super::agent::RootTrouble;
use super::database::with_database;
use super::world::{World, strategy};

impl World {
    async fn trouble(&mut self, host: &str, trouble: Option<RootTrouble>) {
        self.agents.get_mut(host).unwrap().root.trouble = trouble;
        self.start(host).await;
    }

    /// The target on a host, as people see it.
    async fn seen_on(&self, host: &str) -> Placement {
        let rhythm = self.app.config.timing.rhythm();
        let name = "shop@production".parse().unwrap();
        let mut conn = self.app.store.read().await.unwrap();
        let target = views::targets::one(&mut conn, &name, &rhythm)
            .await
            .unwrap()
            .unwrap();
        let mut placements = target.placements.into_iter();
        placements
            .find(|placement| placement.host.as_str() == host)
            .unwrap()
    }
}

const UNREADABLE: RootTrouble = RootTrouble::Unreadable("open /srv/shop: Permission denied");
const UNWRITABLE: RootTrouble = RootTrouble::Unwritable(
    "the agent may not work in /srv/shop, which has mode 0555; `chmod u+rwx /srv/shop`",
);

#[tokio::test]
async fn a_root_that_could_not_be_read_for_a_while_is_as_it_was() {
    with_database(|store| async {
        let mut world = World::new(store, 1, strategy(&["100%"], OnFailure::Hold)).await;
        for version in ["1.0", "2.0"] {
            world.built(version).await;
            world.live(version).await;
        }
        let before = world.seen_on("web-1").await;
        assert_eq!(before.health, "healthy");
        // A switch was interrupted before its rename: the link is where it was.
        world.agents.get_mut("web-1").unwrap().root.fence = FenceState::Standing {
            generation: Generation(2),
            job: None,
            epoch: Epoch(1),
            to: Some(ReleaseFolder::of(3, &Digest::of(b"interrupted"))),
            done: false,
        };
        world.trouble("web-1", None).await;
        assert_eq!(world.seen_on("web-1").await.drift, None);

        world.trouble("web-1", Some(UNREADABLE)).await;
        let unreadable = world.seen_on("web-1").await;
        assert_eq!(
            unreadable.drift.as_deref(),
            Some("open /srv/shop: Permission denied")
        );
        assert_eq!(
            (unreadable.confirmed, unreadable.health.as_str()),
            (None, "unknown"),
            "nobody knows what is live"
        );

        world.trouble("web-1", None).await;
        world.run().await;
        let after = world.seen_on("web-1").await;
        assert_eq!(after.drift, None, "it is what was decided");
        assert_eq!(
            (after.confirmed, after.health.as_str()),
            (before.confirmed, "healthy"),
            "nothing changed"
        );
        assert_eq!(world.placement("web-1").await.generation, Generation(2));
    })
    .await;
}

#[tokio::test]
async fn a_host_whose_root_cannot_be_worked_in_is_named_by_the_plan_and_deferred_before_the_first_wave() {
    with_database(|store| async {
        let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Rollback)).await;
        world.built("1.0").await;
        world.live("1.0").await;
        world.built("2.0").await;
        world.trouble("web-1", Some(UNWRITABLE)).await;
        assert_eq!(
            world.seen_on("web-1").await.confirmed.unwrap().as_str(),
            "1.0",
            "it was read"
        );

        let plan = world.plan("2.0").await.unwrap();
        assert_eq!(plan.notes[0].host.as_str(), "web-1");
        assert!(
            plan.notes[0]
                .note
                .contains("chmod u+rwx /srv/shop`; it will be deferred"),
            "{:?}",
            plan.notes
        );
        let waves: Vec<_> = plan.agreed.waves.iter().map(|wave| wave[0].as_str()).collect();
        assert_eq!(waves, ["web-2", "web-1"], "it is no canary");

        let number = world
            .deploy_with("2.0", |wish| wish.plan = Some(plan.hash))
            .await
            .unwrap()
            .number;
        assert!(world.offered("web-1").await.is_empty(), "nothing is tried there");
        world.run().await;
        let live = world.deployment(number).await;
        assert!(
            live.summary.starts_with(
                "live on 1 of 2 hosts with 1 deferred: web-1 (the agent may not work in /srv/shop"
            ),
            "{}",
            live.summary
        );
        assert_eq!(world.links().await, ["1.0", "2.0"]);

        world.trouble("web-1", None).await;
        world.run().await;
        assert_eq!(world.links().await, ["2.0", "2.0"], "it converges once it can");
    })
    .await;
}
