//! What pages show: data as well, nobody's markup, and what changes while they are open.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::browser::Browser;
use crate::world::{Settings, World};

#[tokio::test]
async fn a_page_is_data_too_and_hostile_words_stay_words() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Browser::with_role(&world, "admin").await;
    let reason = "<script>alert(1)</script>";
    let lock = json!({ "reason": reason });
    world
        .admin()
        .put("targets/shop@production/lock", &lock)
        .await
        .expect(200);
    let page = admin.get("/").await;
    page.lacks("<script>alert");
    page.holds("&#60;script&#62;alert(1)");
    let data: serde_json::Value = serde_json::from_str(&admin.get("/index.json").await.html).unwrap();
    assert_eq!(data["locks"][0]["reason"], reason);
    let project: serde_json::Value = serde_json::from_str(&admin.get("/p/shop.json").await.html).unwrap();
    assert_eq!(project["project"]["name"], "shop");
    let missing = admin.get("/p/shap").await;
    assert_eq!(missing.status, 404);
    missing.holds("did you mean shop?");
    assert_eq!(admin.get("/no/such/page").await.status, 404);
}

#[tokio::test]
async fn a_public_status_shows_the_overview_to_everybody_and_nothing_else() {
    let world = World::with(Settings {
        public_status: true,
        ..Settings::default()
    })
    .await;
    world.set_up_shop().await;
    let stranger = Browser::new(&world);
    let page = stranger.get("/").await;
    assert_eq!(page.status, 200);
    page.holds("shop");
    page.holds("href=\"/sign-in\"");
    page.lacks("name=\"proof\"");
    assert_eq!(stranger.get("/p/shop").await.status, 303);
}

#[tokio::test]
async fn an_open_page_is_sent_what_differs_and_told_when_its_session_is_over() {
    let world = World::new().await;
    world.set_up_shop().await;
    let browser = Browser::with_role(&world, "viewer").await;
    let page = browser.get("/").await;
    let have = page.html.split("class=\"region\"").skip(1).count();
    assert!(have >= 2, "{}", page.html);
    let mut stream = browser
        .request(Method::GET, "/live?page=/&have=needs:old")
        .send()
        .await
        .unwrap();
    let mut heard = String::new();
    while !heard.contains("event: beat") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    assert!(
        heard.contains("event: patch") && heard.contains("\"id\":\"matrix\""),
        "{heard}"
    );
    // Something happens: only the region that tells of it comes.
    heard.clear();
    let lock = json!({ "reason": "the fair is on" });
    world
        .admin()
        .put("targets/shop@production/lock", &lock)
        .await
        .expect(200);
    while !heard.contains("the fair is on") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    assert!(!heard.contains("\"id\":\"needs\""), "{heard}");
    world.clock.put_forward(TimeDelta::hours(13));
    let other = json!({ "reason": "still on" });
    world.admin().put("targets/shop@production/lock", &other).await;
    while !heard.contains("event: gone") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
}

#[tokio::test]
async fn an_open_page_that_nobody_uses_does_not_keep_its_session() {
    let world = World::new().await;
    world.set_up_shop().await;
    let browser = Browser::with_role(&world, "viewer").await;
    world.clock.put_forward(TimeDelta::minutes(20));
    let mut stream = browser
        .request(Method::GET, "/live?page=/&have=")
        .send()
        .await
        .unwrap();
    let mut heard = String::new();
    while heard.matches("event: beat").count() < 2 {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
        let lock = json!({ "reason": format!("look {}", heard.len()) });
        world.admin().put("targets/shop@production/lock", &lock).await;
    }
    // Opening the stream was the last use; its redrawing since was none.
    world.clock.put_forward(TimeDelta::minutes(20));
    world
        .admin()
        .put("targets/shop@production/lock", &json!({ "reason": "in between" }))
        .await;
    while !heard.contains("in between") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    world.clock.put_forward(TimeDelta::minutes(11));
    let lock = json!({ "reason": "at last" });
    world.admin().put("targets/shop@production/lock", &lock).await;
    while !heard.contains("event: gone") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    assert_eq!(browser.get("/").await.status, 303);
}
