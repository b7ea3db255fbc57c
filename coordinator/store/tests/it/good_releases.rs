//! The book of good releases, with the rollback rule over it.

#[tokio::test]
async fn a_fresh_database_has_the_schema_and_is_dropped() {
    super::database::with_database(|store| async move {
        let mut conn = store.read().await.unwrap();
        let target = pointsman_shared::ids::TargetId(uuid::Uuid::nil());
        assert!(
            pointsman_store::good_releases::of_target(&mut conn, target)
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}
