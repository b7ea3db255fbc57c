//! The pages that keep an installation: seen by everybody who may look, pressed by those who may, and by nobody else's
//! pages.

use serde_json::json;

use crate::keeper::{Keeper, between};
use crate::world::World;

/// Every page that anybody may look at.
const PAGES: [&str; 20] = [
    "/hosts",
    "/locks",
    "/gc",
    "/migrations",
    "/audit",
    "/audit/chain",
    "/settings",
    "/settings/projects",
    "/settings/projects/shop",
    "/settings/targets/shop@production",
    "/settings/document",
    "/settings/environments",
    "/settings/channels",
    "/settings/deliveries",
    "/settings/webhooks",
    "/settings/variables",
    "/settings/causes",
    "/jobs",
    "/jobs/dead",
    "/profile",
];
/// Pages of admins.
const OF_ADMINS: [&str; 2] = ["/settings/accounts", "/settings/tokens"];
/// What a viewer may do: look as they like, change their own password, end their own sessions.
const OF_EVERYBODY: [&str; 6] = [
    "action=\"/appearance\"",
    "action=\"/sign-out\"",
    "action=\"/profile/address\"",
    "action=\"/profile/password\"",
    "action=\"/profile/sessions/end\"",
    "action=\"/sign-in\"",
];

/// Every press of these pages, with something plausible in its form.
const PRESSES: [(&str, &[(&str, &str)]); 31] = [
    ("/hosts/invitations", &[("host", "web-9")]),
    ("/h/web-1/revoke", &[]),
    ("/locks", &[("target", "shop@production"), ("reason", "x")]),
    ("/locks/lift", &[("target", "shop@production")]),
    ("/locks/stop", &[("reason", "x")]),
    ("/locks/stop/lift", &[]),
    ("/gc/collect", &[]),
    ("/gc/undo", &[("target", "shop@production"), ("release", "1")]),
    ("/gc/schedule", &[("project", "shop"), ("cron", "0 3 * * *")]),
    (
        "/gc/pin",
        &[("project", "shop"), ("release", "1"), ("pinned", "true")],
    ),
    (
        "/migrations",
        &[("target", "shop@production"), ("phase", "pre"), ("mode", "apply")],
    ),
    ("/settings/accounts/invitations", &[("role", "admin")]),
    ("/settings/accounts/password", &[("name", "max")]),
    ("/settings/accounts/change", &[("name", "max"), ("role", "admin")]),
    ("/settings/tokens/issue", &[("name", "ci"), ("role", "admin")]),
    ("/settings/tokens/revoke", &[("id", "abc")]),
    ("/settings/environments", &[("name", "canary")]),
    (
        "/settings/channels/add",
        &[
            ("name", "ops"),
            ("kind", "slack"),
            ("place", "https://x.example/"),
        ],
    ),
    (
        "/settings/channels/change",
        &[("channel", "ops"), ("deed", "remove")],
    ),
    ("/settings/channels/rotate", &[("channel", "ops")]),
    ("/settings/rules/add", &[("channel", "ops")]),
    ("/settings/rules/remove", &[("rule", "1")]),
    ("/settings/deliveries/1/redeliver", &[]),
    ("/settings/causes/add", &[("pattern", "x"), ("sentence", "y")]),
    (
        "/settings/causes/change",
        &[("number", "1"), ("pattern", "x"), ("sentence", "y")],
    ),
    ("/settings/causes/remove", &[("number", "1")]),
    (
        "/settings/projects",
        &[("name", "pay"), ("repository", "https://x.example/pay")],
    ),
    (
        "/settings/projects/shop",
        &[("repository", "https://x.example/evil")],
    ),
    ("/settings/targets/shop@production", &[("hosts", "role=db")]),
    (
        "/settings/webhooks/add",
        &[("project", "shop"), ("forge", "github")],
    ),
    (
        "/settings/variables/set",
        &[
            ("kind", "project"),
            ("scope", "shop"),
            ("name", "PORT"),
            ("value", "1"),
        ],
    ),
];

