//! What holds pushes back, and when that ends.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::pushes::PushOutcome;

use super::database::with_database;
use super::forge::ready;
use super::pushing::only;
use super::wishes::refused;

#[tokio::test]
async fn a_push_that_waits_behind_what_is_rolled_back_is_judged_anew() {
    with_database(|store| async {
        let (mut world, forge) = ready(store, &["main", "hotfix/*"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let first = forge.pushes(&world, "first", "refs/heads/main").await;
        for host in ["builder", "web-1", "web-2", "web-1"] {
            world.run_host(host).await;
            world.reconcile().await;
        }
        world.repository.release("5.0", &[("index.html", "5.0")]);
        let second = forge.pushes(&world, "second", "refs/heads/main").await;
        let waiting = only(&second).deployment.unwrap();
        assert_eq!(world.deployment(waiting).await.state, DeploymentState::Waiting);
        let decided = world.roll_back(None).await.unwrap();
        assert_eq!(Some(decided.number), only(&first).deployment);
        world.answer_pushes().await;
        world.run().await;
        assert_eq!(world.deployment(waiting).await.state, DeploymentState::Cancelled);
        assert_eq!(
            only(&world.push(second.number).await).outcome,
            PushOutcome::Paused
        );
        assert_eq!(world.links().await, ["3.0", "3.0"]);
    })
    .await;
}

#[tokio::test]
async fn a_part_of_what_was_left_may_be_tried_without_letting_the_rest_through() {
    with_database(|store| async {
        let (mut world, forge) = ready(store, &["main"]).await;
        for version in ["4.0", "5.0"] {
            world.repository.release(version, &[("index.html", version)]);
        }
        forge.pushes(&world, "bad", "refs/heads/main").await;
        world.run().await;
        world.roll_back(None).await.unwrap();
        world.run().await;
        world.built("4.0").await;
        world.live("4.0").await;
        let push = forge.pushes(&world, "again", "refs/heads/main").await;
        assert_eq!(only(&push).outcome, PushOutcome::Paused, "{push:?}");
        assert_eq!(world.pauses().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn going_forth_again_is_a_deployment_and_never_a_rollback() {
    with_database(|store| async {
        let (mut world, forge) = ready(store, &["main"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let bad = forge.pushes(&world, "bad", "refs/heads/main").await;
        world.run().await;
        let left = world.deployment(only(&bad).deployment.unwrap()).await.release;
        world.roll_back(None).await.unwrap();
        world.run().await;
        // It would pass by the hold, the waves and the gates of a deployment.
        let forth = world.roll_back(Some(left.as_str())).await;
        assert_eq!(refused(forth).code, "not_older");
        assert_eq!(world.pauses().await.len(), 1, "and the pause stays");
    })
    .await;
}

#[tokio::test]
async fn a_way_back_to_a_release_with_more_commits_holds_no_push_back() {
    with_database(|store| async {
        let (mut world, forge) = ready(store, &["main"]).await;
        // Older by its commits, and live later: the way back goes by when releases were live.
        world.built("1.0").await;
        world.live("1.0").await;
        world.roll_back(None).await.unwrap();
        world.run().await;
        assert_eq!(world.links().await, ["3.0", "3.0"]);
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let push = forge.pushes(&world, "newer", "refs/heads/main").await;
        assert_eq!(only(&push).outcome, PushOutcome::Requested, "{push:?}");
        assert!(world.pauses().await.is_empty(), "it had no commits to hold");
    })
    .await;
}

#[tokio::test]
async fn a_rollback_that_does_not_happen_pauses_nothing() {
    with_database(|store| async {
        let (mut world, forge) = ready(store, &["main"]).await;
        world.repository.release("4.0", &[("index.html", "4.0")]);
        forge.pushes(&world, "one", "refs/heads/main").await;
        world.run().await;
        let rollback = world.roll_back(None).await.unwrap();
        assert_eq!(world.pauses().await.len(), 1);
        world.cancel(rollback.number).await.unwrap();
        world.run().await;
        assert_eq!(
            world.deployment(rollback.number).await.state,
            DeploymentState::Cancelled
        );
        assert!(world.pauses().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_range_that_the_repository_forgot_holds_everything_and_says_so() {
    with_database(|store| async {
        let (world, forge) = ready(store, &["main"]).await;
        let mut conn = world.app.store.read().await.unwrap();
        sqlx::query(
            "INSERT INTO push_pause (id, target_id, good_commit, bad_commit, reason, made_by, made_at)
             SELECT gen_random_uuid(), id, repeat('ab', 20), repeat('cd', 20), 'long ago', 'ann', now() FROM target",
        )
        .execute(&mut *conn)
        .await
        .unwrap();
        drop(conn);
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let push = forge.pushes(&world, "one", "refs/heads/main").await;
        assert_eq!(only(&push).outcome, PushOutcome::Paused);
        let why = &only(&push).message;
        assert!(why.contains("gone from the repository"), "{why}");
        assert!(why.ends_with("pointsman push resume shop@production"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn a_branch_is_meant_though_a_tag_has_its_name() {
    with_database(|store| async {
        let (world, forge) = ready(store, &["main"]).await;
        world
            .repository
            .release("main", &[("index.html", "a tag that is called main")]);
        world.repository.release("4.0", &[("index.html", "4.0")]);
        let push = forge.pushes(&world, "one", "refs/heads/main").await;
        assert_eq!(only(&push).outcome, PushOutcome::Requested, "{push:?}");
    })
    .await;
}
