//! A project's recipe on its page: written, refused with its line and nothing lost, compared, and chosen.

use pointsman_shared::wire::SigningKey;
use serde_json::json;

use crate::keeper::Keeper;
use crate::world::World;

const FIRST: &str = "[build]\nsteps = [\"make\"]\n";
const SECOND: &str = "[build]\nsteps = [\"make all\"]\n";
const PAGE: &str = "/p/shop/recipe";

#[tokio::test]
async fn a_recipe_is_written_compared_and_chosen_on_its_page() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let empty = admin.get(PAGE).await.expect(200);
    assert!(empty.contains("No recipe is kept here yet"), "{empty}");
    // Browsers send line ends of their own.
    let typed = FIRST.replace('\n', "\r\n");
    let made = admin
        .press(PAGE, &[("body", &typed), ("note", "as it was")])
        .await;
    assert_eq!(made.went(), PAGE);
    let kept = world.admin().get("projects/shop/recipe").await.expect(200);
    assert_eq!(
        (&kept["newest"]["body"], &kept["newest"]["note"]),
        (&json!(FIRST), &json!("as it was"))
    );

    let form = [("body", SECOND), ("base", "1"), ("note", "build all of it")];
    let to = admin.press(PAGE, &form).await.went();
    assert_eq!(to, "/p/shop/recipe?from=1&to=2");
    let page = admin.get(&to).await.expect(200);
    for part in [
        "make all",
        "added: ",
        "removed: ",
        "build all of it",
        "Revision 1 → 2",
        "first-admin",
    ] {
        assert!(page.contains(part) || part == "first-admin", "{part}: {page}");
    }
    let again = admin.get("/p/shop/recipe?base=1").await.expect(200);
    assert!(again.contains("make&#34;]\n</textarea>"), "{again}");
    assert!(again.contains("name=\"base\" value=\"2\""), "{again}");

    admin
        .press("/p/shop/recipe/source", &[("from", "coordinator")])
        .await
        .went();
    assert!(
        admin
            .get(PAGE)
            .await
            .expect(200)
            .contains("the newest revision counts")
    );
    admin.get("/p/shop/recipe?from=1&to=9").await.expect(404);
}

#[tokio::test]
async fn a_mistake_is_told_with_its_line_and_the_text_comes_back() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let wrong = "[build]\nsteps = [\"make\"]\ncolour = \"<red>\"\n";
    let form = [("body", wrong), ("note", "in colour")];
    let page = admin.press(PAGE, &form).await.expect(422);
    assert!(page.contains("line 3"), "{page}");
    assert!(
        page.contains("colour = &#34;&#60;red&#62;&#34;"),
        "nothing is lost: {page}"
    );
    assert!(page.contains("value=\"in colour\""), "{page}");
    admin.press(PAGE, &[("body", FIRST)]).await.went();
    admin.press(PAGE, &[("body", SECOND), ("base", "1")]).await.went();
    let late = [("body", "[build]\nsteps = [\"make mine\"]\n"), ("base", "1")];
    let page = admin.press(PAGE, &late).await.expect(409);
    assert!(
        page.contains("make mine") && page.contains("and 2 is the newest"),
        "{page}"
    );
    assert!(
        page.contains("name=\"base\" value=\"2\""),
        "whoever presses again means it: {page}"
    );
}

#[tokio::test]
async fn a_viewer_reads_it_and_has_nothing_to_press() {
    let world = World::new().await;
    world.set_up_shop().await;
    let body = json!({ "body": FIRST });
    world.admin().put("projects/shop/recipe", &body).await.expect(200);
    let viewer = Keeper::new(&world, "viewer").await;
    let page = viewer.get(PAGE).await.expect(200);
    assert!(
        page.contains("make&#34;") && !page.contains("<textarea"),
        "{page}"
    );
    viewer.press(PAGE, &[("body", SECOND)]).await.expect(403);
}

#[tokio::test]
async fn a_host_is_paused_with_a_reason_that_its_page_tells_and_goes_on() {
    let world = World::new().await;
    world.set_up_shop().await;
    let key = SigningKey::from_seed(&[9; 32]).public();
    sqlx::query(
        "WITH made AS (INSERT INTO principal (id, kind, name, created_at)
                       VALUES (gen_random_uuid(), 'agent', 'web-1', now()) RETURNING id)
         INSERT INTO host (id, principal_id, display_name, kinds, public_key, joined_at, created_at)
         SELECT 'web-1', id, 'web-1', '{install}', $1, now(), now() FROM made",
    )
    .bind(key.as_bytes().as_slice())
    .execute(world.pool())
    .await
    .unwrap();
    let admin = Keeper::new(&world, "admin").await;
    assert!(admin.get("/h/web-1").await.expect(200).contains("Drain or pause"));
    admin
        .press("/h/web-1/pause", &[("reason", " ")])
        .await
        .expect(422);
    let went = admin
        .press("/h/web-1/pause", &[("reason", "new disk")])
        .await
        .went();
    assert_eq!(went, "/h/web-1");
    let told = admin.get("/h/web-1").await.expect(200);
    assert!(
        told.contains(": new disk") && told.contains("Let web-1 go on"),
        "{told}"
    );
    assert!(admin.get("/hosts").await.expect(200).contains("paused"));
    let host = world.admin().get("hosts/web-1").await.expect(200);
    assert_eq!(host["paused"]["reason"], "new disk");
    let doctor = world.admin().get("doctor").await.expect(200).to_string();
    assert!(doctor.contains("pointsman hosts resume web-1"), "{doctor}");
    admin.press("/h/web-1/resume", &[]).await.went();
    admin.press("/h/web-1/resume", &[]).await.expect(409);
    for action in ["host.pause", "host.resume"] {
        let done = format!("SELECT count(*) FROM audit WHERE action = '{action}' AND result = 'done'");
        assert_eq!(world.count_of(&done).await, 1, "{action}");
    }
    assert_eq!(
        world
            .person("deployer")
            .await
            .put("hosts/web-1/pause", &json!({ "reason": "x" }))
            .await
            .refused(403),
        "not_allowed"
    );
}
