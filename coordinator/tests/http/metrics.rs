//! Metrics as a scraper meets them, and that the dashboard and the alerts ask for nothing that does not exist.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;

use pointsman_coordinator::metrics::{self, Metrics};
use pointsman_shared::api::garbage::{Garbage, PrunedRelease};
use pointsman_store::Store;
use reqwest::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::agents::Agent;
use crate::orders::built;
use crate::people::{Person, read};
use crate::world::World;

async fn scrape(person: &Person) -> String {
    let answer = read(person.at(Method::GET, "metrics")).await;
    let media = answer.headers["content-type"].to_str().unwrap().to_owned();
    assert!(media.starts_with("application/openmetrics-text"), "{media}");
    answer.expect(200).as_str().unwrap().to_owned()
}

/// Every name that a series can have, by the families' own word.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_count", "_sum"],
            "info" => &["_info"],
            "gauge" => &[""],
            other => panic!("{name} is a {other}"),
        };
        names.extend(endings.iter().map(|ending| format!("{name}{ending}")));
    }
    names
}

/// Every word that begins like one of our names.
fn asked_for(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("pointsman_") && !word.starts_with("pointsman_agent_"))
        .map(str::to_owned)
        // The age of an agent, which coordinators tell, is named like what agents tell themselves.
        .chain(
            text.contains("pointsman_agent_last_seen_seconds")
                .then(|| "pointsman_agent_last_seen_seconds".to_owned()),
        )
        .collect()
}

fn deployed(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    fs_err::read_to_string(folder.join(file)).unwrap()
}

/// The queries of a dashboard's panels, annotations and variables.
fn queries(value: &Value, into: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let (true, Some(text)) = (["expr", "definition"].contains(&name.as_str()), value.as_str())
                {
                    into.push_str(text);
                    into.push('\n');
                }
                queries(value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One of everything, for a family without a series is not told at all.
async fn world_with_everything() -> World {
    let world = World::new().await;
    world.set_up_shop().await;
    Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let (first, second) = (built(&world).await, built(&world).await);
    for (release, day) in [(first, 1), (second, 2)] {
        sqlx::query(
            "INSERT INTO good_release (target_id, release_id, first_live_at, last_live_at)
             SELECT id, $1, to_timestamp($2 * 86400), now() FROM target",
        )
        .bind(release.0)
        .bind(day)
        .execute(world.pool())
        .await
        .unwrap();
    }
    sqlx::query("WITH disk AS (UPDATE host SET free_bytes = 1) UPDATE target SET desired_release_id = $1")
        .bind(second.0)
        .execute(world.pool())
        .await
        .unwrap();
    let process = &world.app.metrics.process;
    process.expect_broker("relay");
    process.found_garbage(&Garbage {
        pruned: vec![PrunedRelease {
            project: "shop".parse().unwrap(),
            release: "1".parse().unwrap(),
            bytes: 1,
        }],
        ..Garbage::default()
    });
    world
}

#[tokio::test]
async fn dashboard_and_alerts_ask_only_for_what_is_told() {
    let world = world_with_everything().await;
    let told = names(&scrape(&world.admin()).await);
    let dashboard: Value = serde_json::from_str(&deployed("grafana/pointsman.json")).unwrap();
    let mut asked = String::new();
    queries(&dashboard, &mut asked);
    let in_dashboard = asked_for(&asked);
    let in_alerts = asked_for(&deployed("prometheus/alerts.yml"));
    assert!(in_dashboard.len() > 30 && in_alerts.len() > 10);
    let missing: Vec<_> = in_dashboard
        .union(&in_alerts)
        .filter(|name| !told.contains(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?} are not among {told:#?}");
    let family = |name: &String| {
        let ending = ["_bucket", "_count", "_sum"]
            .iter()
            .find_map(|ending| name.strip_suffix(ending));
        ending.unwrap_or(name).to_owned()
    };
    let shown: BTreeSet<_> = in_dashboard.iter().map(family).collect();
    let unseen: Vec<_> = told
        .iter()
        .filter(|name| !shown.contains(&family(name)))
        .collect();
    assert!(unseen.is_empty(), "the dashboard does not show {unseen:?}");
}

#[tokio::test]
async fn answers_and_readers_are_counted_without_a_strangers_words() {
    let world = World::new().await;
    let viewer = world.person("viewer").await;
    viewer.get("projects").await.expect(200);
    viewer.get("projects/none").await.refused(404);
    let odd = Method::from_bytes(b"INVENTED").unwrap();
    read(viewer.api(odd, "projects")).await;
    let reader = viewer.api(Method::GET, "events").send().await.unwrap();
    let text = scrape(&viewer).await;
    for line in [
        "pointsman_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/projects\",status=\"2xx\"} 1",
        "pointsman_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/projects/{project}\",status=\"4xx\"} 1",
        "pointsman_sse_clients 1",
        "pointsman_database_up 1",
        "pointsman_build_info{version=\"0.1.0\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(
        text.contains("method=\"other\"") && !text.contains("INVENTED"),
        "{text}"
    );
    drop(reader);
}

#[tokio::test]
async fn a_listener_of_its_own_needs_no_token_and_no_database() {
    let world = World::new().await;
    let mut app = world.app.clone();
    app.metrics = Metrics::default().into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(metrics::serve(app.clone(), listener, stop.clone()));
    let scraper = Person::new(&url, None);
    assert!(scrape(&scraper).await.contains("pointsman_database_up 1\n"));
    let elsewhere = scraper.at(Method::GET, "api/v1/projects").send().await;
    assert_eq!(elsewhere.unwrap().status(), 404);
    app.store = Store::connect_later("postgres://nobody@127.0.0.1:9/none", 1).unwrap();
    app.metrics = Metrics::default().into();
    let text = app.metrics.text(&app).await.unwrap();
    assert!(text.contains("pointsman_database_up 0\n"), "{text}");
    assert!(!text.contains("pointsman_deploys_total"), "{text}");
    stop.cancel();
    serving.await.unwrap().unwrap();
}
