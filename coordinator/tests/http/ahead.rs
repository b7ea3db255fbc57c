//! What the page of a deployment tells before anything is sent: what it leads away from, and over which hosts it will go.

use crate::needing::{HOSTS, sql};
use crate::noticing::two_releases;
use crate::repository::Repository;

#[tokio::test]
async fn a_deployment_that_is_held_names_the_release_that_goes_and_the_hosts_of_each_wave() {
    let repository = Repository::new();
    let (world, deployer) = two_releases(&repository).await;
    sql(&world, HOSTS).await;
    sql(&world, "UPDATE host SET labels = '{}' WHERE id > 'web-3'").await;
    sql(
        &world,
        "INSERT INTO placement (id, target_id, host_id, root, created_at, desired_release_id)
         SELECT gen_random_uuid(), target.id, host.id, target.root, now(), target.desired_release_id
         FROM target JOIN environment ON environment.id = target.environment_id, host
         WHERE environment.name = 'production' AND host.id <= 'web-3'",
    )
    .await;
    sql(
        &world,
        r#"UPDATE target SET strategy = jsonb_set(strategy, '{waves}', '["1", "100%"]')"#,
    )
    .await;
    let wish = [("target", "shop@production"), ("release", "#2")];
    let plan = deployer.press("/plans", &wish).await.went();
    let held = deployer.press(&plan, &[]).await.went();
    let page = deployer.get(&held).await.expect(200);
    for told in [
        "</span> held</span>",
        "<span>SHOP-1 → SHOP-2</span>",
        "<span>3 hosts in 2 waves</span>",
        "<ol><li><a href=\"/h/web-1\">web-1</a> </li>",
        "<li><a href=\"/h/web-2\">web-2</a> <a href=\"/h/web-3\">web-3</a> </li></ol>",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    // Once it began, the table of its hosts tells.
    sql(&world, "UPDATE deployment SET started_at = now()").await;
    let page = deployer.get(&held).await.expect(200);
    assert!(!page.contains("3 hosts in 2 waves"), "{page}");
}
