//! The settings of projects and targets by pages: made, changed, keyed and linked by those who may, through the same doors
//! as the API; and the document that describes them, with its text kept where it is refused.

use serde_json::json;

use crate::keeper::Keeper;
use crate::two_projects::{token, two_projects};
use crate::world::World;

/// What the form of a target holds.
const TARGET: [(&str, &str); 11] = [
    ("hosts", "role=web, zone=a"),
    ("root", ""),
    ("waves", "1 100%"),
    ("max_unavailable", "2"),
    ("max_failures", ""),
    ("on_failure", "rollback"),
    ("keep", "3"),
    ("min_age_hours", "24"),
    ("gates", "previous_live, mark:tested"),
    ("when_busy", "refuse"),
    ("on_push", "main tag:v*"),
];

#[tokio::test]
async fn a_project_is_made_and_changed() {
    let world = World::new().await;
    world.set_up_shop().await;
    let maintainer = Keeper::new(&world, "maintainer").await;
    let form = [
        ("name", "pay"),
        ("repository", "https://git.example.com/pay"),
        ("subdirectory", " apps/pay "),
        ("pool", ""),
    ];
    let went = maintainer.press("/settings/projects", &form).await.went();
    assert_eq!(went, "/settings/projects/pay?done=project");
    let again = maintainer.press("/settings/projects", &form).await.expect(409);
    assert!(again.contains("project_exists"), "{again}");
    let changed = [("repository", "ssh://git@git.example.com/pay"), ("pool", "large")];
    let path = "/settings/projects/pay";
    let went = maintainer.press(path, &changed).await.went();
    assert_eq!(went, format!("{path}?done=project"));
    let project = world.admin().get("projects/pay").await.expect(200);
    assert_eq!(
        (&project["repository"], &project["subdirectory"], &project["pool"]),
        (
            &json!("ssh://git@git.example.com/pay"),
            &json!(null),
            &json!("large")
        )
    );
    let unknown = maintainer.press("/settings/projects/pya", &changed).await;
    assert!(unknown.expect(404).contains("unknown_project"));
}

#[tokio::test]
async fn a_target_is_made_by_its_form_and_pages_lead_there() {
    let world = World::new().await;
    world.set_up_shop().await;
    let maintainer = Keeper::new(&world, "maintainer").await;
    let form = [("name", "pay"), ("repository", "https://git.example.com/pay")];
    maintainer.press("/settings/projects", &form).await.went();
    let form: Vec<_> = TARGET
        .into_iter()
        .chain([("environment", "production")])
        .collect();
    let to = maintainer
        .press("/settings/projects/pay/targets", &form)
        .await
        .went();
    assert_eq!(to, "/t/pay@production");
    let target = world.admin().get("targets/pay@production").await.expect(200);
    assert_eq!(target["hosts"], json!({ "role": "web", "zone": "a" }));
    assert_eq!(target["root"], "/srv/pay");
    assert_eq!(target["strategy"]["waves"], json!(["1", "100%"]));
    assert_eq!(target["strategy"]["max_unavailable"], 2);
    assert_eq!(target["strategy"]["on_failure"], "rollback");
    assert_eq!(target["retention"], json!({ "keep": 3, "min_age_hours": 24 }));
    assert_eq!(target["gates"], json!(["previous_live", "mark:tested"]));
    assert_eq!(target["on_push"], json!(["main", "tag:v*"]));
    for (page, link) in [
        ("/p/pay", "/settings/projects/pay"),
        ("/t/pay@production", "/settings/targets/pay@production"),
        ("/settings/projects", "/settings/projects/pay"),
    ] {
        let html = maintainer.get(page).await.expect(200);
        assert!(html.contains(&format!("href=\"{link}\"")), "{page}: {html}");
    }
}

