//! Deploys on push: what a forge tells becomes a wish, or a reason why not.

use axum::http::{HeaderMap, HeaderValue};
use pointsman_coordinator::error::OperationResult;
use pointsman_coordinator::operations::{
    answer_pushes, keep_webhook, pause_pushes, release_lock, repeat_push, set_lock, take_push,
};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::locks::NewLock;
use pointsman_shared::api::projects::OnFailure;
use pointsman_shared::api::pushes::{Forge, NewPushPause, NewWebhook, Push, PushAnswer, PushOutcome, Taken};
use pointsman_store::{pushes, targets, views};

use super::agent::Mishap;
use super::database::with_database;
use super::wishes::refused;
use super::world::{World, strategy};

const TARGET: &str = "shop@production";

/// The forge, with the secret it was given.
struct Gitlab {
    secret: String,
}

/// 3.0 is live, the target follows these, and the forge has a webhook.
async fn ready(store: pointsman_store::Store, on_push: &[&str]) -> (World, Gitlab) {
    let mut world = World::new(store, 2, strategy(&["1", "100%"], OnFailure::Rollback)).await;
    world.built("3.0").await;
    world.live("3.0").await;
    let mut conn = world.app.store.read().await.unwrap();
    let mut target = targets::find(&mut conn, &TARGET.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    target.on_push = on_push.iter().map(|pattern| pattern.parse().unwrap()).collect();
    targets::update(&mut conn, &target, world.app.clock.now())
        .await
        .unwrap();
    drop(conn);
    let wish = NewWebhook {
        project: "shop".parse().unwrap(),
        forge: Forge::Gitlab,
        name: None,
    };
    let issued = keep_webhook::add(&world.app, &world.actor, &wish).await.unwrap();
    assert_eq!(issued.webhook.url, "http://127.0.0.1/api/v1/webhooks/shop/gitlab");
    let secret = issued.secret;
    (world, Gitlab { secret })
}

impl Gitlab {
    /// Calls the webhook.
    async fn tells(&self, world: &World, delivery: &str, reference: &str) -> OperationResult<Taken> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-gitlab-token", self.secret.as_str()),
            ("x-gitlab-event", "Push Hook"),
            ("idempotency-key", delivery),
        ] {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let body = serde_json::json!({ "ref": reference, "after": "ab".repeat(20), "user_username": "bea" });
        let body = body.to_string();
        let (project, name) = ("shop".parse().unwrap(), "gitlab".parse().unwrap());
        take_push::execute(&world.app, &project, &name, &headers, body.as_bytes()).await
    }

    /// Calls the webhook, and lets the coordinator answer.
    async fn pushes(&self, world: &World, delivery: &str, reference: &str) -> Push {
        let taken = self.tells(world, delivery, reference).await.unwrap();
        answer_pushes::execute(&world.app).await.unwrap();
        world.push(taken.push.unwrap()).await
    }
}

impl World {
    async fn push(&self, number: i64) -> Push {
        let mut conn = self.app.store.read().await.unwrap();
        pushes::one(&mut conn, number).await.unwrap().unwrap()
    }

    /// As if the pause between two tries were over.
    async fn is_tried_again(&self) {
        let mut conn = self.app.store.read().await.unwrap();
        sqlx::query("UPDATE push SET next_try_at = now() WHERE next_try_at IS NOT NULL")
            .execute(&mut *conn)
            .await
            .unwrap();
        answer_pushes::execute(&self.app).await.unwrap();
    }

    async fn pauses(&self) -> Vec<String> {
        let mut conn = self.app.store.read().await.unwrap();
        let rhythm = self.app.config.timing.rhythm();
        let target = views::targets::one(&mut conn, &TARGET.parse().unwrap(), &rhythm)
            .await
            .unwrap();
        target
            .unwrap()
            .push_pauses
            .into_iter()
            .map(|pause| pause.reason)
            .collect()
    }
}

/// The one answer of a push.
#[track_caller]
fn only(push: &Push) -> &PushAnswer {
    assert!(push.answered_at.is_some(), "{push:?}");
    assert_eq!(push.answers.len(), 1, "{push:?}");
    &push.answers[0]
}

