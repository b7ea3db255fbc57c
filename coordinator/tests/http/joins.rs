//! Hosts join once, as what the coordinator says they are.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::agents::{Agent, membership, send_join};
use crate::world::{Settings, World, setting};

async fn invite(world: &World, wish: Value) -> String {
    let invited = world.admin().post("join-tokens", &wish).await.expect(201);
    invited["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_host_joins_and_is_told_what_it_is() {
    let world = World::new().await;
    let token = invite(&world, json!({ "host": "web-1", "labels": { "role": "web" } })).await;
    let agent = Agent::new(&world, "web-1");
    let answer = agent.join(&world, &token).await.expect(200);
    let member = membership(&world, &answer);
    assert_eq!(
        (member.host.as_str(), member.installation.as_str()),
        ("web-1", "test")
    );
    assert_eq!(member.kinds.len(), 5);
    assert!(!member.administrator_lines.is_empty());
    let first_password = member.broker_url;

    // The answer was lost: the same key asks again, and gets a password that works.
    let again = membership(&world, &agent.join(&world, &token).await.expect(200));
    assert_ne!(again.broker_url, first_password);
    assert_eq!(
        world
            .count("SELECT count(*) FROM audit WHERE action = 'host.join' AND result = 'done'")
            .await,
        1
    );

    let host = world.admin().get("hosts/web-1").await.expect(200);
    assert_eq!(
        (&host["labels"], &host["seen"]),
        (&json!({ "role": "web" }), &json!(false))
    );
    assert!(
        !world
            .admin()
            .get("hosts")
            .await
            .expect(200)
            .to_string()
            .contains("password")
    );
}

#[tokio::test]
async fn a_token_is_for_one_key_and_a_name_for_one_machine() {
    let world = World::new().await;
    let token = invite(&world, json!({ "host": "web-1" })).await;
    let first = Agent::new(&world, "web-1");
    let second = Agent::new(&world, "web-1");
    assert_eq!(
        Agent::new(&world, "web-2")
            .join(&world, &token)
            .await
            .refused(403),
        "token_of_other_host"
    );
    first.join(&world, &token).await.expect(200);
    assert_eq!(second.join(&world, &token).await.refused(403), "join_token_used");
    let again = world
        .admin()
        .post("join-tokens", &json!({ "host": "web-1" }))
        .await;
    assert_eq!(again.refused(409), "host_has_joined");
    assert!(
        again.body["title"]
            .as_str()
            .unwrap()
            .starts_with("two agents with one name"),
        "{}",
        again.body
    );
    let alarms = world
        .count("SELECT count(*) FROM event WHERE kind = 'host.join_refused'")
        .await;
    assert_eq!(alarms, 2);
    let trail = world
        .count("SELECT count(*) FROM audit WHERE action = 'host.join' AND result = 'refused' AND address = '127.0.0.1'")
        .await;
    assert_eq!(trail, 2);
}

#[tokio::test]
async fn two_invitations_for_one_name_let_one_machine_in() {
    let world = World::new().await;
    let tokens = [
        invite(&world, json!({ "host": "web-1" })).await,
        invite(&world, json!({ "host": "web-1" })).await,
    ];
    Agent::new(&world, "web-1")
        .join(&world, &tokens[0])
        .await
        .expect(200);
    let other = Agent::new(&world, "web-1");
    assert_eq!(
        other.join(&world, &tokens[1]).await.refused(409),
        "host_has_joined"
    );
    world
        .admin()
        .post("hosts/web-1/revoke", &json!({}))
        .await
        .expect(204);
    // The other invitation is as old as the trust that was withdrawn.
    assert_eq!(
        other.join(&world, &tokens[1]).await.refused(403),
        "join_token_expired"
    );
    let token = invite(&world, json!({ "host": "web-1" })).await;
    other.join(&world, &token).await.expect(200);
    let key: String = sqlx::query_scalar("SELECT key_id FROM host")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(key, other.key.id().0);
}

#[tokio::test]
async fn a_revoked_key_stays_out_and_old_facts_of_a_new_machine_are_cleared() {
    let world = World::new().await;
    world.set_up_shop().await;
    let token = invite(&world, json!({ "host": "web-1", "labels": { "role": "web" } })).await;
    let agent = Agent::new(&world, "web-1");
    agent.join(&world, &token).await.expect(200);
    sqlx::query(
        "INSERT INTO placement (id, target_id, host_id, root, generation, fence_generation, current_folder, created_at)
         SELECT gen_random_uuid(), target.id, 'web-1', '/srv/shop', 7, 7, '000001-aaaaaaaaaaaa', now() FROM target",
    )
    .execute(world.pool())
    .await
    .unwrap();
    world
        .admin()
        .post("hosts/web-1/revoke", &json!({}))
        .await
        .expect(204);
    world
        .admin()
        .post("hosts/web-1/revoke", &json!({}))
        .await
        .expect(204);
    assert_eq!(agent.join(&world, &token).await.refused(403), "key_revoked");
    let token = invite(&world, json!({ "host": "web-1", "labels": { "role": "web" } })).await;
    Agent::new(&world, "web-1").join(&world, &token).await.expect(200);
    let facts: (i64, Option<i64>, Option<String>) =
        sqlx::query_as("SELECT generation, fence_generation, current_folder FROM placement")
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert_eq!(facts, (7, None, None));
}

#[tokio::test]
async fn an_invitation_is_withdrawn_before_it_is_used() {
    let world = World::new().await;
    let token = invite(&world, json!({ "host": "web-1" })).await;
    let revoke = async || world.admin().post("hosts/web-1/revoke", &json!({})).await;
    revoke().await.expect(204);
    let agent = Agent::new(&world, "web-1");
    assert_eq!(
        agent.join(&world, &token).await.refused(403),
        "join_token_expired"
    );
    assert_eq!(revoke().await.refused(404), "unknown_host");
    let trail = "SELECT count(*) FROM audit WHERE action = 'host.revoke' AND result = 'done'";
    assert_eq!(world.count(trail).await, 1);
}

#[tokio::test]
async fn bad_joins_are_refused_in_words() {
    let world = World::new().await;
    let token = invite(&world, json!({ "host": "web-1", "ttl_seconds": 60 })).await;
    let agent = Agent::new(&world, "web-1");
    let mut forged = agent.join_request(&world, &token);
    forged.key = Agent::new(&world, "web-1").key.public();
    assert_eq!(send_join(&world, &forged).await.refused(403), "forged_request");
    let mut late = agent.join_request(&world, &token);
    late.at -= 120_000;
    late.proof = agent.key.sign_request(&late.proven());
    assert_eq!(send_join(&world, &late).await.refused(403), "stale_request");
    let (key, _) = token.rsplit_once('_').unwrap();
    let guess = format!("{key}_{}", "0".repeat(64));
    assert_eq!(
        agent.join(&world, &guess).await.refused(403),
        "unknown_join_token"
    );
    let elsewhere = format!("pmj_{}_{}", "0".repeat(32), "0".repeat(64));
    assert_eq!(
        agent.join(&world, &elsewhere).await.refused(409),
        "other_coordinator"
    );
    assert_eq!(
        agent.join(&world, "hello").await.refused(403),
        "unknown_join_token"
    );
    world.clock.put_forward(TimeDelta::seconds(61));
    assert_eq!(
        agent.join(&world, &token).await.refused(403),
        "join_token_expired"
    );
    assert_eq!(world.count("SELECT count(*) FROM host").await, 0);
}

#[tokio::test]
async fn invitations_make_sense() {
    let world = World::new().await;
    let admin = world.admin();
    let ask = async |wish: Value| admin.post("join-tokens", &wish).await;
    assert_eq!(
        ask(json!({ "host": "b", "kinds": ["build"] })).await.refused(422),
        "pools_and_kinds"
    );
    let no_builds = json!({ "host": "b", "pools": ["default"], "kinds": ["install"] });
    assert_eq!(ask(no_builds).await.refused(422), "pools_and_kinds");
    assert_eq!(
        ask(json!({ "host": "b", "ttl_seconds": 0 })).await.refused(422),
        "invalid_ttl"
    );
    assert_eq!(ask(json!({ "host": "Web_1" })).await.refused(422), "invalid_body");
    ask(json!({ "host": "b", "pools": ["default"] }))
        .await
        .expect(201);
    let invited = admin.get("hosts/b").await;
    assert_eq!(invited.refused(404), "host_not_joined");
    assert_eq!(admin.get("hosts/bb").await.refused(404), "unknown_host");
}

#[tokio::test]
async fn a_root_used_twice_names_both_targets_and_the_host() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = world.admin();
    let beta = json!({ "project": "shop", "environment": "beta", "hosts": { "stage": "beta" } });
    admin.post("targets", &beta).await.expect(201);
    let both = json!({ "host": "web-1", "labels": { "role": "web", "stage": "beta" } });
    let refusal = admin.post("join-tokens", &both).await;
    assert_eq!(refusal.refused(409), "root_used_twice");
    let words = refusal.body["title"].as_str().unwrap();
    assert!(
        words.contains("shop@beta") && words.contains("shop@production"),
        "{words}"
    );

    Agent::member(&world, "web-1", &[("role", "web"), ("zone", "a")], &[]).await;
    let mut zone = beta.clone();
    zone["hosts"] = json!({ "zone": "a" });
    let refusal = admin.put("apply", &json!({ "target": [zone] })).await;
    assert_eq!(refusal.refused(409), "root_used_twice");
    let words = refusal.body["title"].as_str().unwrap();
    assert_eq!(
        words,
        "shop@beta and shop@production would share the root /srv/shop on host web-1"
    );
    zone["root"] = json!("/srv/shop-beta");
    admin.put("apply", &json!({ "target": [zone] })).await.expect(200);
}

