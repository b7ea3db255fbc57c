//! ssh keys of projects: kept sealed, shown by their public half, told to the builds of that project alone.

use pointsman_shared::api::agent::DEPLOY_KEY_PATH;
use pointsman_shared::digest::Digest;
use pointsman_shared::wire::job::Order;
use reqwest::Method;
use serde_json::{Value, json};

use crate::agents::{Agent, Running};
use crate::orders::{build, install};
use crate::people::{Answered, read};
use crate::world::World;

const PATH: &str = "projects/shop/deploy-key";

/// A build of shop over ssh.
async fn over_ssh(world: &World) -> Order {
    let Order::Build(mut order) = build(world).await else {
        unreachable!("it is a build");
    };
    order.repository = "ssh://git@git.example.com/shop".parse().unwrap();
    Order::Build(order)
}

async fn asks(world: &World, agent: &Agent, running: Running) -> Answered {
    read(agent.signed(world, running, &Method::GET, DEPLOY_KEY_PATH, Digest::of(b""))).await
}

fn text<'a>(key: &'a Value, field: &str) -> &'a str {
    key[field].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_key_is_told_to_the_builds_of_its_project_and_to_nobody_else() {
    let world = World::new().await;
    world.set_up_shop().await;
    sqlx::query("UPDATE project SET repository = 'ssh://git@git.example.com/shop'")
        .execute(world.pool())
        .await
        .unwrap();
    let admin = world.admin();
    assert_eq!(admin.get(PATH).await.refused(404), "no_deploy_key");
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let building = builder.runs(&world, over_ssh(&world).await).await;
    let none = json!({ "private_key": null, "known_hosts": "" });
    assert_eq!(asks(&world, &builder, building).await.expect(200), none);

    let made = admin.post(PATH, &json!({})).await.expect(200);
    assert!(text(&made, "public_key").starts_with("ssh-ed25519 "), "{made}");
    let shown = admin.get(PATH).await.expect(200);
    assert_eq!(shown["fingerprint"], made["fingerprint"]);
    let given = asks(&world, &builder, building).await.expect(200);
    assert!(
        text(&given, "private_key").starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"),
        "{given}"
    );
    let readable = "SELECT count(*) FROM deploy_key WHERE encode(value_enc, 'escape') LIKE '%PRIVATE%'";
    assert_eq!(
        world.count(readable).await,
        0,
        "the database holds nothing readable"
    );
    let told = "SELECT count(*) FROM audit WHERE detail::text LIKE '%PRIVATE%'";
    assert_eq!(world.count(told).await, 0);

    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let installing = web.runs(&world, install(&world, "web-1", b"archive").await).await;
    assert_eq!(asks(&world, &web, installing).await.refused(403), "not_a_build");
    // Another address than the project's is none of its key's business.
    let elsewhere = builder.runs(&world, build(&world).await).await;
    assert_eq!(asks(&world, &builder, elsewhere).await.expect(200), none);
    let viewer = world.person("viewer").await;
    assert_eq!(
        viewer.get(PATH).await.expect(200)["fingerprint"],
        made["fingerprint"]
    );
    assert_eq!(viewer.delete(PATH).await.refused(403), "not_allowed");

    // A row that was moved to another project does not open there.
    admin
        .post(
            "projects",
            &json!({ "name": "other", "repository": "ssh://git@git.example.com/shop" }),
        )
        .await
        .expect(201);
    sqlx::query("UPDATE deploy_key SET project_id = (SELECT id FROM project WHERE name = 'other')")
        .execute(world.pool())
        .await
        .unwrap();
    let refused = admin
        .post("projects/other/releases", &json!({ "ref": "main" }))
        .await;
    assert_eq!(refused.refused(409), "secret_unreadable");
}

#[tokio::test]
async fn a_key_that_is_given_keeps_its_hosts_until_others_are_given() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = world.admin();
    let made = admin.post(PATH, &json!({})).await.expect(200);
    let public = text(&made, "public_key");
    let line = format!("git.example.com {}", public.rsplit_once(' ').unwrap().0);
    let hosts = admin
        .put(PATH, &json!({ "known_hosts": format!("# forge\n{line}\n") }))
        .await
        .expect(200);
    assert_eq!(
        (&hosts["known_hosts"], &hosts["fingerprint"]),
        (&json!([line]), &made["fingerprint"])
    );
    let again = admin.post(PATH, &json!({})).await.expect(200);
    assert_eq!(again["known_hosts"], json!([line]));
    assert_ne!(again["fingerprint"], made["fingerprint"]);
    for (wish, words) in [
        (json!({ "private_key": public }), "public half"),
        (json!({ "private_key": "nothing" }), "no private key"),
        (
            json!({ "known_hosts": "git.example.com" }),
            "line 1 of the known hosts",
        ),
    ] {
        let refused = admin.put(PATH, &wish).await;
        assert_eq!(refused.refused(422), "invalid_key");
        assert!(refused.body.to_string().contains(words), "{}", refused.body);
    }
    admin.delete(PATH).await.expect(204);
    assert_eq!(admin.delete(PATH).await.refused(404), "no_deploy_key");
    assert_eq!(
        admin.put(PATH, &json!({ "known_hosts": "" })).await.refused(404),
        "no_deploy_key"
    );
    let trail = "SELECT count(*) FROM audit WHERE action LIKE 'deploy_key.%' AND result = 'done'";
    assert_eq!(world.count(trail).await, 4);
}