#[tokio::test]
async fn everybody_reads_every_page_and_a_viewer_sees_no_button_that_would_be_refused() {
    let world = World::new().await;
    world.set_up_shop().await;
    let (admin, viewer) = (
        Keeper::new(&world, "admin").await,
        Keeper::new(&world, "viewer").await,
    );
    for path in PAGES.iter().chain(&OF_ADMINS) {
        let page = admin.get(path).await.expect(200);
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        let data = admin.get(&format!("{path}.json")).await;
        assert_eq!(data.headers["content-type"], "application/json", "{path}");
        serde_json::from_str::<serde_json::Value>(&data.expect(200)).unwrap();
    }
    for path in PAGES {
        let page = viewer.get(path).await.expect(200);
        for form in page.split("<form method=\"post\"").skip(1) {
            let is_own = OF_EVERYBODY
                .iter()
                .any(|action| form.starts_with(&format!(" {action}")));
            assert!(is_own, "{path}: {}", &form[..120.min(form.len())]);
        }
    }
    for path in OF_ADMINS {
        viewer.get(path).await.expect(403);
    }
}

#[tokio::test]
async fn looking_changes_nothing() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let before = rows(&world).await;
    for path in PAGES.iter().chain(&OF_ADMINS) {
        admin.get(path).await.expect(200);
    }
    admin.get("/gc?project=shop").await.expect(200);
    admin.get("/migrations?target=shop@production").await.expect(200);
    admin.get("/audit.csv").await.expect(200);
    assert_eq!(rows(&world).await, before);
}

/// Rows that any change would add to.
async fn rows(world: &World) -> [i64; 4] {
    [
        world.count("SELECT count(*) FROM audit").await,
        world.count("SELECT count(*) FROM job").await,
        world.count("SELECT count(*) FROM event").await,
        world
            .count("SELECT sum(xmin::text::bigint)::bigint FROM target")
            .await,
    ]
}

#[tokio::test]
async fn a_press_without_proof_or_from_elsewhere_changes_nothing() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let before = rows(&world).await;
    let own = [
        (
            "/profile/password",
            &[("old", "x"), ("chosen", "y"), ("again", "y")][..],
        ),
        ("/profile/address", &[("email", "x@y")][..]),
        ("/profile/sessions/end", &[][..]),
    ];
    for (path, fields) in PRESSES.into_iter().chain(own) {
        let page = admin.post(path, fields).await.expect(403);
        assert!(page.contains("unproven"), "{path}: {page}");
        let page = admin
            .press_from("https://evil.example", path, fields)
            .await
            .expect(403);
        assert!(page.contains("other_origin"), "{path}: {page}");
    }
    assert_eq!(rows(&world).await, before);
}

#[tokio::test]
async fn a_press_of_a_viewer_is_refused_and_audited() {
    let world = World::new().await;
    world.set_up_shop().await;
    let viewer = Keeper::new(&world, "viewer").await;
    for (path, fields) in PRESSES {
        viewer.press(path, fields).await.expect(403);
        let act = world.admin().get("audit?limit=1").await.expect(200)["items"][0].clone();
        let told = (&act["action"], &act["object"], &act["result"]);
        let right = (&json!("page.press"), &json!(path), &json!("refused"));
        assert_eq!(told, right);
    }
}

#[tokio::test]
async fn a_host_is_invited_by_a_token_that_is_shown_once_and_withdrawn() {
    let world = World::new().await;
    let admin = Keeper::new(&world, "admin").await;
    let form = [("host", "web-1"), ("labels", "role=web, zone=a"), ("pools", "")];
    let made = admin.press("/hosts/invitations", &form).await;
    assert_eq!(made.headers["cache-control"], "no-store");
    let page = made.expect(200);
    let command = between(&page, "data-copy=\"", "\"");
    assert!(
        command.starts_with("pointsman-agent join --token pmj_"),
        "{command}"
    );
    assert!(!page.contains("data-live"), "a page with a secret is not patched");
    let list = admin.get("/hosts").await.expect(200);
    assert!(
        list.contains("invited, not joined yet") && !list.contains("pmj_"),
        "{list}"
    );
    assert_eq!(admin.press("/h/web-1/revoke", &[]).await.went(), "/hosts");
    assert!(
        !admin
            .get("/hosts")
            .await
            .expect(200)
            .contains("invited, not joined yet")
    );
    let refused = admin
        .press("/hosts/invitations", &[("host", "web-1"), ("labels", "web")])
        .await;
    assert!(refused.expect(422).contains("invalid_labels"));
    assert!(
        admin
            .get("/h/web-1")
            .await
            .expect(404)
            .contains("host_not_joined")
    );
}

