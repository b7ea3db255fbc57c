//! The pages of the settings: people, tokens, environments, variables, channels and webhooks, each pressed and then seen.

use serde_json::json;

use crate::browser::Browser;
use crate::keeper::{Keeper, between};
use crate::world::World;

#[tokio::test]
async fn an_account_is_invited_changed_and_the_last_admin_stays() {
    let world = World::new().await;
    let admin = Keeper::new(&world, "admin").await;
    let form = [("name", "max"), ("role", "admin")];
    let page = admin
        .press("/settings/accounts/invitations", &form)
        .await
        .expect(200);
    let link = between(&page, "data-copy=\"", "\"").to_owned();
    let path = link
        .strip_prefix(world.url.trim_end_matches('/'))
        .unwrap()
        .to_owned();
    let password = "correct horse battery staple";
    let accept = [("name", "max"), ("password", password), ("again", password)];
    admin.post(&path, &accept).await.went();
    let refused = [("name", "max"), ("role", "viewer")];
    let page = admin
        .press("/settings/accounts/change", &refused)
        .await
        .expect(409);
    assert!(page.contains("last_admin"), "{page}");
    let max = Keeper::signed_in(&world, &[("name", "max"), ("password", password)]).await;
    let other = Keeper::signed_in(&world, &[("name", "max"), ("password", password)]).await;
    max.press("/profile/sessions/end", &[]).await.went();
    assert!(other.get("/profile").await.went().starts_with("/sign-in"));
    let wrong = [
        ("old", "no"),
        ("chosen", "a new long password"),
        ("again", "a new long password"),
    ];
    assert!(
        max.press("/profile/password", &wrong)
            .await
            .expect(403)
            .contains("wrong_credentials")
    );
    let differ = [
        ("old", password),
        ("chosen", "a new long password"),
        ("again", "another one here"),
    ];
    assert!(
        max.press("/profile/password", &differ)
            .await
            .expect(422)
            .contains("passwords_differ")
    );
    let right = [
        ("old", password),
        ("chosen", "turnip lantern orbit quay"),
        ("again", "turnip lantern orbit quay"),
    ];
    let went = max.press("/profile/password", &right).await.went();
    assert_eq!(went, "/profile?done=password");
    assert!(
        max.get("/profile")
            .await
            .expect(200)
            .contains("a person with an account")
    );
}

#[tokio::test]
async fn the_api_lists_invites_and_changes_accounts() {
    let world = World::new().await;
    let admin = world.admin();
    assert_eq!(admin.get("accounts").await.expect(200), json!([]));
    for name in ["lucy", "max"] {
        let wish = json!({ "name": name, "role": "admin" });
        let made = admin.post("accounts/invitations", &wish).await.expect(201);
        let path = made["url"]
            .as_str()
            .unwrap()
            .strip_prefix(world.url.trim_end_matches('/'))
            .unwrap()
            .to_owned();
        let password = "correct horse battery staple";
        let form = [("name", name), ("password", password), ("again", password)];
        let guest = Browser::new(&world);
        let made = guest.send_form(&path, &form).await;
        assert_eq!(made.status, 303, "{}", made.html);
    }
    let again = admin
        .post(
            "accounts/invitations",
            &json!({ "name": "max", "role": "viewer" }),
        )
        .await;
    assert_eq!(again.refused(409), "account_exists");
    let wrong = admin
        .post(
            "accounts/invitations",
            &json!({ "name": "No Name", "role": "viewer" }),
        )
        .await;
    assert_eq!(wrong.refused(422), "invalid_name");
    let changed = admin
        .put("accounts/max", &json!({ "role": "viewer" }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["name"], &changed["role"]),
        (&json!("max"), &json!("viewer"))
    );
    let last = admin.put("accounts/lucy", &json!({ "disabled": true })).await;
    assert_eq!(last.refused(409), "last_admin");
    let disabled = admin
        .put("accounts/max", &json!({ "disabled": true }))
        .await
        .expect(200);
    assert!(disabled["disabled_at"].is_string());
    let unknown = admin.put("accounts/mix", &json!({ "disabled": true })).await;
    assert_eq!(unknown.refused(404), "unknown_account");
    let viewer = world.person("viewer").await;
    assert_eq!(viewer.get("accounts").await.refused(403), "not_allowed");
}

