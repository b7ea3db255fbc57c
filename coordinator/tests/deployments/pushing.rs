//! Deploys on push: what a forge tells becomes a wish, or a reason why not.

use pointsman_coordinator::operations::{pause_pushes, release_lock, repeat_push, set_lock};
use pointsman_shared::api::deployments::{DeploymentState, ListedState};
use pointsman_shared::api::locks::NewLock;
use pointsman_shared::api::pushes::{NewPushPause, Push, PushAnswer, PushOutcome};
use pointsman_store::views;

use super::agent::Mishap;
use super::database::with_database;
use super::forge::{TARGET, ready};
use super::wishes::refused;

/// The one answer of a push.
#[track_caller]
pub fn only(push: &Push) -> &PushAnswer {
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
        world.answer_pushes().await;
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
        let left = world.deployment(number).await.release;
        world.roll_back(None).await.unwrap();
        assert_eq!(world.pauses().await, [format!("{left} was rolled back to 3.0")]);
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
            why.ends_with(&format!("is held back: {left} was rolled back to 3.0")),
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
        let rolled_back = world.deployment(number).await;
        assert_eq!(rolled_back.state, DeploymentState::RolledBack);
        let left = rolled_back.release;
        assert_eq!(world.pauses().await, [format!("{left} was rolled back to 3.0")]);
        let again = forge.pushes(&world, "again", "refs/heads/main").await;
        assert_eq!(only(&again).outcome, PushOutcome::Paused);

        let (app, ann, target) = (&world.app, &world.actor, TARGET.parse().unwrap());
        pause_pushes::resume(app, ann, &target).await.unwrap();
        assert_eq!(
            refused(pause_pushes::resume(app, ann, &target).await).code,
            "pushes_not_paused"
        );
        repeat_push::execute(app, ann, again.number).await.unwrap();
        world.answer_pushes().await;
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
        world.answer_pushes().await;
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
        tokio::join!(world.answer_pushes(), world.answer_pushes());
        let push = world.push(taken.push.unwrap()).await;
        assert_eq!(only(&push).outcome, PushOutcome::Requested);
        let open = views::deployments::Wanted {
            state: Some(ListedState::Open),
            ..Default::default()
        };
        let mut conn = world.app.store.read().await.unwrap();
        assert_eq!(
            views::deployments::page(&mut conn, open, 9).await.unwrap().len(),
            1
        );
    })
    .await;
}
