//! Roles in single projects on pages: what is shown, what is drawn, what a press does, and how people get such a role.

use pointsman_coordinator::http::{Access, Reach, pages, upkeep};
use serde_json::json;

use crate::browser::Browser;
use crate::keeper::{Keeper, between};
use crate::two_projects::{of_pay, tells_of_pay, token, two_projects};
use crate::world::World;

const PASSWORD: &str = "correct horse battery staple";

#[tokio::test]
async fn a_maintainer_of_one_project_finds_nothing_of_another_on_pages() {
    let world = two_projects().await;
    let token = token(&world, "none", "maintainer").await;
    let ann = Keeper::signed_in(&world, &[("token", &token)]).await;
    for route in pages().into_iter().chain(upkeep()) {
        let name = format!("{} {}", route.method, route.path);
        let path = of_pay(route.path);
        match (route.access, route.reach) {
            (Access::Page(_), Reach::Everything) => drop(ann.get(&path).await.expect(403)),
            (Access::Page(_), Reach::Each | Reach::Own) if path != "/live" => {
                let page = ann.get(&path).await.expect(200);
                assert!(!tells_of_pay(&page), "{name}: {page}");
                let data = ann
                    .get(&format!("{}.json", if path == "/" { "/index" } else { &path }))
                    .await;
                assert!(!tells_of_pay(&data.expect(200)), "{name}");
            }
            (Access::Page(_), reach) if path != "/live" => {
                assert!(
                    ann.get(&path).await.expect(404).contains("not_visible"),
                    "{name}: {reach:?}"
                );
            }
            (Access::Press(_), Reach::Everything) => {
                assert!(
                    ann.press(&path, &[]).await.expect(403).contains("not_allowed"),
                    "{name}"
                );
            }
            (Access::Press(_), Reach::Each | Reach::Own) => {}
            (Access::Press(_), _) => {
                assert!(
                    ann.press(&path, &[]).await.expect(404).contains("not_visible"),
                    "{name}"
                );
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn guesses_and_searches_tell_nothing_of_what_is_hidden() {
    let world = two_projects().await;
    let token = token(&world, "none", "maintainer").await;
    let ann = Keeper::signed_in(&world, &[("token", &token)]).await;
    for path in [
        "/find?q=a",
        "/find?q=2",
        "/find?q=production",
        "/?q=a",
        "/?show=problems",
        "/?at=2026-01-01",
        "/gc?project=pax",
        "/t/shop@productio",
        "/t/pax@production",
        "/migrations?target=shop@productio",
    ] {
        let page = ann.get(path).await;
        assert!(!tells_of_pay(&page.text), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn presses_that_name_another_project_in_their_form_find_nothing() {
    let world = two_projects().await;
    let token = token(&world, "none", "maintainer").await;
    let ann = Keeper::signed_in(&world, &[("token", &token)]).await;
    let target = ("target", "pay@production");
    let pay = ("project", "pay");
    let of_target = [
        ("kind", "target"),
        ("scope", "pay@production"),
        ("name", "PORT"),
        ("value", "1"),
    ];
    let presses: [(&str, &[(&str, &str)]); 12] = [
        ("/plans", &[target, ("release", "1")]),
        ("/rollbacks", &[target]),
        ("/locks", &[target, ("reason", "x")]),
        ("/locks/lift", &[target]),
        ("/gc/collect", &[pay]),
        ("/gc/undo", &[target, ("release", "1")]),
        ("/gc/schedule", &[pay]),
        ("/gc/pin", &[pay, ("release", "1"), ("pinned", "true")]),
        ("/migrations", &[target, ("phase", "pre"), ("mode", "apply")]),
        ("/settings/variables/set", &of_target),
        ("/settings/webhooks/add", &[pay, ("forge", "gitea")]),
        ("/settings/pushes/repeat", &[("push", "2")]),
    ];
    for (path, form) in presses {
        let page = ann.press(path, form).await.expect(404);
        assert!(page.contains("not_visible"), "{path}: {page}");
    }
    ann.get("/d?target=pay@production").await.expect(404);
    ann.get("/migrations?target=pay@production").await.expect(404);
    ann.get("/gc?project=pay").await.expect(404);
    // Everything that is collected at once takes a role everywhere.
    ann.press("/gc/collect", &[]).await.expect(403);
}

#[tokio::test]
async fn buttons_are_drawn_where_the_press_would_be_allowed() {
    let world = two_projects().await;
    let token = token(&world, "viewer", "maintainer").await;
    let ann = Keeper::signed_in(&world, &[("token", &token)]).await;
    for (path, in_shop, in_pay) in [
        ("/p/{}", "action=\"/p/shop/build\"", "action=\"/p/pay/build\""),
        ("/locks", "Unlock shop@production", "Unlock pay@production"),
        (
            "/settings/webhooks",
            "New secret for shop/github",
            "New secret for pay/github",
        ),
        ("/settings/webhooks", "Answer #1 again", "Answer #2 again"),
        (
            "/settings/variables",
            "Unset PORT of shop@production",
            "Unset PORT of pay@production",
        ),
        (
            "/jobs/{}",
            "action=\"/jobs/1/cancel\"",
            "action=\"/jobs/2/cancel\"",
        ),
        ("/d/{}", "action=\"/d/1/cancel\"", "action=\"/d/2/cancel\""),
    ] {
        let numbered = path.starts_with("/d/") || path.starts_with("/jobs/");
        let (shop, pay) = if numbered { ("1", "2") } else { ("shop", "pay") };
        let page = ann.get(&path.replace("{}", shop)).await.expect(200);
        assert!(page.contains(in_shop), "{path}: {page}");
        let page = ann.get(&path.replace("{}", pay)).await.expect(200);
        assert!(!page.contains(in_pay), "{path}: {page}");
    }
}

/// Max, invited to shop as a viewer and to nothing else, in a browser of his.
async fn max(world: &World, admin: &Keeper) -> Browser {
    let form = [
        ("name", "max"),
        ("role", "none"),
        ("project", "shop"),
        ("project_role", "viewer"),
    ];
    let page = admin
        .press("/settings/accounts/invitations", &form)
        .await
        .expect(200);
    assert!(page.contains("none, viewer of shop"), "{page}");
    let link = between(&page, "data-copy=\"", "\"").to_owned();
    let path = link.strip_prefix(world.url.trim_end_matches('/')).unwrap();
    let mut max = Browser::new(world);
    let accept = [("name", "max"), ("password", PASSWORD), ("again", PASSWORD)];
    let made = max.send_form(path, &accept).await;
    assert_eq!(made.leads_to(), "/");
    max.keep(&made);
    max
}

#[tokio::test]
async fn a_person_is_invited_to_one_project_and_given_another_role_later() {
    let world = two_projects().await;
    let admin = Keeper::new(&world, "admin").await;
    let max = max(&world, &admin).await;
    let overview = max.get("/").await;
    overview.holds("shop");
    overview.lacks("/p/pay");
    assert_eq!(max.get("/p/pay").await.status, 404);
    assert_eq!(max.get("/hosts").await.status, 403);
    assert_eq!(max.press("/p/shop/build", &[]).await.status, 403);

    let change = json!({ "projects": { "shop": "none", "pay": "deployer" } });
    let account = world.admin().put("accounts/max", &change).await.expect(200);
    assert_eq!(
        (&account["role"], &account["projects"]),
        (&json!("none"), &json!({ "pay": "deployer" }))
    );
    assert_eq!(
        max.get("/p/shop").await.status,
        404,
        "a role counts at once, in open sessions too"
    );
    max.get("/p/pay").await.holds("action=\"/p/pay/build\"");
    let act = world
        .admin()
        .get("audit?limit=1&what=account.change")
        .await
        .expect(200)["items"][0]
        .clone();
    assert_eq!(act["detail"]["before"], "none, viewer of shop");
    assert_eq!(
        act["detail"]["projects"],
        json!({ "shop": "none", "pay": "deployer" })
    );

    let list = admin.get("/settings/accounts").await.expect(200);
    assert!(
        list.contains("deployer of</span> <a href=\"/p/pay\">pay</a>"),
        "{list}"
    );
    for (wish, status, code) in [
        (json!({ "projects": { "shop": "admin" } }), 422, "invalid_role"),
        (
            json!({ "projects": { "shpo": "viewer" } }),
            404,
            "unknown_project",
        ),
    ] {
        assert_eq!(
            world.admin().put("accounts/max", &wish).await.refused(status),
            code
        );
    }
    let nothing = json!({ "name": "nothing", "role": "none" });
    assert_eq!(
        world.admin().post("tokens", &nothing).await.refused(422),
        "invalid_role"
    );
}