#[tokio::test]
async fn a_target_is_changed_by_its_form_and_what_is_wrong_changes_nothing() {
    let world = World::new().await;
    world.set_up_shop().await;
    let maintainer = Keeper::new(&world, "maintainer").await;
    let path = "/settings/targets/shop@production";
    maintainer.press(path, &TARGET).await.went();
    // The form that shows it changes nothing when it is pressed as it stands.
    let page = maintainer.get(path).await.expect(200);
    assert!(
        page.contains("value=\"role=web zone=a\"") && page.contains("value=\"previous_live mark:tested\"")
    );
    assert!(page.contains("<option value=\"refuse\" selected>"), "{page}");
    let as_shown: Vec<_> = TARGET
        .into_iter()
        .map(|(name, value)| (name, if name == "max_failures" { "0" } else { value }))
        .collect();
    let acts = "SELECT count(*) FROM audit WHERE action = 'target.change'";
    let went = maintainer.press(path, &as_shown).await.went();
    assert_eq!(went, format!("{path}?done=target"));
    assert_eq!(world.count(acts).await, 1);
    let wider: Vec<_> = as_shown
        .iter()
        .map(|(name, value)| (*name, if *name == "hosts" { "role=web" } else { *value }))
        .collect();
    maintainer.press(path, &wider).await.went();
    assert_eq!(world.count(acts).await, 2);
    for (name, wrong, code) in [
        ("hosts", "web", "invalid_labels"),
        ("hosts", " ", "no_labels"),
        ("waves", "many", "invalid_waves"),
        ("keep", "-1", "invalid_body"),
        ("gates", "luck", "invalid_body"),
        ("root", "srv", "invalid_body"),
    ] {
        let form: Vec<_> = wider
            .iter()
            .map(|(field, value)| (*field, if *field == name { wrong } else { *value }))
            .collect();
        let refused = maintainer.press(path, &form).await.expect(422);
        assert!(refused.contains(code), "{name} {wrong}: {refused}");
    }
}

#[tokio::test]
async fn a_deploy_key_is_made_trusted_and_removed_and_its_private_half_stays_here() {
    let world = World::new().await;
    world.set_up_shop().await;
    let maintainer = Keeper::new(&world, "maintainer").await;
    let page = "/settings/projects/shop";
    assert!(maintainer.get(page).await.expect(200).contains("It has none"));
    let hosts = [(
        "known_hosts",
        "git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+vZPPzQSiLHXzFIYmJGGxAU6xcIjFkMPFrbMvGyKzA",
    )];
    let make = format!("{page}/key/make");
    let went = maintainer.press(&make, &[("known_hosts", "")]).await.went();
    assert_eq!(went, format!("{page}?done=key"));
    let shown = maintainer.get(page).await.expect(200);
    assert!(
        shown.contains("ssh-ed25519 ") && !shown.contains("PRIVATE KEY"),
        "{shown}"
    );
    maintainer
        .press(&format!("{page}/key/trust"), &hosts)
        .await
        .went();
    let kept = world.admin().get("projects/shop/deploy-key").await.expect(200);
    assert_eq!(kept["known_hosts"].as_array().map(Vec::len), Some(1), "{kept}");
    let wrong = [("private_key", "hush-hush, no key")];
    let refused = maintainer.press(&format!("{page}/key"), &wrong).await.expect(422);
    assert!(
        refused.contains("invalid_key") && !refused.contains("hush-hush"),
        "{refused}"
    );
    maintainer.press(&format!("{page}/key/remove"), &[]).await.went();
    assert_eq!(world.count("SELECT count(*) FROM deploy_key").await, 0);
}

#[tokio::test]
async fn tickets_are_said_by_page_api_and_document_and_judged_by_one_rule() {
    let world = World::new().await;
    world.set_up_shop().await;
    let maintainer = Keeper::new(&world, "maintainer").await;
    let link = "https://tracker.example.org/browse/{}";
    let page = "/settings/projects/shop";
    let form = [("pattern", r" SHOP-\d+ "), ("link", link)];
    let went = maintainer.press(&format!("{page}/tickets"), &form).await.went();
    assert_eq!(went, format!("{page}?done=tickets"));
    let admin = world.admin();
    let kept = json!({ "pattern": r"SHOP-\d+", "link": link });
    assert_eq!(admin.get("projects/shop").await.expect(200)["tickets"], kept);
    let wrong = json!({ "pattern": "x", "link": "javascript:alert({})" });
    assert_eq!(
        admin.put("projects/shop/tickets", &wrong).await.refused(422),
        "invalid_tickets"
    );
    let half = [("pattern", "x"), ("link", "")];
    let refused = maintainer
        .press(&format!("{page}/tickets"), &half)
        .await
        .expect(422);
    assert!(refused.contains("invalid_tickets"), "{refused}");
    let document = json!({ "project": [{ "name": "shop", "repository": "https://git.example.com/shop", "tickets": wrong }] });
    assert_eq!(
        admin.put("apply", &document).await.refused(422),
        "invalid_tickets"
    );
    // A document that says nothing of tickets leaves them.
    world.set_up_shop().await;
    assert_eq!(admin.get("projects/shop").await.expect(200)["tickets"], kept);
    let deployer = world.person("deployer").await;
    assert_eq!(
        deployer.put("projects/shop/tickets", &kept).await.refused(403),
        "not_allowed"
    );
    let nothing = admin.delete("projects/shop/tickets").await.expect(200);
    assert!(nothing["tickets"].is_null());
    let acts = "SELECT count(*) FROM audit WHERE action = 'project.tickets' AND result = 'done'";
    assert_eq!(world.count(acts).await, 2);
}

