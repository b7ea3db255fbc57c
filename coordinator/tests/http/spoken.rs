//! Reasons, as people say them and others read them: nothing in them turns what stands beside them around.

use reqwest::Method;
use reqwest::header::USER_AGENT;
use serde_json::json;

use crate::browser::{Browser, read};
use crate::world::World;

/// Reads as "all is llew", where it is obeyed.
const TURNED: &str = "all is \u{202e}well";

#[tokio::test]
async fn a_reason_that_turns_text_around_is_refused_with_its_field() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = world.admin();
    let why = json!({ "reason": TURNED });
    for path in [
        "targets/shop@production/lock",
        "stop",
        "targets/shop@production/push-pause",
    ] {
        let answer = admin.put(path, &why).await;
        assert_eq!(answer.refused(422), "invalid_reason", "{path}");
        let told = answer.body.to_string();
        assert!(told.contains("the field reason holds U+202E"), "{told}");
        assert!(told.contains("write the reason without this character"), "{told}");
    }
    for (path, wish) in [
        (
            "deployments",
            json!({ "target": "shop@production", "release": "1.0", "reason": TURNED }),
        ),
        (
            "rollbacks",
            json!({ "target": "shop@production", "reason": TURNED }),
        ),
        ("garbage", json!({ "project": "shop", "reason": "a\u{7}b" })),
    ] {
        assert_eq!(
            admin.post(path, &wish).await.refused(422),
            "invalid_reason",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_reason_of_earlier_days_is_shown_with_a_stand_in() {
    let world = World::new().await;
    world.set_up_shop().await;
    let why = json!({ "reason": "all is well" });
    world
        .admin()
        .put("targets/shop@production/lock", &why)
        .await
        .expect(200);
    sqlx::query("UPDATE lock SET reason = $1")
        .bind(TURNED)
        .execute(world.pool())
        .await
        .unwrap();
    let browser = Browser::with_role(&world, "viewer").await;
    for path in ["/locks", "/t/shop@production"] {
        let page = browser.get(path).await;
        page.holds("all is \u{fffd}well");
        page.lacks(TURNED);
    }
    let text = browser
        .request(Method::GET, "/locks")
        .header(USER_AGENT, "curl/8.5.0");
    let text = read(text).await;
    text.holds("\u{fffd}well");
    text.lacks(TURNED);
}
