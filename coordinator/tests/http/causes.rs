//! Known causes: kept by maintainers, read by all, told beside failed lines.

use serde_json::json;

use crate::browser::Browser;
use crate::log_pages::arrive;
use crate::logs::Log;
use crate::world::World;

#[tokio::test]
async fn causes_are_kept_by_maintainers_through_one_door_with_an_audit_row_each() {
    let world = World::new().await;
    let maintainer = world.person("maintainer").await;
    let usual = maintainer.get("causes").await.expect(200);
    let usual = usual["items"].as_array().unwrap();
    assert!(
        usual.len() >= 12 && usual.iter().all(|cause| cause["created_by"].is_null()),
        "{usual:?}"
    );
    let wish = json!({ "pattern": "flux (capacitor|converter)", "sentence": "No flux.", "action": "pointsman doctor" });
    let made = maintainer.post("causes", &wish).await.expect(201);
    let number = made["number"].as_i64().unwrap();
    assert_eq!(
        maintainer.post("causes", &wish).await.refused(409),
        "cause_exists"
    );
    let wrong = json!({ "pattern": "a(", "sentence": "x" });
    assert_eq!(
        maintainer.post("causes", &wrong).await.refused(422),
        "invalid_cause"
    );
    let other = json!({ "pattern": "flux", "sentence": "Still no flux." });
    let changed = maintainer
        .put(&format!("causes/{number}"), &other)
        .await
        .expect(200);
    assert_eq!(changed["action"], json!(null));
    assert_eq!(
        maintainer.put("causes/999", &other).await.refused(404),
        "unknown_cause"
    );
    let viewer = world.person("viewer").await;
    assert_eq!(
        viewer.delete(&format!("causes/{number}")).await.refused(403),
        "not_allowed"
    );
    maintainer.delete(&format!("causes/{number}")).await.expect(200);
    let acts = world
        .count("SELECT count(*) FROM audit WHERE action LIKE 'cause.%' AND result = 'done'")
        .await;
    assert_eq!(acts, 3);
}

#[tokio::test]
async fn a_failed_log_says_what_it_means_and_a_good_one_does_not() {
    let world = World::new().await;
    let log = Log::new(&world).await;
    log.ends(120, Some(3)).await;
    arrive(
        &world,
        1,
        1,
        &[
            "Fetching",
            "\u{1b}[31mwrite failed: No space left on device\u{1b}[0m",
            "giving up",
        ],
    )
    .await;
    let mut browser = Browser::with_role(&world, "maintainer").await;
    let page = format!("/jobs/{}", log.number);
    browser.get(&page).await.lacks("The disk of the host is full.");
    sqlx::query("UPDATE job SET state = 'failed', reason = 'connect: Connection refused' WHERE number = $1")
        .bind(log.number)
        .execute(world.pool())
        .await
        .unwrap();
    let shown = browser.get(&page).await;
    shown.holds("The disk of the host is full.");
    shown.holds("<code>pointsman gc run</code>");
    shown.holds("href=\"#L2\"");
    shown.holds("Nothing listens where it tried to connect.");
    let rows = browser.get(&format!("{page}/lines?from=1&to=3")).await;
    rows.holds("<em class=\"cause\">The disk of the host is full.</em>");
    // What is changed in the settings is told at once; the form stands where it is asked for.
    browser.get("/settings/causes").await.lacks("Keep 1 so");
    browser.get("/settings/causes?change=1").await.holds("Keep 1 so");
    let form = [
        ("number", "1"),
        ("pattern", "no space"),
        ("sentence", "Full it is."),
        ("action", ""),
    ];
    assert_eq!(
        browser.press("/settings/causes/change", &form).await.leads_to(),
        "/settings/causes?done=cause"
    );
    browser.get(&page).await.holds("Full it is.");
    browser = Browser::with_role(&world, "viewer").await;
    let page = browser.get("/settings/causes?change=1").await;
    page.lacks("/settings/causes/add");
    page.lacks("/settings/causes/change");
}
