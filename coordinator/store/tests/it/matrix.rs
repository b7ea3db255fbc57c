//! What the overview counts of a target's hosts, each of which is in a state of its own.

use pointsman_domain::presence::Rhythm;
use pointsman_store::views::matrix::{self, HostCounts};
use pointsman_store::views::{hosts, targets};

use super::database::with_database;
use super::rows;

const RHYTHM: Rhythm = Rhythm {
    beat_ms: 1_000,
    idle_beat_ms: 15_000,
    unseen_beats: 3,
};

/// Hosts beside web-1, and how each stands: its release, health, drift, trouble with its root, whether it left the target,
/// and since how many seconds nothing was heard of it.
const PLACES: &str = "WITH said (host, runs, health, drift, trouble, retired, silent) AS (VALUES
        ('well', 1, 'healthy', null, null, false, 1), ('ill', 1, 'unhealthy', null, null, false, 1),
        ('old', 2, 'healthy', null, null, false, 1), ('drifts', 2, 'healthy', 'something else is live', null, false, 1),
        ('dark', 1, 'healthy', null, 'unreadable', false, 1), ('left', 1, 'unhealthy', null, null, true, 1),
        ('gone', 1, 'healthy', null, null, false, 900)),
    joined AS (INSERT INTO host (id, principal_id, display_name, kinds, joined_at, instance_id, last_seen_at, created_at)
               SELECT host, (SELECT principal_id FROM host WHERE id = 'web-1'), host, '{}', now(), gen_random_uuid(),
                      now() - silent * interval '1 second', now() FROM said)
    INSERT INTO placement (id, target_id, host_id, root, desired_release_id, confirmed_release_id, health, drift,
                           problem, root_trouble, created_at, retired_at)
    SELECT gen_random_uuid(), target.id, host, '/srv/shop', target.desired_release_id, release.id, health, drift,
           CASE WHEN trouble IS NOT NULL THEN 'its root cannot be read' END, trouble, now(),
           CASE WHEN retired THEN now() END
    FROM said, target, release WHERE release.number = said.runs";

#[tokio::test]
async fn hosts_are_counted_as_their_placements_tell() {
    with_database(|store| async move {
        let mut conn = store.read().await.unwrap();
        rows::target(&mut conn).await.unwrap();
        let live = rows::built(&mut conn, "1.0").await.unwrap();
        rows::built(&mut conn, "0.9").await.unwrap();
        for change in [
            "DELETE FROM placement",
            "UPDATE target SET desired_release_id = (SELECT id FROM release WHERE number = 1)",
            PLACES,
        ] {
            sqlx::query(change).execute(&mut *conn).await.unwrap();
        }
        let shop = ["shop".to_owned()];
        let absent = hosts::absent(&mut conn, &RHYTHM).await.unwrap();
        assert!(
            absent.contains(&"gone".to_owned()) && !absent.contains(&"well".to_owned()),
            "{absent:?}"
        );
        let cells = matrix::of_projects(&mut conn, &shop, &absent).await.unwrap();
        let [cell] = cells.as_slice() else {
            panic!("{cells:?}")
        };
        assert_eq!(
            cell.desired.as_ref().map(ToString::to_string).as_deref(),
            Some("1.0")
        );
        assert_eq!(
            cell.host_counts,
            HostCounts {
                all: 6,
                as_wanted: 3,
                drift: 2,
                healthy: 4,
                unhealthy: 1,
                absent: 1,
            },
            "release {live}"
        );
        // What the page of the target says host by host is the same.
        let wanted = targets::Wanted::of_projects(&shop);
        let whole = targets::page(&mut conn, wanted, 1, &RHYTHM)
            .await
            .unwrap()
            .remove(0);
        let many = |is: &dyn Fn(&pointsman_shared::api::projects::Placement) -> bool| {
            i64::try_from(whole.placements.iter().filter(|one| is(one)).count()).unwrap()
        };
        assert_eq!(
            cell.host_counts,
            HostCounts {
                all: many(&|_| true),
                as_wanted: many(&|one| one.confirmed == whole.desired),
                drift: many(&|one| one.drift.is_some()),
                healthy: many(&|one| one.health == "healthy"),
                unhealthy: many(&|one| one.health == "unhealthy"),
                absent: many(&|one| !one.seen),
            }
        );
    })
    .await;
}
