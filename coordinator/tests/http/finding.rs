//! The way from an act to what it was about, and from a name to its page.

use serde_json::{Value, json};

use crate::keeper::Keeper;
use crate::noticing::two_releases;
use crate::repository::Repository;
use crate::world::World;

#[tokio::test]
async fn the_trail_leads_to_its_objects_and_is_narrowed() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let lock = [("target", "shop@production"), ("reason", "x")];
    admin.press("/locks", &lock).await.went();
    admin
        .press("/locks/lift", &[("target", "shop@staging")])
        .await
        .expect(404);
    let page = admin.get("/audit").await.expect(200);
    for link in [
        "href=\"/t/shop@production\"",
        "href=\"/p/shop\"",
        "href=\"/settings/environments\"",
    ] {
        assert!(page.contains(link), "{link}: {page}");
    }
    assert!(
        !page.contains("href=\"/t/shop@staging\""),
        "what was refused may not exist: {page}"
    );
    assert!(page.contains("\"By\">token</td>"), "{page}");
    let none = admin.get("/audit?until=2020-01-01").await.expect(200);
    assert!(none.contains("Nothing in the trail fits"), "{none}");
    let today = world.app.clock.now().format("%F").to_string();
    let day = format!("/audit.json?since={today}&until={today}");
    let data: Value = serde_json::from_str(&admin.get(&day).await.expect(200)).unwrap();
    assert!(
        data["items"].as_array().unwrap().len() > 3 && data["next"].is_null(),
        "{data}"
    );
    assert_eq!(data["items"][0]["kind"], "token");
    let viewer = Keeper::new(&world, "viewer").await;
    assert!(
        !viewer
            .get("/audit")
            .await
            .expect(200)
            .contains("href=\"/settings/tokens\"")
    );
    let api = world.admin();
    let of_target = api
        .get("audit?object=shop@production&until=2120-01-01T00:00:00Z")
        .await;
    assert_eq!(of_target.expect(200)["items"][0]["action"], "target.lock");
}

#[tokio::test]
async fn the_trail_is_read_to_its_end_page_by_page() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Keeper::new(&world, "admin").await;
    let api = world.admin();
    // More than a page: the cursor leads on, and nothing is told twice.
    for number in 0..120 {
        let name = format!("v{number}");
        let wish = json!({ "scope": { "project": "shop" }, "name": name.to_uppercase(), "value": "1" });
        api.put("variables", &wish).await.expect(204);
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = admin
            .get(&format!("/audit.json?what=variable{next}"))
            .await
            .expect(200);
        let page: Value = serde_json::from_str(&page).unwrap();
        let numbers = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|act| act["number"].as_i64());
        seen.extend(numbers);
        let Some(before) = page["next"].as_i64() else {
            break;
        };
        next = format!("&before={before}");
    }
    assert_eq!(seen.len(), 120);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{seen:?}");
}

#[tokio::test]
async fn the_palette_finds_releases_and_every_page_of_the_settings() {
    let repository = Repository::new();
    let (world, deployer) = two_releases(&repository).await;
    let finds = async |who: &Keeper, q: &str| {
        let found = who.get(&format!("/find.json?q={q}")).await.expect(200);
        let found: Value = serde_json::from_str(&found).unwrap();
        let hrefs = found
            .as_array()
            .unwrap()
            .iter()
            .map(|find| find["href"].as_str().unwrap_or_default().to_owned());
        hrefs.collect::<Vec<_>>()
    };
    assert_eq!(finds(&deployer, "shop-2").await, ["/r/shop/2"]);
    assert_eq!(finds(&deployer, "shop%20shop-").await, ["/r/shop/2", "/r/shop/1"]);
    assert!(
        finds(&deployer, "causes")
            .await
            .contains(&"/settings/causes".to_owned())
    );
    assert!(
        finds(&deployer, "tokens").await.is_empty(),
        "pages of admins are theirs"
    );
    let admin = Keeper::new(&world, "admin").await;
    assert_eq!(finds(&admin, "tokens").await, ["/settings/tokens"]);
    for word in [
        "channels",
        "deliveries",
        "webhooks",
        "variables",
        "environments",
        "targets",
    ] {
        assert!(!finds(&admin, word).await.is_empty(), "{word}");
    }
}
