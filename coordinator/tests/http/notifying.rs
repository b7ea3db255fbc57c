//! Notifications as their receivers meet them: a real role, a real database, a real HTTP server at the other end.

use std::time::Duration;

use serde_json::json;

use crate::bell::{
    ON_LOOPBACK, PATIENCE, all_read, delivery, happens, hurry, is_signed, notify, rule, tried, webhook, world,
};
use crate::receiver::{Receiver, Reply, Request};

#[tokio::test]
async fn what_a_rule_takes_arrives_signed_and_is_logged() {
    let (world, receiver) = (world(ON_LOOPBACK).await, Receiver::start().await);
    let secret = webhook(&world, "ops", &format!("{}hook?key=1", receiver.url)).await;
    rule(
        &world,
        json!({ "channel": "ops", "project": "shop", "environments": ["production"] }),
    )
    .await;
    let _role = notify(&world);
    happens(&world, "deployment.started", "it starts").await;
    happens(&world, "deployment.failed", "shop@production: disk full").await;
    let requests = receiver.got(1).await;
    let request = &requests[0];
    assert!(is_signed(request, &[&secret]), "{request:?}");
    assert_eq!(request.path, "/hook");
    let body = request.json();
    assert_eq!(body["type"], "deploy.failed");
    assert_eq!(body["data"]["turn"], "failure");
    assert_eq!(body["data"]["environment"], "production");
    assert_eq!(body["data"]["message"], "shop@production: disk full");
    let url = body["data"]["url"].as_str().unwrap();
    assert!(url.ends_with("/targets/shop@production"), "{url}");

    let log = delivery(&world, "delivered").await;
    assert_eq!(log["id"], request.header("webhook-id"));
    assert_eq!(log["tries"][0]["status"], 200);
    assert_eq!(log["tries"][0]["answer"], "taken");
    assert_eq!(log["tries"][0]["request"], request.body.as_str());
    assert_eq!(receiver.requests().len(), 1, "what no rule takes was sent");

    // Once more, by hand: the same message.
    let path = format!("deliveries/{}/redeliver", log["delivery"]["number"]);
    world.admin().post(&path, &json!({})).await.expect(202);
    let again = &receiver.got(2).await[1];
    assert_eq!(again.header("webhook-id"), request.header("webhook-id"));
    assert_eq!(again.body, request.body);
    // The address may hold a secret: nobody is told its query, and the database cannot read any of it.
    let shown = world.admin().get("channels/ops").await.expect(200);
    assert_eq!(
        shown["to"]["webhook"]["server"],
        receiver.url.trim_end_matches('/')
    );
    let plain = "SELECT count(*) FROM channel WHERE position('key=1' IN channel::text) > 0 OR position('whsec_' IN channel::text) > 0";
    assert_eq!(world.count(plain).await, 0);
}

