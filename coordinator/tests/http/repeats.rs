//! The same request twice is one change.

use pointsman_coordinator::operations::create_environment;
use pointsman_shared::api::projects::NewEnvironment;
use pointsman_shared::digest::Digest;
use pointsman_store::idempotency::{self, Claim, Known};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_changes_nothing() {
    let world = World::new().await;
    let admin = world.admin();
    let wish = json!({ "name": "production", "position": 3 });
    let first = admin.post_once("k1", "environments", &wish).await;
    let again = admin.post_once("k1", "environments", &wish).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(
        world
            .count("SELECT count(*) FROM audit WHERE action = 'environment.create'")
            .await,
        1
    );
    let other = json!({ "name": "production", "position": 4 });
    let refusal = admin.post_once("k1", "environments", &other).await;
    assert_eq!(refusal.refused(409), "idempotency_key_reused");
    let elsewhere = admin.post_once("k1", "projects", &wish).await;
    assert_eq!(elsewhere.refused(409), "idempotency_key_reused");
    let other_person = world.person("admin").await;
    assert_eq!(
        other_person
            .post_once("k1", "environments", &wish)
            .await
            .refused(409),
        "environment_exists"
    );
}

#[tokio::test]
async fn a_refusal_is_repeated_too_and_a_new_key_asks_anew() {
    let world = World::new().await;
    let admin = world.admin();
    let wish = json!({ "project": "shop", "environment": "production", "hosts": { "role": "web" } });
    let first = admin.post_once("k", "targets", &wish).await;
    assert_eq!(first.refused(404), "unknown_project");
    world.set_up_shop().await;
    let again = admin.post_once("k", "targets", &wish).await;
    assert_eq!((again.status, &again.body), (404, &first.body));
    assert_eq!(
        admin.post_once("k2", "targets", &wish).await.refused(409),
        "target_exists"
    );
}

#[tokio::test]
async fn many_at_once_make_one() {
    let world = World::new().await;
    let wish = json!({ "name": "production" });
    let people: Vec<_> = (0..8).map(|_| world.admin()).collect();
    let asked = people
        .iter()
        .map(|admin| admin.post_once("same", "environments", &wish));
    let answers = futures_util::future::join_all(asked).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(made >= 1, "{answers:?}");
    for answer in &answers {
        assert!([201, 409].contains(&answer.status), "{answer:?}");
        if answer.status == 409 {
            assert_eq!(answer.body["code"], "repeated_elsewhere");
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM environment").await, 1);
    assert_eq!(
        world
            .count("SELECT count(*) FROM audit WHERE action = 'environment.create'")
            .await,
        1
    );
}

#[tokio::test]
async fn secrets_are_not_kept_for_repeats() {
    let world = World::new().await;
    let admin = world.admin();
    let wish = json!({ "name": "ci", "role": "viewer" });
    let issued = admin.post_once("k", "tokens", &wish).await.expect(201);
    let secret = issued["token"].as_str().unwrap();
    let again = admin.post_once("k", "tokens", &wish).await;
    assert_eq!(again.refused(409), "answer_not_kept");
    assert_eq!(world.count("SELECT count(*) FROM token").await, 2);
    let kept: Vec<Option<String>> = sqlx::query_scalar("SELECT answer FROM idempotency")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert!(kept.iter().flatten().all(|answer| !answer.contains(secret)));
}

/// What happens when a coordinator dies: its claim stands, nobody finishes it, and the client asks again.
#[tokio::test]
async fn a_repeat_takes_over_what_committed_nothing_and_the_first_can_no_longer_commit() {
    let world = World::new().await;
    let actor = {
        let mut tx = world.app.store.begin().await.unwrap();
        pointsman_coordinator::system::actor(&world.app, &mut tx)
            .await
            .map(|actor| (tx, actor))
    };
    let (tx, actor) = actor.unwrap();
    tx.commit().await.unwrap();
    let claim = |app: &pointsman_coordinator::app::App| Claim {
        principal: actor.principal,
        key: "k".to_owned(),
        attempt: app.ids.next(),
    };
    let (first, second) = (claim(&world.app), claim(&world.app));
    let request = Digest::of(b"the request");
    let now = world.app.clock.now();
    let mut conn = world.app.store.read().await.unwrap();
    assert_eq!(
        idempotency::claim(&mut conn, &first, &request, now)
            .await
            .unwrap(),
        Known::Mine
    );
    assert_eq!(
        idempotency::claim(&mut conn, &second, &request, now)
            .await
            .unwrap(),
        Known::Mine
    );
    let attempt = async |claim: Claim| {
        let mut app = world.app.clone();
        app.store = app.store.claimed(std::sync::Arc::new(claim));
        let wish = NewEnvironment {
            name: "production".parse().unwrap(),
            position: 0,
        };
        create_environment::execute(&app, &actor, wish).await
    };
    assert!(attempt(first.clone()).await.is_err());
    assert!(attempt(second).await.is_ok());
    let third = claim(&world.app);
    assert_eq!(
        idempotency::claim(&mut conn, &third, &request, now)
            .await
            .unwrap(),
        Known::Done
    );
    assert_eq!(world.count("SELECT count(*) FROM environment").await, 1);
}
