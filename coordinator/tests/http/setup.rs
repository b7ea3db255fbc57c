//! Projects, environments, targets and variables, one by one and as a document.

use serde_json::{Value, json};

use crate::world::World;

fn document() -> Value {
    json!({
        "project": [{ "name": "shop", "repository": "https://git.example.com/shop", "subdirectory": "apps/shop" }],
        "environment": [{ "name": "production", "position": 1 }],
        "target": [{
            "project": "shop", "environment": "production", "hosts": { "role": "web" },
            "strategy": { "waves": ["1", "100%"], "on_failure": "rollback" },
        }],
        "variable": [{ "scope": { "target": "shop@production" }, "name": "PORT", "value": "8080" }],
    })
}

fn changes(applied: &Value) -> Vec<String> {
    let line = |change: &Value| {
        let word = |key: &str| change[key].as_str().unwrap().to_owned();
        format!("{} {}: {}", word("kind"), word("name"), word("change"))
    };
    applied["changes"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn a_document_is_created_then_unchanged_then_updated() {
    let world = World::new().await;
    let admin = world.admin();
    let first = changes(&admin.put("apply", &document()).await.expect(200));
    insta::assert_debug_snapshot!(first, @r#"
    [
        "project shop: created",
        "environment production: created",
        "target shop@production: created",
        "variable PORT of shop@production: created",
    ]
    "#);
    let again = changes(&admin.put("apply", &document()).await.expect(200));
    assert!(again.iter().all(|line| line.ends_with("unchanged")), "{again:?}");
    let mut other = document();
    other["target"][0]["strategy"]["max_failures"] = json!(1);
    other["variable"][0]["value"] = json!("8081");
    let changed = changes(&admin.put("apply", &other).await.expect(200));
    insta::assert_debug_snapshot!(changed, @r#"
    [
        "project shop: unchanged",
        "environment production: unchanged",
        "target shop@production: updated",
        "variable PORT of shop@production: updated",
    ]
    "#);
    let target = admin.get("targets/shop@production").await.expect(200);
    assert_eq!(target["strategy"]["max_failures"], 1);
    assert_eq!(target["root"], "/srv/shop");
    let acts = world
        .count("SELECT count(*) FROM audit WHERE action = 'target.change'")
        .await;
    assert_eq!(acts, 1);
}

#[tokio::test]
async fn a_document_with_one_wrong_thing_changes_nothing() {
    let world = World::new().await;
    let mut wrong = document();
    wrong["variable"][0]["scope"] = json!({ "target": "shop@beta" });
    let refusal = world.admin().put("apply", &wrong).await;
    assert_eq!(refusal.refused(404), "unknown_target");
    assert_eq!(world.count("SELECT count(*) FROM project").await, 0);
    assert_eq!(
        world
            .count("SELECT count(*) FROM audit WHERE action = 'project.create'")
            .await,
        0
    );
    let act = world.admin().get("audit").await.expect(200)["items"][0].clone();
    assert_eq!(
        (&act["action"], &act["result"]),
        (&json!("document.apply"), &json!("refused"))
    );
}

#[tokio::test]
async fn a_maintainer_applies_what_needs_no_new_environment() {
    let world = World::new().await;
    let maintainer = world.person("maintainer").await;
    assert_eq!(
        maintainer.put("apply", &document()).await.refused(403),
        "not_allowed"
    );
    world
        .admin()
        .post("environments", &json!({ "name": "production", "position": 1 }))
        .await
        .expect(201);
    maintainer.put("apply", &document()).await.expect(200);
}

#[tokio::test]
async fn things_are_created_once_and_misspelt_names_get_a_suggestion() {
    let world = World::new().await;
    let admin = world.admin();
    let project = json!({ "name": "shop", "repository": "https://git.example.com/shop" });
    let made = admin.post("projects", &project).await.expect(201);
    assert_eq!(made["pool"], "default");
    assert_eq!(
        admin.post("projects", &project).await.refused(409),
        "project_exists"
    );
    let environment = json!({ "name": "production" });
    admin.post("environments", &environment).await.expect(201);
    assert_eq!(
        admin.post("environments", &environment).await.refused(409),
        "environment_exists"
    );
    let target = json!({ "project": "shop", "environment": "production", "hosts": { "role": "web" } });
    admin.post("targets", &target).await.expect(201);
    assert_eq!(admin.post("targets", &target).await.refused(409), "target_exists");
    let shown = admin.get("projects/shpo").await;
    assert_eq!(shown.refused(404), "unknown_project");
    assert_eq!(shown.body["hint"], "did you mean shop?");
    let folder = json!({ "name": "local", "repository": "/srv/git/shop" });
    assert_eq!(
        admin.post("projects", &folder).await.refused(422),
        "file_repository"
    );
    let outside = json!({ "name": "up", "repository": "https://git.example.com/x", "subdirectory": "../x" });
    assert_eq!(
        admin.post("projects", &outside).await.refused(422),
        "invalid_subdirectory"
    );
    let waves = json!({
        "project": "shop", "environment": "production", "hosts": { "role": "web" }, "strategy": { "waves": ["150%"] },
    });
    assert_eq!(admin.post("targets", &waves).await.refused(409), "target_exists");
    let mut everything = target.clone();
    everything["hosts"] = json!({});
    assert_eq!(
        admin
            .put("apply", &json!({ "target": [everything] }))
            .await
            .refused(422),
        "no_labels"
    );
    assert_eq!(
        admin
            .put("apply", &json!({ "target": [waves] }))
            .await
            .refused(422),
        "invalid_waves"
    );
}

#[tokio::test]
async fn lists_come_in_pages_without_gaps() {
    let world = World::new().await;
    let admin = world.admin();
    let projects: Vec<Value> = (0..7)
        .map(|n| json!({ "name": format!("p{n}"), "repository": "https://git.example.com/p" }))
        .collect();
    admin
        .put("apply", &json!({ "project": projects }))
        .await
        .expect(200);
    let mut seen = Vec::new();
    let mut path = "projects?limit=3".to_owned();
    loop {
        let page = admin.get(&path).await.expect(200);
        let names = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned());
        seen.extend(names);
        match page["next"].as_str() {
            Some(next) => path = format!("projects?limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
}

#[tokio::test]
async fn variables_are_set_where_something_is() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = world.admin();
    let variable = |scope: Value, value: &str| json!({ "scope": scope, "name": "PORT", "value": value });
    for (scope, value) in [
        (json!({ "project": "shop" }), "1"),
        (json!({ "environment": "production" }), "2"),
        (json!({ "target": "shop@production" }), "3"),
    ] {
        admin.put("variables", &variable(scope, value)).await.expect(204);
    }
    let host = admin
        .put("variables", &variable(json!({ "host": "web-1" }), "4"))
        .await;
    assert_eq!(host.refused(404), "unknown_host");
    admin
        .post("join-tokens", &json!({ "host": "web-1" }))
        .await
        .expect(201);
    admin
        .put("variables", &variable(json!({ "host": "web-1" }), "4"))
        .await
        .expect(204);
    let list = admin.get("variables?limit=2").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert!(list["next"].is_string());
    let huge = variable(json!({ "project": "shop" }), &"x".repeat(40_000));
    assert_eq!(admin.put("variables", &huge).await.refused(422), "invalid_value");
    let trail = admin.get("audit").await.expect(200).to_string();
    assert!(!trail.contains("xxxx"));
}