#[tokio::test]
async fn the_stop_stands_on_every_page_until_it_is_lifted() {
    let world = World::new().await;
    world.set_up_shop().await;
    let deployer = Keeper::new(&world, "deployer").await;
    let form = [("reason", "the datacentre <moves>"), ("length", "3600")];
    assert_eq!(deployer.press("/locks/stop", &form).await.went(), "/locks");
    for path in ["/hosts", "/", "/settings"] {
        let page = deployer.get(path).await.expect(200);
        assert!(page.contains("Everything is stopped"), "{path}");
        assert!(page.contains("the datacentre &#60;moves&#62;"), "{page}");
    }
    let held = world.admin().get("locks").await.expect(200);
    assert!(held[0]["expires_at"].is_string() && held[0]["target"].is_null());
    deployer.press("/locks/stop/lift", &[]).await.went();
    assert!(
        !deployer
            .get("/hosts")
            .await
            .expect(200)
            .contains("Everything is stopped")
    );
    let form = [
        ("target", "shop@production"),
        ("reason", "freeze"),
        ("length", ""),
    ];
    deployer.press("/locks", &form).await.went();
    assert_eq!(
        world.admin().get("locks").await.expect(200)[0]["target"],
        "shop@production"
    );
    deployer
        .press("/locks", &[("target", ""), ("reason", "all?")])
        .await
        .expect(422);
    deployer
        .press("/locks/lift", &[("target", "shop@production")])
        .await
        .went();
    assert_eq!(world.admin().get("locks").await.expect(200), json!([]));
}

#[tokio::test]
async fn garbage_has_a_schedule_and_a_collection_says_what_it_ordered() {
    let world = World::new().await;
    world.set_up_shop().await;
    let maintainer = Keeper::new(&world, "maintainer").await;
    let form = [("project", "shop"), ("cron", "15 4 * * *")];
    let went = maintainer.press("/gc/schedule", &form).await.went();
    assert_eq!(went, "/gc?done=schedule");
    let known = world.admin().get("garbage/schedules").await.expect(200);
    assert_eq!(known[0]["cron"], "15 4 * * *");
    assert!(maintainer.get("/gc").await.expect(200).contains("15 4 * * *"));
    maintainer
        .press("/gc/schedule", &[("project", "shop"), ("cron", "")])
        .await
        .went();
    let known = world.admin().get("garbage/schedules").await.expect(200);
    assert!(known[0]["cron"].is_null());
    let ordered = maintainer
        .press("/gc/collect", &[("project", "shop")])
        .await
        .expect(200);
    assert!(ordered.contains("nothing was ordered"), "{ordered}");
    let undo = [("target", "shop@production"), ("release", "1.0.0")];
    assert!(
        maintainer
            .press("/gc/undo", &undo)
            .await
            .expect(404)
            .contains("unknown_release")
    );
    maintainer.get("/gc?project=nothing").await.expect(404);
}

#[tokio::test]
async fn the_trail_is_filtered_and_taken_along() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    admin
        .press("/locks", &[("target", "shop@production"), ("reason", "=1+1")])
        .await
        .went();
    let page = admin.get("/audit?what=target&object=shop@prod").await.expect(200);
    assert!(
        page.contains("target.lock") && !page.contains("project.create"),
        "{page}"
    );
    let none = admin.get("/audit?who=nobody").await.expect(200);
    assert!(none.contains("Nothing in the trail fits"), "{none}");
    let csv = admin.get("/audit.csv?what=target.lock").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let csv = csv.expect(200);
    assert_eq!(csv.lines().count(), 2, "{csv}");
    admin.get("/audit?since=yesterday").await.expect(422);
    assert!(admin.get("/audit/chain").await.expect(200).contains("unbroken"));
}
