//! Who may what where: roles in single projects, by the API and in every list of it.

use pointsman_coordinator::http::{Access, Reach, routes};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::read;
use crate::two_projects::{of_pay, person, tells_of_pay, two_projects};

/// Every wish by body that names a project, about this one.
fn wishes(project: &str) -> Vec<(Method, &'static str, Value)> {
    let target = format!("{project}@production");
    let scope = json!({ "target": target });
    vec![
        (
            Method::POST,
            "deployments",
            json!({ "target": target, "release": "1" }),
        ),
        (Method::POST, "rollbacks", json!({ "target": target })),
        (Method::POST, "plans", json!({ "target": target, "release": "1" })),
        (
            Method::POST,
            "promotions",
            json!({ "project": project, "from": "beta", "to": "production" }),
        ),
        (Method::POST, "garbage", json!({ "target": target })),
        (
            Method::POST,
            "garbage",
            json!({ "project": project, "dry_run": true }),
        ),
        (
            Method::POST,
            "garbage/undo",
            json!({ "target": target, "release": "1" }),
        ),
        (
            Method::PUT,
            "garbage/schedules",
            json!({ "project": project, "cron": null }),
        ),
        (
            Method::PUT,
            "variables",
            json!({ "scope": scope, "name": "PORT", "value": "1" }),
        ),
        (
            Method::DELETE,
            "variables",
            json!({ "scope": scope, "name": "PORT" }),
        ),
        (
            Method::POST,
            "webhooks",
            json!({ "project": project, "forge": "gitea" }),
        ),
        (
            Method::POST,
            "targets",
            json!({ "project": project, "environment": "beta", "hosts": { "role": "web" } }),
        ),
        (
            Method::PUT,
            "apply",
            json!({ "target": [{ "project": project, "environment": "beta", "hosts": { "role": "web" } }] }),
        ),
    ]
}

#[tokio::test]
async fn a_maintainer_of_one_project_finds_nothing_of_another_by_the_api() {
    let world = two_projects().await;
    let ann = person(&world, "none", "maintainer").await;
    let done = "SELECT count(*) FROM audit WHERE result = 'done'";
    let before = world.count(done).await;
    let mut hidden = 0;
    for route in routes() {
        let name = format!("{} {}", route.method, route.path);
        if !matches!(route.access, Access::May(_) | Access::Does(..)) {
            continue;
        }
        let request = ann.at(route.method.clone(), of_pay(route.path).trim_start_matches('/'));
        match route.reach {
            Reach::Everything => {
                let answer = read(request.json(&json!({}))).await;
                assert_eq!(answer.refused(403), "not_allowed", "{name}");
            }
            Reach::Project | Reach::Target | Reach::Deployment | Reach::Job | Reach::Push | Reach::Plan => {
                let answer = read(request.json(&json!({}))).await;
                assert_eq!(answer.refused(404), "not_visible", "{name}");
                hidden += 1;
            }
            Reach::Each if route.method == Method::GET => {
                let shown = read(request).await.expect(200).to_string();
                assert!(!tells_of_pay(&shown), "{name}: {shown}");
            }
            Reach::Each | Reach::Own => {}
        }
    }
    assert!(hidden > 30, "{hidden}");
    for (method, path, body) in wishes("pay") {
        let answer = read(ann.api(method.clone(), path).json(&body)).await;
        assert_eq!(answer.refused(404), "not_visible", "{method} {path}");
    }
    for query in ["deployments?target=pay@production", "pushes?project=pay"] {
        assert_eq!(ann.get(query).await.refused(404), "not_visible", "{query}");
    }
    // What does not exist is answered alike.
    for nothing in [
        "projects/nope",
        "deployments/99",
        "jobs/99",
        "targets/nope@production",
    ] {
        assert_eq!(ann.get(nothing).await.refused(404), "not_visible", "{nothing}");
    }
    assert_eq!(world.count(done).await, before);
    for (list, at) in [
        ("projects", "name"),
        ("targets", "name"),
        ("deployments", "target"),
        ("jobs", "project"),
    ] {
        let shown = ann.get(list).await.expect(200);
        let items = shown["items"].as_array().unwrap();
        assert!(
            items.len() == 1 && items[0][at].as_str().unwrap().starts_with("shop"),
            "{list}: {shown}"
        );
    }
}

#[tokio::test]
async fn a_document_that_holds_too_much_is_refused_by_what_is_too_much() {
    let world = two_projects().await;
    let ann = person(&world, "none", "maintainer").await;
    let variable = json!({ "scope": { "project": "pay" }, "name": "PORT", "value": "1" });
    for (document, thing) in [
        (
            json!({ "project": [{ "name": "pay", "repository": "https://git.example.com/pay" }] }),
            "project pay",
        ),
        (json!({ "variable": [variable] }), "variable PORT of project pay"),
    ] {
        let answer = ann.put("apply", &document).await;
        assert_eq!(answer.refused(404), "not_visible", "{thing}");
        let (title, hint) = (answer.body["title"].to_string(), answer.body["hint"].to_string());
        assert!(title.contains(&format!("there is no {thing}, or")), "{title}");
        assert!(
            hint.contains(&format!("take {thing} out of the document, or")),
            "{hint}"
        );
    }
}

#[tokio::test]
async fn a_reader_with_a_role_in_one_project_acts_there_alone() {
    let world = two_projects().await;
    let ann = person(&world, "viewer", "maintainer").await;
    let shown = ann.get("projects").await.expect(200);
    assert_eq!(shown["items"].as_array().unwrap().len(), 2);
    for (method, path, body) in wishes("pay") {
        if body["dry_run"] == true {
            continue;
        }
        let answer = read(ann.api(method.clone(), path).json(&body)).await;
        assert_eq!(answer.refused(403), "not_allowed", "{method} {path}");
        let told = answer.body["title"].as_str().unwrap_or_default();
        assert!(told.contains("viewer, maintainer of shop"), "{told}");
    }
    for (method, path, body) in wishes("shop") {
        let answer = read(ann.api(method.clone(), path).json(&body)).await;
        assert!(
            ![403, 404].contains(&answer.status) || answer.body["code"] != "not_visible",
            "{path}"
        );
        assert_ne!(answer.status, 403, "{method} {path}: {}", answer.body);
    }
    let environment = json!({ "scope": { "environment": "beta" }, "name": "PORT", "value": "1" });
    assert_eq!(
        ann.put("variables", &environment).await.refused(403),
        "not_allowed"
    );
    assert_eq!(ann.post("garbage", &json!({})).await.refused(403), "not_allowed");
    let project = json!({ "name": "blog", "repository": "https://git.example.com/blog" });
    assert_eq!(ann.post("projects", &project).await.refused(403), "not_allowed");
}
