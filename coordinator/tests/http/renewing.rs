//! Another password for whoever forgot theirs: by an admin's link, once.

use chrono::TimeDelta;
use pointsman_shared::api::tokens::RoleName;
use serde_json::json;

use crate::browser::{Browser, invitation};
use crate::world::World;

const OLD: &str = "zebra stapler pontoon fig";
const NEW: &str = "lantern gravel oboe thirty";

async fn with_lucy(world: &World) -> Browser {
    let path = invitation(world, Some("lucy"), RoleName::Viewer).await;
    let mut lucy = Browser::new(world);
    let form = [("password", OLD), ("again", OLD)];
    let made = lucy.send_form(&path, &form).await;
    lucy.keep(&made);
    lucy
}

/// The path of a link that an admin makes.
async fn link(world: &World, name: &str) -> String {
    let made = world
        .admin()
        .post(&format!("accounts/{name}/password"), &json!(null))
        .await
        .expect(201);
    let url = made["url"].as_str().unwrap_or_default();
    let at = url.find("/invitation/").unwrap_or_default();
    url[at..].to_owned()
}

#[tokio::test]
async fn a_forgotten_password_is_renewed_once_and_ends_every_session() {
    let world = World::new().await;
    let lucy = with_lucy(&world).await;
    let admin = Browser::with_role(&world, "admin").await;
    let first = admin
        .press("/settings/accounts/password", &[("name", "lucy")])
        .await;
    assert_eq!(first.status, 200);
    first.holds("lucy may choose another password");
    let path = link(&world, "lucy").await;
    // What was linked before does not count any more, the old password still does.
    let (_, before) = first.html.split_once("/invitation/").unwrap();
    let before: String = before.chars().take_while(char::is_ascii_alphanumeric).collect();
    assert_eq!(
        Browser::new(&world)
            .get(&format!("/invitation/{before}"))
            .await
            .status,
        404
    );
    lucy.get("/").await.holds("lucy");

    let mut fresh = Browser::new(&world);
    fresh.get(&path).await.holds("Another password");
    let weak = fresh
        .send_form(&path, &[("password", "password1234"), ("again", "password1234")])
        .await;
    assert_eq!(weak.status, 422);
    let taken = fresh.send_form(&path, &[("password", NEW), ("again", NEW)]).await;
    assert_eq!(taken.leads_to(), "/");
    fresh.keep(&taken);
    fresh.get("/").await.holds("lucy");
    assert_eq!(lucy.get("/").await.status, 303, "her other sessions ended");
    assert_eq!(fresh.get(&path).await.status, 404, "it counts once");
    let mut again = Browser::new(&world);
    assert_eq!(
        again.enter(&[("name", "lucy"), ("password", OLD)]).await.status,
        403
    );
    assert_eq!(
        again
            .enter(&[("name", "lucy"), ("password", NEW)])
            .await
            .leads_to(),
        "/"
    );
    let role: String = sqlx::query_scalar("SELECT role FROM account")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(role, "viewer", "a link gives no other role");
}

#[tokio::test]
async fn a_link_for_another_password_is_void_after_a_day_and_for_whom_may_not_sign_in() {
    let world = World::new().await;
    with_lucy(&world).await;
    let path = link(&world, "lucy").await;
    world
        .admin()
        .put("accounts/lucy", &json!({ "disabled": true }))
        .await
        .expect(200);
    let page = Browser::new(&world)
        .send_form(&path, &[("password", NEW), ("again", NEW)])
        .await;
    assert_eq!(page.status, 422);
    page.holds("may not sign in");
    let refused = world.admin().post("accounts/lucy/password", &json!(null)).await;
    assert_eq!(refused.refused(409), "account_disabled");
    let refused = world.admin().post("accounts/nobody/password", &json!(null)).await;
    assert_eq!(refused.refused(404), "unknown_account");
    world
        .admin()
        .put("accounts/lucy", &json!({ "disabled": false }))
        .await
        .expect(200);
    world.clock.put_forward(TimeDelta::hours(25));
    assert_eq!(Browser::new(&world).get(&path).await.status, 404);
}
