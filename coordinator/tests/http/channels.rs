//! What a channel refuses, how a receiver knows who sent, and what is told of a host that falls silent.

use std::io::Write as _;
use std::process::{Command, Stdio};

use pointsman_coordinator::operations::lose_hosts;
use serde_json::json;

use crate::agents::Agent;
use crate::bell::{ON_LOOPBACK, notify, rule, webhook, world};
use crate::receiver::{Receiver, Request};

#[tokio::test]
async fn rules_and_channels_refuse_what_makes_no_sense() {
    let world = world(ON_LOOPBACK).await;
    webhook(&world, "ops", "http://127.0.0.1:9/").await;
    let admin = world.admin();
    let again = json!({ "name": "ops", "to": { "webhook": { "url": "http://127.0.0.1:9/" } } });
    assert_eq!(
        admin.post("channels", &again).await.refused(409),
        "channel_exists"
    );
    let mail = json!({ "name": "mail", "to": { "email": { "to": ["ops@example.org"] } } });
    assert_eq!(admin.post("channels", &mail).await.refused(409), "no_mail_server");
    let other = json!({ "channel": "opps" });
    let refusal = admin.post("rules", &other).await;
    assert_eq!(refusal.refused(404), "unknown_channel");
    assert_eq!(refusal.body["hint"], "did you mean ops?");
    let typo = json!({ "channel": "ops", "events": ["deploy.faild"] });
    assert_eq!(admin.post("rules", &typo).await.refused(422), "unknown_event");
    assert_eq!(admin.delete("rules/7").await.refused(404), "unknown_rule");
    assert_eq!(admin.get("deliveries/7").await.refused(404), "unknown_delivery");
    rule(&world, json!({ "channel": "ops" })).await;
    let rules = admin.get("rules").await.expect(200);
    let number = &rules["items"][0]["number"];
    assert_eq!(
        admin.delete(&format!("rules/{number}")).await.expect(200)["channel"],
        "ops"
    );
    assert_eq!(admin.delete("channels/ops").await.status, 204);
}

#[tokio::test]
async fn the_check_that_the_documentation_shows_accepts_what_is_sent_and_nothing_else() {
    let (world, receiver) = (world(ON_LOOPBACK).await, Receiver::start().await);
    let secret = webhook(&world, "ops", &receiver.url).await;
    let _role = notify(&world);
    world
        .admin()
        .post("channels/ops/test", &json!({}))
        .await
        .expect(202);
    let request = receiver.got(1).await[0].clone();
    assert!(is_accepted(&secret, &request, &request.body));
    assert!(!is_accepted(
        &secret,
        &request,
        &request.body.replace("test", "tess")
    ));
    assert!(!is_accepted(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        &request,
        &request.body
    ));
}

/// What the lines of Python in the documentation say of a request.
fn is_accepted(secret: &str, request: &Request, body: &str) -> bool {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/docs/notifications.md");
    let page = fs_err::read_to_string(page).unwrap();
    let (_, shown) = page.split_once("```python\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let code = format!(
        "import json, sys\n{shown}\nsecret, headers, body = json.load(sys.stdin)\nverify(secret, headers, body.encode())"
    );
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: std::collections::BTreeMap<_, _> = headers
        .into_iter()
        .map(|name| (name, request.header(name)))
        .collect();
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", &code])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let input = json!([secret, headers, body]).to_string();
    python.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    python.wait().unwrap().success()
}

#[tokio::test]
async fn a_host_that_falls_silent_is_told_once() {
    let (world, receiver) = (world(ON_LOOPBACK).await, Receiver::start().await);
    webhook(&world, "ops", &receiver.url).await;
    rule(&world, json!({ "channel": "ops" })).await;
    let _role = notify(&world);
    let agent = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    lose_hosts::execute(&world.app).await.unwrap();
    let silent = "WITH old AS (UPDATE host SET last_seen_at = now() - interval '91 seconds' RETURNING 1) SELECT count(*) FROM old";
    assert_eq!(world.count(silent).await, 1);
    for _ in 0..2 {
        lose_hosts::execute(&world.app).await.unwrap();
    }
    agent.say_hello(&world).await;
    let told: Vec<_> = receiver.got(2).await.iter().map(Request::json).collect();
    let told: Vec<_> = told
        .iter()
        .map(|body| (body["type"].as_str().unwrap(), &body["data"]["host"]))
        .collect();
    assert_eq!(
        told,
        [("agent.lost", &json!("web-1")), ("agent.back", &json!("web-1"))]
    );
}
