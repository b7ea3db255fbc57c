//! What the schema itself refuses, whoever writes.

use pointsman_domain::deployment::DeploymentOutcome;
use pointsman_store::deployments::{self, Start};
use pointsman_store::{now, placements, releases};

use super::database::with_database;
use super::rows::{self, PLACEMENT, PROJECT};

#[tokio::test]
async fn one_wish_waits_and_one_is_open_on_a_target() {
    with_database(|store| async move {
        let mut conn = store.read().await.unwrap();
        rows::target(&mut conn).await.unwrap();
        let release = rows::built(&mut conn, "1.0").await.unwrap();
        let at = now(&mut conn).await.unwrap();
        let first = rows::wish(&mut conn, 1, release).await.unwrap();
        let start = |id| Start {
            id,
            from: None,
            hosts: &[(PLACEMENT, 1)],
            at,
        };
        deployments::start(&mut conn, &start(first)).await.unwrap();
        let second = rows::wish(&mut conn, 2, release).await.unwrap();
        let third = rows::wish(&mut conn, 3, release).await.unwrap_err();
        assert_eq!(third.constraint(), Some("deployment_one_waiting"));
        let both = deployments::start(&mut conn, &start(second)).await.unwrap_err();
        assert_eq!(both.constraint(), Some("deployment_one_open"));
        let facts = deployments::facts(&mut conn, second).await.unwrap().unwrap();
        assert_eq!(facts.behind, Some(1));
        assert_eq!(
            deployments::facts(&mut conn, first).await.unwrap().unwrap().newer,
            Some(2)
        );
    })
    .await;
}

#[tokio::test]
async fn an_outcome_is_written_once_and_a_newer_wish_supersedes_in_one_transaction() {
    with_database(|store| async move {
        let mut tx = store.begin().await.unwrap();
        rows::target(&mut tx).await.unwrap();
        let release = rows::built(&mut tx, "1.0").await.unwrap();
        let first = rows::wish(&mut tx, 1, release).await.unwrap();
        let at = now(&mut tx).await.unwrap();
        let second = pointsman_shared::ids::DeploymentId(uuid::Uuid::from_u128(2002));
        deployments::supersede(&mut tx, first, second, "a newer wish took its place", at)
            .await
            .unwrap();
        assert_eq!(rows::wish(&mut tx, 2, release).await.unwrap(), second);
        tx.commit().await.unwrap();
        let mut conn = store.read().await.unwrap();
        let failed = DeploymentOutcome::Failed;
        assert!(
            !deployments::end(&mut conn, first, failed, "late", at)
                .await
                .unwrap(),
            "it is over"
        );
        assert!(
            deployments::end(&mut conn, second, failed, "first", at)
                .await
                .unwrap()
        );
        assert!(
            !deployments::end(&mut conn, second, DeploymentOutcome::Live, "second", at)
                .await
                .unwrap()
        );
        let ended = deployments::facts(&mut conn, second)
            .await
            .unwrap()
            .unwrap()
            .ended
            .unwrap();
        assert_eq!((ended.outcome, ended.detail.as_deref()), (failed, Some("first")));
    })
    .await;
}

#[tokio::test]
async fn a_generation_rises_above_the_last_decision_and_above_the_hosts_own_fence() {
    with_database(|store| async move {
        let mut conn = store.read().await.unwrap();
        rows::target(&mut conn).await.unwrap();
        let release = rows::built(&mut conn, "1.0").await.unwrap();
        assert_eq!(
            placements::allocate_generation(&mut conn, PLACEMENT)
                .await
                .unwrap()
                .0,
            1
        );
        let folder = releases::get(&mut conn, release)
            .await
            .unwrap()
            .unwrap()
            .built
            .unwrap()
            .folder;
        let confirmed = placements::Confirmed {
            placement: PLACEMENT,
            release,
            folder: &folder,
            generation: pointsman_shared::ids::Generation(7),
            healthy: true,
        };
        let at = now(&mut conn).await.unwrap();
        placements::confirm(&mut conn, &confirmed, at).await.unwrap();
        assert_eq!(
            placements::allocate_generation(&mut conn, PLACEMENT)
                .await
                .unwrap()
                .0,
            8
        );
        assert!(
            placements::has_release(&mut conn, PLACEMENT, release)
                .await
                .unwrap()
        );
    })
    .await;
}

#[tokio::test]
async fn a_label_is_free_again_when_its_build_failed_and_a_built_release_never_changes() {
    with_database(|store| async move {
        let mut conn = store.read().await.unwrap();
        rows::target(&mut conn).await.unwrap();
        let failed = rows::release(&mut conn, "1.0").await.unwrap();
        let twice = rows::release(&mut conn, "1.0").await.unwrap_err();
        assert_eq!(twice.constraint(), Some("release_label"));
        releases::set_unbuilt(&mut conn, failed, false, "step `make` exited with 2")
            .await
            .unwrap();
        let built = rows::built(&mut conn, "1.0").await.unwrap();
        rows::release(&mut conn, "1.0+2").await.unwrap();
        rows::release(&mut conn, "1.01").await.unwrap();
        let mut taken: Vec<_> = releases::taken_labels(&mut conn, PROJECT, &["1.0".to_owned()])
            .await
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        taken.sort();
        assert_eq!(taken, ["1.0", "1.0+2"], "1.01 is another label");
        releases::set_unbuilt(&mut conn, built, false, "late")
            .await
            .unwrap();
        let row = releases::get(&mut conn, built).await.unwrap().unwrap();
        assert!(row.built.is_some() && row.failure.is_none());
    })
    .await;
}
