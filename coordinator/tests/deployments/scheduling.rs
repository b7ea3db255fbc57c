//! Wishes with a time of their own, and what a wish means for a busy target.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_coordinator::operations::{release_lock, set_lock};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::locks::NewLock;
use pointsman_shared::api::projects::{Strategy, WhenBusy};
use pointsman_shared::clock::{Clock as _, SystemClock};
use pointsman_store::{deployments, targets, views};

use super::database::with_database;
use super::wishes::refused;
use super::world::World;

async fn ready(store: pointsman_store::Store) -> World {
    let mut world = World::new(store, 1, Strategy::default()).await;
    for version in ["1.0", "2.0", "3.0"] {
        world.built(version).await;
    }
    world.live("1.0").await;
    world
}

impl World {
    /// As if its time had come.
    async fn is_due(&self, number: i64) {
        let mut conn = self.app.store.read().await.unwrap();
        let done = sqlx::query(
            "UPDATE deployment SET scheduled_for = scheduled_for - interval '1 day', held_until = held_until - interval '1 day'
             WHERE number = $1",
        )
        .bind(number)
        .execute(&mut *conn)
        .await
        .unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn has_expired(&self, number: i64) {
        let mut conn = self.app.store.read().await.unwrap();
        sqlx::query("UPDATE deployment SET expires_at = now() - interval '1 second' WHERE number = $1")
            .bind(number)
            .execute(&mut *conn)
            .await
            .unwrap();
    }

    async fn when_busy(&self, policy: WhenBusy) {
        let mut conn = self.app.store.read().await.unwrap();
        let name = "shop@production".parse().unwrap();
        let mut target = targets::find(&mut conn, &name).await.unwrap().unwrap();
        target.when_busy = policy;
        targets::update(&mut conn, &target, self.app.clock.now())
            .await
            .unwrap();
    }
}

fn later() -> DateTime<Utc> {
    SystemClock.now() + TimeDelta::hours(1)
}

#[tokio::test]
async fn a_scheduled_wish_waits_for_its_time_and_takes_nobodys_place() {
    with_database(|store| async {
        let mut world = ready(store).await;
        let at = later();
        let scheduled = world.deploy_with("3.0", |wish| wish.at = Some(at)).await.unwrap();
        assert_eq!(
            scheduled.summary,
            format!("scheduled for {}", at.format("%F %T UTC"))
        );
        let mut conn = world.app.store.read().await.unwrap();
        let rhythm = world.app.config.timing.rhythm();
        let target = views::targets::one(&mut conn, &"shop@production".parse().unwrap(), &rhythm)
            .await
            .unwrap();
        assert_eq!(
            target.unwrap().open_deployment,
            None,
            "nothing changes before its time"
        );
        drop(conn);
        let due = deployments::next_due(&mut world.app.store.read().await.unwrap(), SystemClock.now())
            .await
            .unwrap();
        assert_eq!(due.map(|due| due.timestamp()), Some(at.timestamp()));
        world.live("2.0").await;
        assert_eq!(
            world.deployment(scheduled.number).await.state,
            DeploymentState::Waiting
        );
        world.is_due(scheduled.number).await;
        world.run().await;
        assert_eq!(world.deployment(scheduled.number).await.summary, "live");
        assert_eq!(world.links().await, ["3.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_lock_holds_what_is_scheduled_until_it_is_lifted() {
    with_database(|store| async {
        let mut world = ready(store).await;
        let scheduled = world
            .deploy_with("2.0", |wish| wish.at = Some(later()))
            .await
            .unwrap();
        let target = "shop@production".parse().unwrap();
        let lock = NewLock {
            reason: "the audit".to_owned(),
            expires_in_s: None,
        };
        set_lock::execute(&world.app, &world.actor, Some(&target), &lock)
            .await
            .unwrap();
        world.is_due(scheduled.number).await;
        world.run().await;
        let waiting = world.deployment(scheduled.number).await;
        assert_eq!(waiting.state, DeploymentState::Waiting);
        assert_eq!(waiting.reason.as_deref(), Some("locked by ann: the audit"));
        release_lock::execute(&world.app, &world.actor, Some(&target))
            .await
            .unwrap();
        world.run().await;
        assert_eq!(world.deployment(scheduled.number).await.summary, "live");
    })
    .await;
}

#[tokio::test]
async fn what_has_not_started_in_time_never_does() {
    with_database(|store| async {
        let mut world = ready(store).await;
        let open = world.deploy("2.0").await.unwrap();
        let waiting = world
            .deploy_with("3.0", |wish| wish.expires = Some(later()))
            .await
            .unwrap();
        assert_eq!(waiting.summary, format!("waiting behind #{}", open.number));
        world.has_expired(waiting.number).await;
        world.run().await;
        let ended = world.deployment(waiting.number).await;
        assert_eq!(ended.state, DeploymentState::Cancelled);
        assert!(ended.reason.unwrap().starts_with("it had not started by "));
        assert_eq!(world.links().await, ["2.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_held_wish_can_still_be_called_off_before_anything_is_published() {
    with_database(|store| async {
        let mut world = ready(store).await;
        let held = world
            .deploy_with("2.0", |wish| wish.hold_s = Some(600))
            .await
            .unwrap();
        assert_eq!(held.state, DeploymentState::Held);
        world.run().await;
        assert_eq!(world.deployment(held.number).await.state, DeploymentState::Held);
        let cancelled = world.cancel(held.number).await.unwrap();
        assert_eq!(cancelled.state, DeploymentState::Cancelled);
        assert!(cancelled.hosts.is_empty(), "nothing was begun");
        let held = world
            .deploy_with("2.0", |wish| wish.hold_s = Some(600))
            .await
            .unwrap();
        world.is_due(held.number).await;
        world.run().await;
        assert_eq!(world.deployment(held.number).await.summary, "live");
    })
    .await;
}

#[tokio::test]
async fn times_that_make_no_sense_are_refused() {
    with_database(|store| async {
        let world = ready(store).await;
        let past = SystemClock.now() - TimeDelta::hours(1);
        let refusal = refused(world.deploy_with("2.0", |wish| wish.at = Some(past)).await);
        assert_eq!(refusal.code, "invalid_time");
        let refusal = refused(world.deploy_with("2.0", |wish| wish.hold_s = Some(3601)).await);
        assert_eq!(refusal.code, "invalid_time");
        let early = world.deploy_with("2.0", |wish| {
            wish.at = Some(later());
            wish.expires = Some(SystemClock.now() + TimeDelta::minutes(1));
        });
        assert_eq!(refused(early.await).code, "invalid_time");
    })
    .await;
}

#[tokio::test]
async fn a_busy_target_queues_refuses_or_makes_way() {
    with_database(|store| async {
        let mut world = ready(store).await;
        let open = world.deploy("2.0").await.unwrap();
        world.when_busy(WhenBusy::Refuse).await;
        let refusal = refused(world.deploy("3.0").await);
        assert_eq!(refusal.code, "target_busy");
        assert!(
            refusal
                .what
                .contains(&format!("#{} of shop@production is open, by ann", open.number))
        );
        world.when_busy(WhenBusy::Supersede).await;
        let newer = world.deploy("3.0").await.unwrap();
        world.run().await;
        assert_eq!(
            world.deployment(open.number).await.state,
            DeploymentState::Cancelled
        );
        assert_eq!(world.deployment(newer.number).await.summary, "live");
    })
    .await;
}

#[tokio::test]
async fn what_has_switched_a_host_is_not_called_off_for_a_newer_wish() {
    with_database(|store| async {
        let mut world = ready(store).await;
        world.when_busy(WhenBusy::Supersede).await;
        let open = world.deploy("2.0").await.unwrap();
        world.run_host("web-1").await;
        world.reconcile().await;
        let switch = world.begin("web-1").await;
        let newer = world.deploy("3.0").await.unwrap();
        assert_eq!(newer.summary, format!("waiting behind #{}", open.number));
        world.finish("web-1", &switch).await;
        world.run().await;
        assert_eq!(world.deployment(open.number).await.summary, "live");
        assert_eq!(world.deployment(newer.number).await.summary, "live");
    })
    .await;
}