#[tokio::test]
async fn a_document_is_shown_applied_and_kept_where_it_is_refused() {
    let world = World::new().await;
    world.set_up_shop().await;
    let maintainer = Keeper::new(&world, "maintainer").await;
    let page = maintainer
        .get("/settings/document?project=shop")
        .await
        .expect(200);
    for words in [
        "[[project]]",
        "[[target]]",
        "https://git.example.com/shop",
        "role = &#34;web&#34;",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let wrong = "[[project]]\nname = \"shop\"\nrepositroy = \"x\" # <b>\n";
    let refused = maintainer
        .press("/settings/document", &[("text", wrong)])
        .await
        .expect(422);
    assert!(
        refused.contains("repositroy = &#34;x&#34; # &#60;b&#62;"),
        "{refused}"
    );
    assert!(refused.contains("line 3"), "{refused}");
    let unknown = "[[target]]\nproject = \"shpo\"\nenvironment = \"beta\"\nhosts = { role = \"web\" }\n";
    let refused = maintainer
        .press("/settings/document", &[("text", unknown)])
        .await
        .expect(404);
    assert!(
        refused.contains("shpo") && refused.contains("<textarea"),
        "{refused}"
    );
    let right = "[[target]]\r\nproject = \"shop\"\r\nenvironment = \"beta\"\r\nroot = \"/srv/beta\"\r\nhosts = { role = \"web\" }\r\n";
    let done = maintainer
        .press("/settings/document", &[("text", right)])
        .await
        .expect(200);
    assert!(
        done.contains("href=\"/settings/targets/shop@beta\"") && done.contains("created"),
        "{done}"
    );
    world.admin().get("targets/shop@beta").await.expect(200);
}

#[tokio::test]
async fn who_maintains_one_project_keeps_that_one_and_sees_no_other() {
    let world = two_projects().await;
    let token = token(&world, "none", "maintainer").await;
    let ann = Keeper::signed_in(&world, &[("token", &token)]).await;
    let page = ann.get("/settings/projects/shop").await.expect(200);
    assert!(
        page.contains("action=\"/settings/projects/shop/tickets\""),
        "{page}"
    );
    // The source of a project is changed by those who keep all of them.
    assert!(!page.contains("action=\"/settings/projects/shop\""), "{page}");
    let form = [("repository", "https://git.example.com/evil")];
    let refused = ann.press("/settings/projects/shop", &form).await.expect(403);
    assert!(refused.contains("not_allowed"), "{refused}");
    let tickets = [("pattern", "x"), ("link", "https://t.example.org/{}")];
    ann.press("/settings/projects/shop/tickets", &tickets)
        .await
        .went();
    ann.press("/settings/targets/shop@production", &TARGET)
        .await
        .went();
    ann.get("/settings/document?project=pay").await.expect(404);
    let pay = "[[target]]\nproject = \"pay\"\nenvironment = \"beta\"\nhosts = { role = \"web\" }\n";
    let refused = ann
        .press("/settings/document", &[("text", pay)])
        .await
        .expect(404);
    for words in [
        "there is no target pay@beta, or it is of a project that you may not see",
        "take target pay@beta out of the document, or ask an admin for a role in the project",
        "project = &#34;pay&#34;",
    ] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    let shop = "[[project]]\nname = \"shop\"\nrepository = \"https://git.example.com/evil\"\n";
    let refused = ann
        .press("/settings/document", &[("text", shop)])
        .await
        .expect(403);
    for words in [
        "(project shop): its role is none, maintainer of shop",
        "take project shop out of the document, or ask an admin for the role maintainer",
        "git.example.com/evil",
    ] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    assert_eq!(world.count("SELECT count(*) FROM target").await, 2);
}