/// With the management API the place at the broker is real: the password opens a connection, for its own queues only.
#[tokio::test]
async fn a_join_makes_a_place_at_the_broker_and_a_revocation_takes_it_away() {
    let world = World::with(Settings {
        broker_admin: true,
        ..Settings::default()
    })
    .await;
    world.open_vhost().await;
    let host = format!("web-{}", &world.vhost[world.vhost.len() - 8..]);
    let token = invite(&world, json!({ "host": host })).await;
    let agent = Agent::new(&world, &host);
    let member = membership(&world, &agent.join(&world, &token).await.expect(200));
    assert!(member.administrator_lines.is_empty());
    let url: url::Url = member.broker_url.parse().unwrap();
    assert_eq!(url.path(), format!("/{}", world.vhost));
    let user = format!(
        "{}/api/users/{}",
        setting("POINTSMAN_TEST_AMQP_ADMIN"),
        url.username()
    );
    let client = reqwest::Client::new();
    assert_eq!(client.get(&user).send().await.unwrap().status(), 200);
    let queue = format!(
        "{}/api/queues/{}/host.{host}.jobs",
        setting("POINTSMAN_TEST_AMQP_ADMIN"),
        world.vhost
    );
    assert_eq!(client.get(&queue).send().await.unwrap().status(), 200);
    let shown = world.admin().get(&format!("hosts/{host}")).await.expect(200);
    assert!(!shown["problems"].to_string().contains("broker"), "{shown}");
    world
        .admin()
        .post(&format!("hosts/{host}/revoke"), &json!({}))
        .await
        .expect(204);
    assert_eq!(client.get(&user).send().await.unwrap().status(), 404);
}