#[tokio::test]
async fn tokens_environments_variables_channels_rules_and_webhooks_are_kept() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let form = [("name", "ci"), ("role", "deployer"), ("days", "30")];
    let page = admin.press("/settings/tokens/issue", &form).await.expect(200);
    let token = between(&page, "data-copy=\"", "\"").to_owned();
    assert!(!admin.get("/settings/tokens").await.expect(200).contains(&token));
    let id = between(&token, "pmn_", "_").to_owned();
    admin
        .press("/settings/tokens/revoke", &[("id", &id)])
        .await
        .went();
    assert_eq!(
        world
            .count("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL")
            .await,
        1
    );

    admin
        .press("/settings/environments", &[("name", "canary"), ("position", "5")])
        .await
        .went();
    assert!(
        admin
            .get("/settings/environments")
            .await
            .expect(200)
            .contains("canary")
    );

    let secret = [
        ("kind", "target"),
        ("scope", "shop@production"),
        ("name", "KEY"),
        ("value", "hush-hush"),
        ("secret", "yes"),
    ];
    admin.press("/settings/variables/set", &secret).await.went();
    let page = admin.get("/settings/variables").await.expect(200);
    assert!(page.contains("KEY") && !page.contains("hush-hush"), "{page}");
    let nothing = [("kind", "planet"), ("scope", "x"), ("name", "KEY")];
    admin.press("/settings/variables/set", &nothing).await.expect(422);
    admin
        .press("/settings/variables/unset", &secret[..3])
        .await
        .went();
    assert_eq!(world.count("SELECT count(*) FROM variable").await, 0);

    let form = [("project", "shop"), ("forge", "github")];
    let page = admin.press("/settings/webhooks/add", &form).await.expect(200);
    assert!(page.contains("/api/v1/webhooks/shop/github"), "{page}");
    let one = [("project", "shop"), ("webhook", "github")];
    admin.press("/settings/webhooks/renew", &one).await.expect(200);
    admin.press("/settings/webhooks/remove", &one).await.went();
    assert!(
        admin
            .get("/settings/webhooks")
            .await
            .expect(200)
            .contains("No forge calls yet")
    );
}

#[tokio::test]
async fn a_page_says_what_was_saved_and_only_what_a_press_can_have_saved() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let form = [
        ("kind", "project"),
        ("scope", "shop"),
        ("name", "PORT"),
        ("value", "80"),
    ];
    let to = admin.press("/settings/variables/set", &form).await.went();
    let told = "role=\"status\"><span class=\"is ok\"><span aria-hidden=\"true\">✓</span></span> Saved: the variable.";
    let page = admin.get(&to).await.expect(200);
    assert!(page.contains(told), "{page}");
    // What the page hands on, to its stream and its forms, is the address without the word.
    assert!(page.contains("data-path=\"/settings/variables\""), "{page}");
    assert!(!page.contains("done="), "{page}");
    let bare = admin.get("/settings/variables").await.expect(200);
    assert!(!bare.contains("id=\"done\""), "{bare}");
    let made_up = admin.get("/settings/variables?done=Hacked").await.expect(200);
    assert!(
        !made_up.contains("id=\"done\"") && !made_up.contains("Hacked"),
        "{made_up}"
    );
    let sent = admin.types("/settings/variables?done=variable-removed").await;
    assert!(!sent.expect(200).contains("Removed"), "nobody pressed");
    assert_eq!(world.count("SELECT count(*) FROM variable").await, 1);
    let nowhere = admin
        .get("/settings/projects/none?done=project")
        .await
        .expect(404);
    assert!(!nowhere.contains("Saved"), "{nowhere}");
    let to = admin.press("/settings/variables/unset", &form[..3]).await.went();
    assert!(
        admin
            .get(&to)
            .await
            .expect(200)
            .contains("Removed: the variable.")
    );
}

#[tokio::test]
async fn a_channel_is_added_with_a_rule_tried_out_and_removed() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let form = [
        ("name", "ops"),
        ("kind", "webhook"),
        ("place", "https://ops.example.com/in?key=hush"),
    ];
    let page = admin.press("/settings/channels/add", &form).await.expect(200);
    assert!(page.contains("whsec_"), "{page}");
    let rule = [
        ("channel", "ops"),
        ("project", ""),
        ("environments", "production"),
        ("events", "deploy.*"),
    ];
    admin.press("/settings/rules/add", &rule).await.went();
    let page = admin.get("/settings/channels").await.expect(200);
    assert!(
        page.contains("deploy.*") && !page.contains("hush") && !page.contains("whsec_"),
        "{page}"
    );
    let to = admin
        .press(
            "/settings/channels/change",
            &[("channel", "ops"), ("deed", "test")],
        )
        .await
        .went();
    let page = admin.get(&to).await.expect(200);
    assert!(page.contains("to ops"), "{page}");
    admin
        .press("/settings/channels/rotate", &[("channel", "ops"), ("secret", "")])
        .await
        .expect(200);
    for deed in ["disable", "enable", "remove"] {
        admin
            .press("/settings/channels/change", &[("channel", "ops"), ("deed", deed)])
            .await
            .went();
    }
    assert_eq!(
        world.admin().get("channels").await.expect(200)["items"],
        json!([])
    );
}
