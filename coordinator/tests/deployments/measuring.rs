//! What metrics tell of deployments: the same by every coordinator, after every restart, and never less than before.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_coordinator::app::App;
use pointsman_coordinator::metrics::Metrics;
use pointsman_shared::api::projects::OnFailure;
use pointsman_store::Store;
use pointsman_store::views::metrics::Totals;
use pointsman_store::views::metrics::totals::Span;

use super::database::with_database;
use super::world::{World, strategy};

const SHOP: &str = "project=\"shop\",env=\"production\"";

/// What a coordinator that just started tells, line by line, without what is only its own.
async fn told(app: &App) -> BTreeMap<String, f64> {
    let text = Metrics::default().text(app).await.unwrap();
    assert!(text.ends_with("# EOF\n"));
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.contains("http_request"))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[track_caller]
fn tells(told: &BTreeMap<String, f64>, expected: &[(&str, &str, f64)]) {
    for (name, labels, value) in expected {
        let line = format!("pointsman_{name}{{{labels}}}");
        assert_eq!(told.get(&line), Some(value), "{line} in {told:#?}");
    }
}

async fn two_live(store: Store) -> World {
    let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Hold)).await;
    for version in ["1.0", "2.0"] {
        world.built(version).await;
        world.live(version).await;
    }
    world
}

#[tokio::test]
async fn deployments_are_counted_and_measured_by_target() {
    with_database(|store| async {
        let mut world = two_live(store).await;
        let live = told(&world.app).await;
        let of = |rest: &str| format!("{SHOP},{rest}");
        tells(
            &live,
            &[
                ("deploys_total", &of("kind=\"deploy\",result=\"live\""), 2.0),
                ("deploys_total", &of("kind=\"deploy\",result=\"failed\""), 0.0),
                ("target_hosts", SHOP, 2.0),
                ("rollback_ready_hosts", SHOP, 2.0),
                ("drift_hosts", SHOP, 0.0),
                ("hosts", "env=\"production\",state=\"seen\"", 2.0),
                ("hosts", "env=\"\",state=\"seen\"", 1.0),
                ("hosts", "env=\"production\",state=\"silent\"", 0.0),
                ("deploy_duration_seconds_count", SHOP, 2.0),
                ("lead_time_seconds_count", SHOP, 2.0),
                ("mixed_version_seconds_count", SHOP, 2.0),
                ("rollback_duration_seconds_count", SHOP, 0.0),
                ("stage_duration_seconds_count", &of("stage=\"activate\""), 4.0),
                ("job_wait_seconds_count", "kind=\"install\"", 4.0),
                ("job_attempts_total", "kind=\"build\"", 2.0),
                ("jobs_ended_total", "kind=\"build\",state=\"succeeded\"", 2.0),
                ("jobs", "kind=\"build\",state=\"running\"", 0.0),
                ("migrations_pending", &of("phase=\"pre\""), 0.0),
            ],
        );
        world.roll_back(None).await.unwrap();
        world.run().await;
        let back = told(&world.app).await;
        tells(
            &back,
            &[
                ("deploys_total", &of("kind=\"rollback\",result=\"live\""), 1.0),
                ("deploys_total", &of("kind=\"deploy\",result=\"live\""), 2.0),
                ("rollback_duration_seconds_count", SHOP, 1.0),
                ("mixed_version_seconds_count", SHOP, 3.0),
                ("lead_time_seconds_count", SHOP, 2.0),
            ],
        );
        let ready = format!("pointsman_rollback_ready_hosts{{{SHOP}}}");
        assert_eq!(back.get(&ready), None, "nothing was good before 1.0");
    })
    .await;
}

#[tokio::test]
async fn counters_never_fall_and_every_coordinator_tells_the_same() {
    with_database(|store| async {
        let mut world = two_live(store).await;
        let mut before = BTreeMap::new();
        for step in 0..2 {
            world
                .repository
                .release(&format!("4.{step}"), &[("index.html", "4")]);
            world.built(&format!("4.{step}")).await;
            world.live(&format!("4.{step}")).await;
            let (one, other) = (told(&world.app).await, told(&world.app).await);
            let counters = |told: &BTreeMap<String, f64>| -> BTreeMap<String, f64> {
                let is_counter = |name: &str| {
                    ["_total{", "_count{", "_bucket{"]
                        .iter()
                        .any(|end| name.contains(end))
                };
                let all = told.iter().filter(|(name, _)| is_counter(name));
                all.map(|(name, value)| (name.clone(), *value)).collect()
            };
            assert_eq!(counters(&one), counters(&other));
            for (name, value) in &before {
                assert!(one.get(name) >= Some(value), "{name} fell from {value}");
            }
            before = counters(&one);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_counted_up_to_a_moment_and_since_makes_the_whole() {
    with_database(|store| async {
        let world = two_live(store).await;
        let mut conn = world.app.store.read().await.unwrap();
        let moments: Vec<DateTime<Utc>> = sqlx::query_scalar(
            "SELECT ended_at FROM job UNION SELECT ended_at FROM deployment UNION SELECT granted_at FROM attempt",
        )
        .fetch_all(&mut *conn)
        .await
        .unwrap();
        assert!(moments.len() > 5, "{moments:?}");
        let whole = Totals::read(&mut conn, Span::default()).await.unwrap();
        for moment in moments {
            let upto = Span {
                after: None,
                upto: Some(moment),
            };
            let since = Span {
                after: Some(moment),
                upto: None,
            };
            let mut sum = Totals::read(&mut conn, upto).await.unwrap();
            sum.merge(&Totals::read(&mut conn, since).await.unwrap());
            assert_eq!((&sum.deployments, &sum.jobs), (&whole.deployments, &whole.jobs));
            assert_eq!((&sum.attempts, &sum.expired), (&whole.attempts, &whole.expired));
            for (key, spread) in &whole.measures {
                assert_eq!(sum.measures[key].buckets(), spread.buckets(), "{key:?}");
            }
            for (key, spread) in &whole.stages {
                assert_eq!(sum.stages[key].buckets(), spread.buckets(), "{key:?}");
            }
            for (key, spread) in &whole.waits {
                assert_eq!(sum.waits[key].buckets(), spread.buckets(), "{key:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_lost_attempt_stays_counted_whatever_comes_later() {
    with_database(|store| async {
        let mut world = World::new(store, 1, strategy(&["100%"], OnFailure::Hold)).await;
        world.build("1.0").await.unwrap();
        let job = world.begin("builder").await;
        sqlx::query("UPDATE job SET lease_until = now() - interval '1 second' WHERE id = $1")
            .bind(job.id.0)
            .execute(world.app.store.pool())
            .await
            .unwrap();
        world.sweep().await;
        let lost = [("lease_expired_total", "kind=\"build\"", 1.0)];
        tells(&told(&world.app).await, &lost);
        world.run().await;
        sqlx::query("UPDATE attempt SET ending = 'result'")
            .execute(world.app.store.pool())
            .await
            .unwrap();
        tells(&told(&world.app).await, &lost);
    })
    .await;
}
