//! What the overview says needs somebody: each cause once, however many hosts it has.

use crate::keeper::{Keeper, between};
use crate::noticing::two_releases;
use crate::repository::Repository;
use crate::world::World;

/// Seven hosts that are there.
pub const HOSTS: &str = "WITH made AS (INSERT INTO principal (id, kind, name, created_at)
                   SELECT gen_random_uuid(), 'agent', 'web-' || nth, now() FROM generate_series(1, 7) AS nth
                   RETURNING id, name)
     INSERT INTO host (id, principal_id, display_name, labels, kinds, joined_at, created_at, instance_id, broker_ready_at,
                       last_seen_at)
     SELECT name, id, name, '{\"role\": \"web\"}', '{install,activate}', now(), now(), gen_random_uuid(), now(), now() FROM made";

/// Runs a statement that must change something.
pub async fn sql(world: &World, statement: &'static str) {
    let done = sqlx::query(statement).execute(world.pool()).await;
    assert!(
        done.as_ref().is_ok_and(|done| done.rows_affected() > 0),
        "{statement}: {done:?}"
    );
}

/// Shop on seven hosts that are there: in production three of them are behind, and what four run is not well; in beta one
/// drifted, and the root of another is not there yet.
async fn astray(world: &World) {
    sql(world, HOSTS).await;
    sql(
        world,
        "INSERT INTO placement (id, target_id, host_id, root, created_at, desired_release_id, confirmed_release_id, health)
         SELECT gen_random_uuid(), target.id, host.id, target.root, now(), wanted.id, runs.id,
                CASE WHEN host.id > 'web-3' THEN 'unhealthy' ELSE 'healthy' END
         FROM host, target JOIN environment ON environment.id = target.environment_id,
              release AS wanted, release AS runs
         WHERE environment.name = 'production' AND wanted.number = 2
           AND runs.number = CASE WHEN host.id > 'web-3' THEN 2 ELSE 1 END",
    )
    .await;
    sql(
        world,
        "INSERT INTO placement (id, target_id, host_id, root, created_at, desired_release_id, drift, problem, root_trouble)
         SELECT gen_random_uuid(), target.id, host.id, target.root, now(),
                CASE WHEN host.id = 'web-1' THEN target.desired_release_id END,
                CASE WHEN host.id = 'web-1' THEN 'its link names nothing' END,
                CASE WHEN host.id = 'web-2' THEN 'there is no such folder' END,
                CASE WHEN host.id = 'web-2' THEN 'unreadable' END
         FROM host, target JOIN environment ON environment.id = target.environment_id
         WHERE environment.name = 'beta' AND host.id IN ('web-1', 'web-2')",
    )
    .await;
}

#[tokio::test]
async fn one_cause_is_told_once_and_a_failed_deployment_tells_of_the_hosts_that_it_did_not_reach() {
    let repository = Repository::new();
    let (world, deployer) = two_releases(&repository).await;
    astray(&world).await;
    let page = deployer.get("/").await.expect(200);
    let needs = between(&page, "id=\"needs-h\"", "</section>");
    assert!(needs.contains("4 things need you"), "{needs}");
    for line in [
        "<a href=\"/t/shop@production\">shop@production</a> <span>3 hosts run SHOP-1, wanted is SHOP-2: web-1, web-2, web-3<",
        "<a href=\"/t/shop@production\">shop@production</a> \
         <span>what is live is not healthy, on 4 hosts: web-4, web-5, web-6 and 1 more<",
        "<a href=\"/h/web-1\">shop@beta</a> <span>web-1: its link names nothing<",
        "<a href=\"/h/web-2\">shop@beta</a> <span>web-2: there is no such folder<",
    ] {
        assert!(needs.contains(line), "{line}: {needs}");
    }
    assert_eq!(needs.matches("drift<").count(), 1, "{needs}");
    assert_eq!(needs.matches("not ready<").count(), 1, "{needs}");

    sql(
        &world,
        "INSERT INTO deployment (id, target_id, release_id, kind, requested_by, requested_at, strategy, started_at,
                                 ended_at, outcome, outcome_detail)
         SELECT gen_random_uuid(), target.id, release.id, 'deploy', principal.id, now(), '{}', now(), now(), 'failed', 'no'
         FROM release, principal, target JOIN environment ON environment.id = target.environment_id
         WHERE environment.name = 'production' AND release.number = 2 AND principal.name = 'first-admin'",
    )
    .await;
    let page = deployer.get("/").await.expect(200);
    let needs = between(&page, "id=\"needs-h\"", "</section>");
    assert!(needs.contains("of SHOP-2 was the last try"), "{needs}");
    assert!(!needs.contains("wanted is"), "it is told already: {needs}");
    assert!(needs.contains("not healthy, on 4 hosts"), "{needs}");
    assert!(needs.contains("4 things need you"), "{needs}");
    // What is told by another line counts as a problem of its project all the same.
    sql(
        &world,
        "UPDATE placement SET health = 'healthy', drift = NULL, problem = NULL, root_trouble = NULL,
                confirmed_release_id = CASE WHEN drift IS NULL THEN confirmed_release_id ELSE desired_release_id END",
    )
    .await;
    let page = deployer.get("/?show=problems").await.expect(200);
    let needs = between(&page, "id=\"needs-h\"", "</section>");
    assert!(needs.contains("1 thing needs you"), "{needs}");
    assert!(page.contains("href=\"/t/shop@production\""), "{page}");
    sql(
        &world,
        "UPDATE host SET last_seen_at = now() - interval '1 hour' WHERE id IN ('web-6', 'web-7')",
    )
    .await;
    let viewer = Keeper::new(&world, "viewer").await;
    let page = viewer.get("/").await.expect(200);
    assert!(page.contains("was the last try"), "{page}");
    let silent = ">2 hosts</a> <span>not heard in time: web-6, web-7<";
    assert!(page.contains(silent), "{page}");
    assert!(page.contains("2 things need you"), "{page}");
}
