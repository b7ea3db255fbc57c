//! No route without a rule.

use pointsman_coordinator::http::{Access, routes};
use reqwest::Method;

use crate::people::read;
use crate::world::World;

/// A path with something plausible in every place.
fn filled(path: &str) -> String {
    path.trim_start_matches('/')
        .replace("{project}", "shop")
        .replace("{target}", "shop@production")
        .replace("{release}", "1")
        .replace("{number}", "1")
        .replace("{host}", "web-1")
        .replace("{name}", "lucy")
        .replace("{token}", "abc")
        .replace("{channel}", "ops")
        .replace("{kind}", "archives")
        .replace("{webhook}", "github")
        .replace("{digest}", &"ab".repeat(32))
}

#[tokio::test]
async fn strangers_are_refused_wherever_something_could_be_read_or_changed() {
    let world = World::new().await;
    let stranger = world.anonymous();
    let mut refused = 0;
    for route in routes() {
        let request = stranger.at(route.method.clone(), &filled(route.path));
        let answer = read(request.json(&serde_json::json!({}))).await;
        let name = format!("{} {}", route.method, route.path);
        match route.access {
            Access::Open => assert!(answer.status < 500 || route.path == "/readyz", "{name}"),
            Access::May(_) | Access::Does(..) => {
                assert_eq!(answer.refused(401), "unauthenticated", "{name}");
                assert_eq!(answer.headers["www-authenticate"], "Bearer", "{name}");
                refused += 1;
            }
            Access::Agent | Access::Forge => {
                assert!((400..500).contains(&answer.status), "{name}: {}", answer.status);
                refused += 1;
            }
            Access::Page(_) | Access::Press(_) => panic!("{name} is a page among the API's routes"),
        }
    }
    assert!(refused > 30, "{refused}");
}

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing_and_each_refusal_is_in_the_trail() {
    let world = World::new().await;
    let viewer = world.person("viewer").await;
    let mut refused = 0;
    for route in routes() {
        let name = format!("{} {}", route.method, route.path);
        if route.method == Method::GET {
            assert!(!matches!(route.access, Access::Does(..)), "{name} changes by GET");
            continue;
        }
        let request = viewer.at(route.method.clone(), &filled(route.path));
        let answer = read(request.json(&serde_json::json!({}))).await;
        match route.access {
            Access::Does(..) => {
                assert_eq!(answer.refused(403), "not_allowed", "{name}");
                refused += 1;
            }
            Access::Agent | Access::Forge => assert!((400..500).contains(&answer.status), "{name}"),
            Access::Open | Access::May(_) | Access::Page(_) | Access::Press(_) => {
                panic!("{name} may change something and has no rule for it")
            }
        }
    }
    let trail = world
        .count("SELECT count(*) FROM audit WHERE result = 'refused' AND detail->>'code' = 'not_allowed'")
        .await;
    assert_eq!(trail, refused);
    assert!(refused >= 14, "{refused}");
}

#[tokio::test]
async fn a_deployer_may_deploy_and_not_configure() {
    let world = World::new().await;
    let deployer = world.person("deployer").await;
    let wish = serde_json::json!({ "target": "shop@production", "release": "1" });
    assert_eq!(
        deployer.post("deployments", &wish).await.refused(404),
        "unknown_target"
    );
    let project = serde_json::json!({ "name": "shop", "repository": "https://git.example.com/shop" });
    let refusal = deployer.post("projects", &project).await;
    assert_eq!(refusal.refused(403), "not_allowed");
    assert!(refusal.body["hint"].as_str().unwrap().contains("maintainer"));
    assert_eq!(deployer.get("tokens").await.refused(403), "not_allowed");
}

#[tokio::test]
async fn what_is_not_there_and_what_cannot_be_read_is_said_in_words() {
    let world = World::new().await;
    let admin = world.admin();
    assert_eq!(admin.get("nowhere").await.refused(404), "unknown_route");
    assert_eq!(admin.delete("projects").await.refused(405), "method_not_allowed");
    assert_eq!(admin.get("jobs?state=sleepy").await.refused(422), "invalid_query");
    assert_eq!(admin.get("jobs?colour=red").await.refused(422), "invalid_query");
    assert_eq!(admin.get("jobs/seven").await.refused(404), "invalid_path");
    assert_eq!(
        admin.get("projects?cursor=!!").await.refused(422),
        "invalid_cursor"
    );
    let typo = serde_json::json!({ "name": "shop", "repo": "https://git.example.com/shop" });
    let answer = admin.post("projects", &typo).await;
    assert_eq!(answer.refused(422), "invalid_body");
    assert!(
        answer.body["title"]
            .as_str()
            .unwrap()
            .contains("unknown field `repo`"),
        "{}",
        answer.body
    );
    let large = serde_json::json!({ "name": "x".repeat(2 << 20) });
    assert_eq!(
        admin.post("projects", &large).await.refused(413),
        "body_too_large"
    );
    let form = read(admin.api(Method::POST, "projects").body("name=shop")).await;
    assert_eq!(form.refused(415), "not_json");
    let unread = world
        .count(
            "SELECT count(*) FROM audit WHERE action = 'project.create' AND detail->>'code' = 'unreadable'",
        )
        .await;
    assert_eq!(unread, 3);
}