#[tokio::test]
async fn a_push_is_built_and_goes_live_once_however_often_it_is_told() {
    with_database(|store| async {
        let (mut world, forge) = ready(store, &["main"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let push = forge.pushes(&world, "one", "refs/heads/main").await;
        let answer = only(&push);
        assert_eq!(answer.outcome, PushOutcome::Requested, "{}", answer.message);
        let number = answer.deployment.unwrap();
        let deployment = world.deployment(number).await;
        assert_eq!(deployment.requested_by, "webhook shop/gitlab");
        world.run().await;
        assert_eq!(world.deployment(number).await.state, DeploymentState::Live);

        let again = forge.tells(&world, "one", "refs/heads/main").await.unwrap();
        assert_eq!(again.push, Some(push.number));
        assert_eq!(again.message, "delivery one was told before");
        let other = forge.pushes(&world, "two", "refs/heads/main").await;
        assert_eq!(only(&other).outcome, PushOutcome::Unchanged);
        assert_eq!(only(&other).deployment, Some(number));
    })
    .await;
}

#[tokio::test]
async fn a_late_call_deploys_what_the_branch_is_now() {
    with_database(|store| async {
        let (world, forge) = ready(store, &["main"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let first = forge.tells(&world, "first", "refs/heads/main").await.unwrap();
        world.repository.release("5.0", &[("index.html", "5.0")]);
        let second = forge.pushes(&world, "second", "refs/heads/main").await;
        let first = world.push(first.push.unwrap()).await;
        assert_eq!(only(&first).outcome, PushOutcome::Requested);
        assert_eq!(first.commit, second.commit, "the newest one");
        assert_eq!(only(&second).outcome, PushOutcome::Unchanged);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_follows_is_told_so() {
    with_database(|store| async {
        let (world, forge) = ready(store, &["release/*", "tag:v*"]).await;
        for reference in ["refs/heads/main", "refs/tags/4.0", "refs/heads/release/a/b"] {
            let push = forge.pushes(&world, reference, reference).await;
            assert_eq!(only(&push).outcome, PushOutcome::Ignored);
            assert_eq!(only(&push).message, "no target follows it");
        }
        world.repository.release("v4", &[("index.html", "4")]);
        let push = forge.pushes(&world, "tag", "refs/tags/v4").await;
        assert_eq!(only(&push).outcome, PushOutcome::Requested);
        let deployment = world.deployment(only(&push).deployment.unwrap()).await;
        assert_eq!(deployment.release.as_str(), "v4");
    })
    .await;
}

#[tokio::test]
async fn it_is_refused_as_a_person_is_and_can_be_repeated() {
    with_database(|store| async {
        let (world, forge) = ready(store, &["main"]).await;
        let (app, ann, target) = (&world.app, &world.actor, TARGET.parse().unwrap());
        let lock = NewLock {
            reason: "the sale".to_owned(),
            expires_in_s: None,
        };
        set_lock::execute(app, ann, Some(&target), &lock).await.unwrap();
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let push = forge.pushes(&world, "one", "refs/heads/main").await;
        assert_eq!(only(&push).outcome, PushOutcome::Refused);
        let why = &only(&push).message;
        assert!(why.ends_with("is locked by ann: the sale"), "{why}");

        release_lock::execute(app, ann, Some(&target)).await.unwrap();
        repeat_push::execute(app, ann, push.number).await.unwrap();
        assert_eq!(
            refused(repeat_push::execute(app, ann, push.number).await).code,
            "push_unanswered"
        );
        answer_pushes::execute(app).await.unwrap();
        assert_eq!(
            only(&world.push(push.number).await).outcome,
            PushOutcome::Requested
        );
    })
    .await;
}

#[tokio::test]
async fn a_rollback_holds_back_what_it_left_and_nothing_else() {
    with_database(|store| async {
        let (mut world, forge) = ready(store, &["main", "hotfix/*"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let bad = forge.pushes(&world, "bad", "refs/heads/main").await;
        let number = only(&bad).deployment.unwrap();
        world.run().await;
        world.roll_back(None).await.unwrap();
        assert_eq!(
            world.pauses().await,
            [format!("#{number} was rolled back to 3.0")]
        );
        world.run().await;
        assert_eq!(world.desired().await.as_deref(), Some("3.0"));

        // What was left does not come back by itself, not even below something newer.
        let same = forge.pushes(&world, "same", "refs/heads/main").await;
        assert_eq!(only(&same).outcome, PushOutcome::Paused);
        world.repository.release("5.0", &[("index.html", "5.0")]);
        let newer = forge.pushes(&world, "newer", "refs/heads/main").await;
        assert_eq!(only(&newer).outcome, PushOutcome::Paused);
        let why = &only(&newer).message;
        assert!(
            why.ends_with(&format!("is held back: #{number} was rolled back to 3.0")),
            "{why}"
        );

        // Without the bad commit it goes on.
        world.repository.branch("hotfix/one", "3.0");
        world.repository.release("3.1", &[("index.html", "3.1")]);
        let fix = forge.pushes(&world, "fix", "refs/heads/hotfix/one").await;
        assert_eq!(only(&fix).outcome, PushOutcome::Requested);
        world.run().await;
        assert_eq!(world.pauses().await.len(), 1);

        // A person takes it live after all: the pause is over.
        world.built("5.0").await;
        world.live("5.0").await;
        world.repository.checkout("main");
        world.repository.release("6.0", &[("index.html", "6.0")]);
        let last = forge.pushes(&world, "last", "refs/heads/main").await;
        assert_eq!(
            only(&last).outcome,
            PushOutcome::Requested,
            "{}",
            only(&last).message
        );
        assert!(world.pauses().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_deployment_that_rolls_itself_back_pauses_pushes_until_somebody_lets_them_go_on() {
    with_database(|store| async {
        let (mut world, forge) = ready(store, &["main"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let push = forge.pushes(&world, "bad", "refs/heads/main").await;
        for host in ["builder", "web-1", "web-2"] {
            world.run_host(host).await;
            world.reconcile().await;
        }
        world.mishaps.insert("web-1".to_owned(), Mishap::Unhealthy);
        world.run().await;
        let number = only(&push).deployment.unwrap();
        assert_eq!(world.deployment(number).await.state, DeploymentState::RolledBack);
        assert_eq!(
            world.pauses().await,
            [format!("#{number} was rolled back to 3.0")]
        );
        let again = forge.pushes(&world, "again", "refs/heads/main").await;
        assert_eq!(only(&again).outcome, PushOutcome::Paused);

        let (app, ann, target) = (&world.app, &world.actor, TARGET.parse().unwrap());
        pause_pushes::resume(app, ann, &target).await.unwrap();
        assert_eq!(
            refused(pause_pushes::resume(app, ann, &target).await).code,
            "pushes_not_paused"
        );
        repeat_push::execute(app, ann, again.number).await.unwrap();
        answer_pushes::execute(app).await.unwrap();
        assert_eq!(
            only(&world.push(again.number).await).outcome,
            PushOutcome::Requested
        );

        let wish = NewPushPause {
            reason: "the sale".to_owned(),
        };
        pause_pushes::pause(app, ann, &target, &wish).await.unwrap();
        assert_eq!(
            refused(pause_pushes::pause(app, ann, &target, &wish).await).code,
            "pushes_paused"
        );
        world.repository.release("5.0", &[("index.html", "5.0")]);
        let held = forge.pushes(&world, "held", "refs/heads/main").await;
        assert!(only(&held).message.ends_with("held back: the sale"), "{held:?}");
    })
    .await;
}

#[tokio::test]
async fn a_repository_that_is_away_is_asked_again() {
    with_database(|store| async {
        let (world, forge) = ready(store, &["main"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let (here, away) = (
            world.repository.path().join(".git"),
            world.repository.path().join("away"),
        );
        fs_err::rename(&here, &away).unwrap();
        let taken = forge.tells(&world, "one", "refs/heads/main").await.unwrap();
        answer_pushes::execute(&world.app).await.unwrap();
        let push = world.push(taken.push.unwrap()).await;
        assert_eq!(push.answered_at, None);
        assert!(push.answers[0].message.ends_with("it is tried again"), "{push:?}");
        fs_err::rename(&away, &here).unwrap();
        world.is_tried_again().await;
        assert_eq!(
            only(&world.push(push.number).await).outcome,
            PushOutcome::Requested
        );
    })
    .await;
}

#[tokio::test]
async fn two_coordinators_answer_once() {
    with_database(|store| async {
        let (world, forge) = ready(store, &["main"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let taken = forge.tells(&world, "one", "refs/heads/main").await.unwrap();
        let (one, other) = tokio::join!(
            answer_pushes::execute(&world.app),
            answer_pushes::execute(&world.app)
        );
        one.unwrap();
        other.unwrap();
        let push = world.push(taken.push.unwrap()).await;
        assert_eq!(only(&push).outcome, PushOutcome::Requested);
        let number = only(&push).deployment.unwrap();
        world.is_tried_again().await;
        assert_eq!(world.deployment(number).await.number, number);
        let mut conn = world.app.store.read().await.unwrap();
        let asked: i64 = sqlx::query_scalar("SELECT count(*) FROM deployment WHERE ended_at IS NULL")
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        assert_eq!(asked, 1);
    })
    .await;
}
