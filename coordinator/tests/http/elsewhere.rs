//! What leaves the dashboard: finds, badges, plain text for terminals, codes for phones, and the past.

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, USER_AGENT};

use crate::browser::{Browser, read};
use crate::world::{Settings, World};

#[tokio::test]
async fn names_and_pages_are_found_by_a_part_of_them() {
    let world = World::new().await;
    world.set_up_shop().await;
    let viewer = Browser::with_role(&world, "viewer").await;
    viewer
        .get("/find")
        .await
        .holds("What you look for will stand here");
    let page = viewer.get("/find?q=SHOP").await;
    page.holds("href=\"/p/shop\"");
    page.holds("href=\"/t/shop@production\"");
    viewer.get("/find?q=audit").await.holds("href=\"/audit\"");
    viewer.get("/find?q=%3Cb%3E").await.holds("Nothing is called so");
    let finds: serde_json::Value =
        serde_json::from_str(&viewer.get("/find.json?q=shop@").await.html).unwrap();
    assert_eq!(finds[0]["kind"], "target");
    assert_eq!(finds[0]["href"], "/t/shop@production");
    // The field stands on every page, and leads there without scripts.
    viewer.get("/").await.holds("action=\"/find\"");
}

#[tokio::test]
async fn a_badge_tells_strangers_what_the_public_overview_tells() {
    let shut = World::new().await;
    shut.set_up_shop().await;
    let paths = [
        "/t/shop@production/badge.svg",
        "/t/shop@production/version",
        "/t/shop@production/badge.json",
    ];
    for path in paths {
        assert_eq!(Browser::new(&shut).get(path).await.status, 303, "{path}");
    }
    let open = World::with(Settings {
        public_status: true,
        ..Settings::default()
    })
    .await;
    open.set_up_shop().await;
    let stranger = Browser::new(&open);
    let badge = stranger.get(paths[0]).await;
    assert_eq!(badge.headers["content-type"], "image/svg+xml");
    badge.holds("shop@production: nothing live");
    assert_eq!(stranger.get(paths[1]).await.html, "\n");
    let shield: serde_json::Value = serde_json::from_str(&stranger.get(paths[2]).await.html).unwrap();
    assert_eq!(shield["schemaVersion"], 1);
    assert_eq!(shield["label"], "shop@production");
    assert_eq!(shield["message"], "nothing live");
    // Nothing else of the target is shown to them.
    assert_eq!(stranger.get("/t/shop@production").await.status, 303);
    assert_eq!(stranger.get("/t/shop@production/badgers").await.status, 404);
    assert_eq!(stranger.get("/t/shap@production/badge.svg").await.status, 404);
}

#[tokio::test]
async fn a_terminal_reads_pages_as_text_with_a_token_and_can_press_nothing() {
    let world = World::new().await;
    world.set_up_shop().await;
    // Whose board stands in a form, because something of it can be pressed.
    let token = world.token_of("deployer").await;
    let browser = Browser::new(&world);
    let asks = |path: &str| {
        browser
            .request(Method::GET, path)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(USER_AGENT, "curl/8.5.0")
    };
    let text = read(asks("/").header(ACCEPT, "*/*")).await;
    assert_eq!(text.status, 200);
    assert!(
        text.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    text.holds("shop");
    text.holds("production");
    text.lacks("<");
    // Whoever wants a page says so, and gets one.
    read(asks("/").header(ACCEPT, "text/html"))
        .await
        .holds("<!doctype html>");
    // A wrong token is told, not led to a form.
    let wrong = browser
        .request(Method::GET, "/")
        .header(AUTHORIZATION, "Bearer pmn_0_0");
    assert_eq!(read(wrong).await.status, 401);
    let nothing = browser
        .request(Method::GET, "/hosts")
        .header(USER_AGENT, "curl/8.5.0");
    assert_eq!(read(nothing).await.status, 401);
    let press = browser
        .request(Method::POST, "/locks/stop")
        .header(AUTHORIZATION, format!("Bearer {}", world.token_of("admin").await))
        .form(&[("proof", "-"), ("reason", "from a terminal")]);
    assert_eq!(read(press).await.status, 401);
    assert_eq!(world.count("SELECT count(*) FROM lock").await, 0);
}

#[tokio::test]
async fn the_overview_goes_back_to_any_moment() {
    let world = World::new().await;
    world.set_up_shop().await;
    let viewer = Browser::with_role(&world, "viewer").await;
    let past = viewer.get("/?at=2026-01-02T03:04").await;
    past.holds("2026-01-02 03:04 UTC");
    past.holds("nothing yet");
    let wrong = viewer.get("/?at=yesterday").await;
    assert_eq!(wrong.status, 422);
    wrong.holds("2026-11-20T12:00");
}

#[tokio::test]
async fn single_keys_can_be_switched_off() {
    let world = World::new().await;
    let mut viewer = Browser::with_role(&world, "viewer").await;
    viewer.get("/").await.lacks("data-keys");
    let page = viewer
        .press("/appearance", &[("keys", "off"), ("back", "/d")])
        .await;
    assert_eq!(page.leads_to(), "/d");
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("keys=off;"), "{cookie}");
    viewer.keep_also(&page);
    viewer.get("/").await.holds("data-keys=\"off\"");
}
