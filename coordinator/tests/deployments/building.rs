//! Releases: what they are called, and what is refused before any builder sees it.

use std::collections::BTreeSet;

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::api::releases::ReleaseState;
use pointsman_store::views;

use super::database::with_database;
use super::wishes::refused;
use super::world::World;

#[tokio::test]
async fn a_tag_is_the_label_and_a_rebuild_counts_on() {
    with_database(|store| async {
        let mut world = World::new(store, 0, Strategy::default()).await;
        let first = world.built("1.0").await;
        assert_eq!(
            (first.number, first.label.as_str(), first.subject.as_str()),
            (1, "1.0", "version 1.0")
        );
        assert_eq!(
            first.folder.unwrap().as_str(),
            format!("000001-{}", first.digest.unwrap().short())
        );
        let rebuilt = world.built("1.0").await;
        assert_eq!((rebuilt.number, rebuilt.label.as_str()), (2, "1.0+2"));
        let branch = world.built("main").await;
        assert_eq!((branch.number, branch.label.as_str()), (3, "3"));
        assert_eq!(branch.author, "Ann");
    })
    .await;
}

#[tokio::test]
async fn builds_asked_for_at_once_get_a_number_and_a_label_each() {
    with_database(|store| async {
        let world = World::new(store, 0, Strategy::default()).await;
        let asked = (0..6).map(|_| world.build("1.0"));
        let releases = futures_util::future::try_join_all(asked).await.unwrap();
        let numbers: BTreeSet<u32> = releases.iter().map(|release| release.number).collect();
        let labels: BTreeSet<String> = releases.iter().map(|release| release.label.to_string()).collect();
        assert_eq!(numbers, (1..=6).collect());
        assert_eq!(
            labels,
            ["1.0", "1.0+2", "1.0+3", "1.0+4", "1.0+5", "1.0+6"]
                .map(str::to_owned)
                .into()
        );
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_built_is_refused_with_a_way_out() {
    with_database(|store| async {
        let world = World::new(store, 0, Strategy::default()).await;
        let unknown = refused(world.build("v2.0").await);
        assert_eq!(unknown.code, "unknown_ref");
        assert!(unknown.what.contains("did you mean 2.0"), "{}", unknown.what);
        assert_eq!(refused(world.build("--output=x").await).code, "invalid_ref");
        world
            .repository
            .release("4.0", &[("pointsman.toml", "[build]\nsteeps = ['make']\n")]);
        let typo = refused(world.build("4.0").await);
        assert_eq!(typo.code, "invalid_recipe");
        assert!(
            typo.what
                .starts_with("pointsman.toml, line 2: unknown key `steeps` in [build]"),
            "{}",
            typo.what
        );
        assert_eq!(typo.hint.as_deref(), Some("did you mean `steps`?"));
        let mut conn = world.app.store.read().await.unwrap();
        let audit = views::audit::page(&mut conn, views::audit::Wanted::default(), 10)
            .await
            .unwrap();
        let refused = audit
            .iter()
            .filter(|entry| entry.action == "release.request" && entry.result == "refused");
        assert_eq!(refused.count(), 3, "each refusal is in the audit trail");
    })
    .await;
}

#[tokio::test]
async fn a_vanished_repository_stops_builds_and_no_deployment_of_what_is_built() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        fs_err::rename(
            world.repository.path().join(".git"),
            world.repository.path().join("gone"),
        )
        .unwrap();
        assert_eq!(refused(world.build("2.0").await).code, "repository_unreachable");
        world.live("1.0").await;
    })
    .await;
}

#[tokio::test]
async fn deploying_a_ref_builds_it_once() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        let refusal = refused(world.deploy("main").await);
        assert_eq!(refusal.code, "release_not_built");
        let deployment = world.deploy_with("main", |wish| wish.build = true).await.unwrap();
        assert_eq!(
            (deployment.state, deployment.summary.as_str()),
            (DeploymentState::Building, "building 3.0"),
            "it is called by the one tag of its commit, as a build of the tag would be"
        );
        let again = world.deploy_with("main", |wish| wish.build = true).await.unwrap();
        assert_eq!(
            again.release, deployment.release,
            "the same commit and recipe are not built twice"
        );
        assert_eq!(again.summary, format!("waiting behind #{}", deployment.number));
        world.run().await;
        assert_eq!(world.deployment(deployment.number).await.summary, "live");
        assert_eq!(world.deployment(again.number).await.summary, "live");
        assert_eq!(world.links().await, ["3.0"]);
    })
    .await;
}

#[tokio::test]
async fn cancelling_a_deployment_ends_the_build_it_asked_for() {
    with_database(|store| async {
        let world = World::new(store, 1, Strategy::default()).await;
        let deployment = world.deploy_with("main", |wish| wish.build = true).await.unwrap();
        let cancelled = world.cancel(deployment.number).await.unwrap();
        assert_eq!(cancelled.state, DeploymentState::Cancelled);
        let mut conn = world.app.store.read().await.unwrap();
        let releases = views::releases::page(&mut conn, &"shop".parse().unwrap(), None, 10)
            .await
            .unwrap();
        assert_eq!(releases[0].state, ReleaseState::Cancelled);
        drop(conn);
        assert!(world.offered("builder").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_wish_that_was_superseded_keeps_no_builder_busy() {
    with_database(|store| async {
        let mut world = World::new(store, 1, Strategy::default()).await;
        world.built("1.0").await;
        world.deploy("1.0").await.unwrap();
        world.deploy_with("2.0", |wish| wish.build = true).await.unwrap();
        assert_eq!(world.offered("builder").await.len(), 1);
        let newer = world.deploy_with("3.0", |wish| wish.build = true).await.unwrap();
        let offered = world.offer("builder").await;
        assert_eq!(offered.deployment, Some(newer.id), "only the newer wish is built");
    })
    .await;
}

#[tokio::test]
async fn of_several_tags_on_a_commit_none_is_preferred() {
    with_database(|store| async {
        let world = World::new(store, 1, Strategy::default()).await;
        world.repository.tag("stable");
        let deployment = world.deploy_with("main", |wish| wish.build = true).await.unwrap();
        assert_eq!(deployment.release.as_str(), "1");
    })
    .await;
}

#[tokio::test]
async fn a_release_says_whether_a_recipe_describes_it() {
    with_database(|store| async {
        let mut world = World::new(store, 0, Strategy::default()).await;
        assert!(!world.built("1.0").await.has_recipe);
        let recipe = "[build]\nsteps = ['make']\n";
        world.repository.release("4.0", &[("pointsman.toml", recipe)]);
        assert!(world.built("4.0").await.has_recipe);
    })
    .await;
}
