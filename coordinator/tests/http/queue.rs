//! Jobs that wait: their place, why they wait, and the letters that nobody could read.

use crate::browser::Browser;
use crate::logs::Log;
use crate::world::World;

#[tokio::test]
async fn a_job_that_waits_has_a_place_and_a_reason() {
    let world = World::new().await;
    let log = Log::new(&world).await;
    sqlx::query("UPDATE job SET reason = 'no builder is free', dead_offers = 2")
        .execute(world.pool())
        .await
        .unwrap();
    let viewer = Browser::with_role(&world, "viewer").await;
    let list = viewer.get("/jobs").await;
    list.holds("0 running, 1 waiting");
    list.holds("1st of those for default, next to be taken");
    list.holds("2 offers came back unread");
    list.holds(&format!("href=\"/jobs/{}#why\"", log.number));
    let page = viewer.get(&format!("/jobs/{}", log.number)).await;
    page.holds("is offered since");
    page.holds("nobody has taken it: no builder is free; 1st of those for default");
    page.holds("pointsman hosts ls");
    // Why everything stands still is a part of it.
    let lock = serde_json::json!({ "reason": "the datacenter moves" });
    world.admin().put("stop", &lock).await.expect(200);
    viewer
        .get(&format!("/jobs/{}", log.number))
        .await
        .holds("stopped it: the datacenter moves; only rollbacks go on");
    log.ends(0, None).await;
    let done = viewer.get(&format!("/jobs/{}", log.number)).await;
    done.lacks("id=\"why-h\"");
}

#[tokio::test]
async fn dead_letters_say_what_came_and_hide_what_may_be_secret() {
    let world = World::new().await;
    let viewer = Browser::with_role(&world, "viewer").await;
    viewer.get("/jobs/dead").await.holds("No message was refused");
    sqlx::query(
        "INSERT INTO refused_message (at, queue, reason, claimed_host, bytes, sample)
         VALUES (now(), 'coordinator.reports', 'forged', 'web-1', 2048, '{\"token\":\"hunter\",\"kind\":\"claim\"}')",
    )
    .execute(world.pool())
    .await
    .unwrap();
    let page = viewer.get("/jobs/dead").await;
    for words in ["coordinator.reports", "forged", "web-1", "2.0 kB", "claim"] {
        page.holds(words);
    }
    page.lacks("hunter");
}