#[tokio::test]
async fn a_success_is_told_only_after_a_failure() {
    let (world, receiver) = (world(ON_LOOPBACK).await, Receiver::start().await);
    webhook(&world, "ops", &receiver.url).await;
    rule(&world, json!({ "channel": "ops" })).await;
    let _role = notify(&world);
    for (kind, message) in [
        ("deployment.live", "the first"),
        ("deployment.failed", "the second"),
        ("deployment.live", "the third"),
        ("deployment.live", "the fourth"),
        ("placement.drift", "the last"),
    ] {
        happens(&world, kind, message).await;
    }
    let told: Vec<_> = receiver.got(3).await.iter().map(Request::json).collect();
    let told: Vec<_> = told
        .iter()
        .map(|body| {
            (
                body["data"]["message"].as_str().unwrap(),
                body["data"]["turn"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("the second", "failure"),
            ("the third", "recovery"),
            ("the last", "failure")
        ]
    );
}

#[tokio::test]
async fn what_fails_is_tried_again_under_the_same_id_and_named_by_doctor() {
    let (world, receiver) = (world(ON_LOOPBACK).await, Receiver::start().await);
    let secret = webhook(&world, "ops", &receiver.url).await;
    receiver.answers(Reply::Status(500, "I am not well"));
    receiver.answers(Reply::Status(429, "not now"));
    let _role = notify(&world);
    world
        .admin()
        .post("channels/ops/test", &json!({}))
        .await
        .expect(202);
    let log = tried(&world, 1).await;
    assert_eq!(log["delivery"]["state"], "waiting");
    assert_eq!(log["tries"][0]["answer"], "I am not well");
    assert_eq!(log["tries"][0]["error"], "the receiver answered 500");
    let findings = world.admin().get("doctor").await.expect(200).to_string();
    assert!(findings.contains("channel ops: every try since"), "{findings}");

    // While the secret is changed both sign, and a try that comes later is signed with both.
    let rotated = world
        .admin()
        .post("channels/ops/secret", &json!({}))
        .await
        .expect(201);
    let new = rotated["secret"].as_str().unwrap();
    hurry(&world).await;
    tried(&world, 2).await;
    hurry(&world).await;
    let log = delivery(&world, "delivered").await;
    assert_eq!(log["tries"].as_array().unwrap().len(), 3);
    let requests = receiver.got(3).await;
    let ids: Vec<_> = requests
        .iter()
        .map(|request| request.header("webhook-id"))
        .collect();
    assert_eq!(ids, [ids[0]; 3]);
    assert!(is_signed(&requests[0], &[&secret]));
    assert!(is_signed(&requests[2], &[new, &secret]));
    let channel = world.admin().get("channels/ops").await.expect(200);
    assert!(channel["failing_since"].is_null(), "{channel}");
}

#[tokio::test]
async fn a_delivery_is_given_up_after_eight_tries() {
    let (world, receiver) = (world(ON_LOOPBACK).await, Receiver::start().await);
    webhook(&world, "ops", &receiver.url).await;
    receiver.always_answers(Reply::Status(503, "away"));
    let _role = notify(&world);
    world
        .admin()
        .post("channels/ops/test", &json!({}))
        .await
        .expect(202);
    for tries in 1..=7 {
        tried(&world, tries).await;
        hurry(&world).await;
    }
    let log = delivery(&world, "failed").await;
    assert_eq!(log["delivery"]["tries"], 8);
    assert_eq!(receiver.requests().len(), 8);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone() {
    let (world, receiver) = (world(ON_LOOPBACK).await, Receiver::start().await);
    webhook(&world, "ops", &receiver.url).await;
    rule(&world, json!({ "channel": "ops", "events": ["*"] })).await;
    receiver.answers(Reply::Status(410, "gone"));
    let _role = notify(&world);
    happens(&world, "deployment.failed", "one").await;
    delivery(&world, "failed").await;
    let channel = world.admin().get("channels/ops").await.expect(200);
    assert_eq!(channel["disabled_why"], "its receiver answered 410: it is gone");
    let acts = "SELECT count(*) FROM audit WHERE action = 'channel.disable' AND object = 'channel ops'";
    assert_eq!(world.count(acts).await, 1);
    happens(&world, "deployment.failed", "two").await;
    all_read(&world).await;
    let refused = world.admin().post("channels/ops/test", &json!({})).await;
    assert_eq!(refused.refused(409), "channel_disabled");

    world
        .admin()
        .put("channels/ops/enabled", &json!({ "enabled": true }))
        .await
        .expect(200);
    happens(&world, "deployment.failed", "three").await;
    let told = receiver.got(2).await;
    assert_eq!(told[1].json()["data"]["message"], "three");
}

#[tokio::test]
async fn no_redirect_is_followed_and_no_inner_address_is_called() {
    let (world, receiver, inner) = (
        world(ON_LOOPBACK).await,
        Receiver::start().await,
        Receiver::start().await,
    );
    webhook(&world, "ops", &receiver.url).await;
    receiver.answers(Reply::Redirect(inner.url.clone()));
    let role = notify(&world);
    world
        .admin()
        .post("channels/ops/test", &json!({}))
        .await
        .expect(202);
    let log = tried(&world, 1).await;
    let error = log["tries"][0]["error"].as_str().unwrap();
    assert!(error.contains("redirects are not followed"), "{error}");
    assert!(inner.requests().is_empty());
    drop(role);

    let strict = crate::bell::world("allow_http = true").await;
    let wish = json!({ "name": "ops", "to": { "webhook": { "url": inner.url } } });
    let refusal = strict.admin().post("channels", &wish).await;
    assert_eq!(refusal.refused(422), "address_not_allowed");
    // A name that leads inside looks like any other; what counts is where it leads when it is called.
    webhook(&strict, "ops", &inner.url.replace("127.0.0.1", "localhost")).await;
    let _role = notify(&strict);
    strict
        .admin()
        .post("channels/ops/test", &json!({}))
        .await
        .expect(202);
    let log = tried(&strict, 1).await;
    let error = log["tries"][0]["error"].as_str().unwrap();
    assert!(error.contains("inner address"), "{error}");
    assert!(inner.requests().is_empty());
}

#[tokio::test]
async fn two_coordinators_tell_everything_once() {
    let (world, receiver) = (world(ON_LOOPBACK).await, Receiver::start().await);
    webhook(&world, "ops", &receiver.url).await;
    rule(&world, json!({ "channel": "ops" })).await;
    rule(&world, json!({ "channel": "ops", "events": ["deploy.*"] })).await;
    let _roles = [notify(&world), notify(&world)];
    for number in 0..40 {
        happens(&world, "deployment.failed", &format!("failure {number}")).await;
    }
    receiver.got(40).await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while world
        .count("SELECT count(*) FROM delivery WHERE state = 'delivered'")
        .await
        < 40
    {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let told = receiver.requests();
    let mut messages: Vec<_> = told
        .iter()
        .map(|request| request.json()["data"]["message"].to_string())
        .collect();
    messages.sort();
    messages.dedup();
    assert_eq!((told.len(), messages.len()), (40, 40));
    assert_eq!(world.count("SELECT count(*) FROM delivery").await, 40);
}

#[tokio::test]
async fn a_receiver_that_says_nothing_delays_no_other() {
    let (world, slow, quick) = (
        world(ON_LOOPBACK).await,
        Receiver::start().await,
        Receiver::start().await,
    );
    slow.always_answers(Reply::Silence);
    webhook(&world, "a-slow", &slow.url).await;
    webhook(&world, "quick", &quick.url).await;
    for channel in ["a-slow", "quick"] {
        rule(&world, json!({ "channel": channel, "events": ["*"] })).await;
    }
    let _role = notify(&world);
    for _ in 0..5 {
        happens(&world, "deployment.failed", "again").await;
    }
    slow.got(1).await;
    quick.got(5).await;
    assert_eq!(slow.requests().len(), 1, "one delivery at a time to each channel");
}
