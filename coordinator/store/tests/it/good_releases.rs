//! The book of good releases, and the rule of the previous good one over it.

use chrono::TimeDelta;
use pointsman_domain::rollback::previous_good;
use pointsman_store::{good_releases, now};

use super::database::with_database;
use super::rows::{self, TARGET};

#[tokio::test]
async fn a_release_that_a_rollback_left_is_skipped_until_it_was_live_again() {
    with_database(|store| async move {
        let mut conn = store.read().await.unwrap();
        rows::target(&mut conn).await.unwrap();
        let at = now(&mut conn).await.unwrap();
        let mut ids = Vec::new();
        for (hours, label) in (0..).zip(["1.0", "2.0", "3.0"]) {
            let id = rows::built(&mut conn, label).await.unwrap();
            good_releases::note_live(&mut conn, TARGET, id, at + TimeDelta::hours(hours))
                .await
                .unwrap();
            ids.push(id);
        }
        good_releases::note_left(&mut conn, TARGET, ids[1], at)
            .await
            .unwrap();
        let good = good_releases::of_target(&mut conn, TARGET).await.unwrap();
        let labels: Vec<_> = good.iter().map(|good| good.label.as_str()).collect();
        assert_eq!(labels, ["3.0", "2.0", "1.0"], "the newest first");
        assert_eq!(
            previous_good(Some(ids[2]), &good).map(|good| good.id),
            Some(ids[0])
        );
        good_releases::note_live(&mut conn, TARGET, ids[1], at + TimeDelta::hours(9))
            .await
            .unwrap();
        let good = good_releases::of_target(&mut conn, TARGET).await.unwrap();
        assert_eq!(
            previous_good(Some(ids[2]), &good).map(|good| good.id),
            Some(ids[1]),
            "first live before 3.0"
        );
    })
    .await;
}
