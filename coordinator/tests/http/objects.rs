//! Bytes and values for agents: a build stores, an install fetches, variables come from the narrowest scope.

use pointsman_shared::api::agent::{ObjectKind, VARIABLES_PATH};
use pointsman_shared::digest::Digest;
use reqwest::Method;
use serde_json::json;

use crate::agents::{Agent, Running};
use crate::orders::{build, install};
use crate::people::{Answered, read};
use crate::world::{Settings, World};

pub async fn send(
    world: &World,
    agent: &Agent,
    running: Running,
    kind: ObjectKind,
    content: &[u8],
) -> Answered {
    let digest = Digest::of(content);
    let request = agent.signed(world, running, &Method::PUT, &kind.path(&digest), digest);
    read(request.body(content.to_vec())).await
}

async fn fetch(world: &World, agent: &Agent, running: Running, kind: ObjectKind, content: &[u8]) -> Answered {
    let path = kind.path(&Digest::of(content));
    read(agent.signed(world, running, &Method::GET, &path, Digest::of(b""))).await
}

/// Twelve million bytes.
pub fn large() -> Vec<u8> {
    (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[tokio::test]
async fn what_a_build_stores_an_install_fetches_also_from_where_it_broke_off() {
    let world = World::new().await;
    world.set_up_shop().await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let archive = large();
    let building = builder.runs(&world, build(&world).await).await;
    let stored = send(&world, &builder, building, ObjectKind::Archive, &archive).await;
    assert_eq!(stored.expect(201), json!({ "existed": false }));
    let again = send(&world, &builder, building, ObjectKind::Archive, &archive).await;
    assert_eq!(again.expect(200), json!({ "existed": true }));
    let store = world.folder.path().join("store");
    let place = store.join("archives").join(Digest::of(&archive).to_string());
    assert!(fs_err::read(&place).unwrap() == archive);
    assert_eq!(fs_err::read_dir(store.join("incoming")).unwrap().count(), 0);

    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let installing = web.runs(&world, install(&world, "web-1", &archive).await).await;
    let path = ObjectKind::Archive.path(&Digest::of(&archive));
    let get = || web.signed(&world, installing, &Method::GET, &path, Digest::of(b""));
    let whole = get().send().await.unwrap();
    assert_eq!(whole.headers()["content-length"], "12000000");
    assert!(whole.bytes().await.unwrap() == archive);
    let rest = get().header("range", "bytes=11999990-").send().await.unwrap();
    assert_eq!(rest.status(), 206);
    assert_eq!(
        rest.headers()["content-range"],
        "bytes 11999990-11999999/12000000"
    );
    assert!(rest.bytes().await.unwrap() == archive[11_999_990..]);
    let beyond = read(get().header("range", "bytes=12000000-")).await;
    assert_eq!(beyond.refused(422), "range_beyond_end");
}

#[tokio::test]
async fn a_job_reads_what_its_body_names_and_only_a_build_writes() {
    let world = World::new().await;
    world.set_up_shop().await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let building = builder.runs(&world, build(&world).await).await;
    send(&world, &builder, building, ObjectKind::Archive, b"archive")
        .await
        .expect(201);
    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let installing = web.runs(&world, install(&world, "web-1", b"archive").await).await;
    assert_eq!(
        fetch(&world, &web, installing, ObjectKind::Archive, b"archive")
            .await
            .status,
        200
    );
    let other = fetch(&world, &web, installing, ObjectKind::Archive, b"another archive").await;
    assert_eq!(other.refused(403), "object_not_named");
    let as_manifest = fetch(&world, &web, installing, ObjectKind::Manifest, b"archive").await;
    assert_eq!(as_manifest.refused(403), "object_not_named");
    let missing = fetch(&world, &web, installing, ObjectKind::Manifest, b"manifest").await;
    assert_eq!(missing.refused(404), "object_missing");
    let written = send(&world, &web, installing, ObjectKind::Archive, b"evil").await;
    assert_eq!(written.refused(403), "not_a_build");
    let taken = fetch(&world, &builder, building, ObjectKind::Archive, b"archive").await;
    assert_eq!(taken.refused(403), "object_not_named");
}

#[tokio::test]
async fn content_that_is_not_what_its_name_says_leaves_nothing() {
    let settings = Settings {
        max_archive_bytes: Some(1000),
        ..Settings::default()
    };
    let world = World::with(settings).await;
    world.set_up_shop().await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let building = builder.runs(&world, build(&world).await).await;
    let announced = Digest::of(b"this");
    let path = ObjectKind::Archive.path(&announced);
    let put = |body: Digest| builder.signed(&world, building, &Method::PUT, &path, body);
    assert_eq!(
        read(put(announced).body("that")).await.refused(422),
        "other_content"
    );
    let lying = read(put(Digest::of(b"that")).body("that")).await;
    assert_eq!(lying.refused(422), "other_content");
    let large = send(&world, &builder, building, ObjectKind::Archive, &[1; 2000]).await;
    assert_eq!(large.refused(422), "object_too_large");
    let pieces = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![1_u8; 100])));
    let digest = Digest::of(&[1; 2000]);
    let unannounced = builder
        .signed(
            &world,
            building,
            &Method::PUT,
            &ObjectKind::Archive.path(&digest),
            digest,
        )
        .body(reqwest::Body::wrap_stream(pieces));
    assert_eq!(read(unannounced).await.refused(422), "object_too_large");
    let archives = world.folder.path().join("store/archives");
    assert!(!archives.exists() || fs_err::read_dir(archives).unwrap().count() == 0);
    let complete = world
        .count("SELECT count(*) FROM stored_object WHERE bytes IS NOT NULL")
        .await;
    assert_eq!(complete, 0);
    assert_eq!(read(put(announced).body("this")).await.status, 201);
}

#[tokio::test]
async fn a_build_that_was_lost_meanwhile_completes_no_object() {
    let world = World::new().await;
    world.set_up_shop().await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let building = builder.runs(&world, build(&world).await).await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let pieces = futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let digest = Digest::of(b"first second");
    let request = builder
        .signed(
            &world,
            building,
            &Method::PUT,
            &ObjectKind::Archive.path(&digest),
            digest,
        )
        .body(reqwest::Body::wrap_stream(Box::pin(pieces)));
    let upload = tokio::spawn(read(request));
    sender.send(Ok(b"first ".to_vec())).await.unwrap();
    // The announcement is committed once the row is there: the epoch was current at the start.
    while world.count("SELECT count(*) FROM stored_object").await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    sqlx::query("UPDATE job SET state = 'failed', ended_at = now(), lease_until = NULL")
        .execute(world.pool())
        .await
        .unwrap();
    sender.send(Ok(b"second".to_vec())).await.unwrap();
    drop(sender);
    assert_eq!(upload.await.unwrap().refused(403), "epoch_not_current");
    let complete = world
        .count("SELECT count(*) FROM stored_object WHERE bytes IS NOT NULL")
        .await;
    assert_eq!(complete, 0);
}

#[tokio::test]
async fn the_narrower_scope_wins() {
    let world = World::new().await;
    world.set_up_shop().await;
    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let admin = world.admin();
    for (scope, name, value) in [
        (json!({ "project": "shop" }), "A", "project"),
        (json!({ "project": "shop" }), "B", "project"),
        (json!({ "environment": "production" }), "B", "environment"),
        (json!({ "environment": "production" }), "C", "environment"),
        (json!({ "target": "shop@production" }), "C", "target"),
        (json!({ "target": "shop@production" }), "D", "target"),
        (json!({ "host": "web-1" }), "D", "host"),
        (json!({ "host": "builder" }), "E", "host"),
        (json!({ "environment": "beta" }), "F", "other"),
    ] {
        let wish = json!({ "scope": scope, "name": name, "value": value });
        admin.put("variables", &wish).await.expect(204);
    }
    let none = Digest::of(b"");
    let installing = web.runs(&world, install(&world, "web-1", b"archive").await).await;
    let seen = read(web.signed(&world, installing, &Method::GET, VARIABLES_PATH, none)).await;
    assert_eq!(
        seen.expect(200),
        json!({ "plain": { "A": "project", "B": "environment", "C": "target", "D": "host" }, "secret": {} })
    );
    let building = builder.runs(&world, build(&world).await).await;
    let seen = read(builder.signed(&world, building, &Method::GET, VARIABLES_PATH, none)).await;
    assert_eq!(
        seen.expect(200)["plain"],
        json!({ "A": "project", "B": "project", "E": "host" })
    );
}

#[tokio::test]
async fn a_secret_is_told_to_the_job_that_needs_it_and_to_nobody_else() {
    let world = World::new().await;
    world.set_up_shop().await;
    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let admin = world.admin();
    let scope = json!({ "target": "shop@production" });
    let wish = json!({ "scope": scope, "name": "DATABASE_URL", "value": "postgres://lucy:geheim@db", "secret": true });
    admin.put("variables", &wish).await.expect(204);
    let list = admin.get("variables").await.expect(200);
    assert_eq!(list["items"][0]["secret"], true);
    assert!(!list.to_string().contains("geheim"));
    let readable = "SELECT count(*) FROM variable WHERE value IS NOT NULL OR encode(value_enc, 'escape') LIKE '%geheim%'";
    assert_eq!(
        world.count(readable).await,
        0,
        "the database holds nothing readable"
    );
    assert_eq!(
        world
            .count("SELECT count(*) FROM audit WHERE detail::text LIKE '%geheim%'")
            .await,
        0
    );
    let installing = web.runs(&world, install(&world, "web-1", b"archive").await).await;
    let none = Digest::of(b"");
    let seen = read(web.signed(&world, installing, &Method::GET, VARIABLES_PATH, none)).await;
    assert_eq!(
        seen.expect(200),
        json!({ "plain": {}, "secret": { "DATABASE_URL": "postgres://lucy:geheim@db" } })
    );
    let plain = json!({ "scope": scope, "name": "DATABASE_URL", "value": "postgres://db" });
    assert_eq!(admin.put("variables", &plain).await.refused(409), "is_secret");
    let empty = json!({ "scope": scope, "name": "DATABASE_URL", "value": "", "secret": true });
    assert_eq!(admin.put("variables", &empty).await.refused(422), "invalid_value");
    // A row that was moved to another place does not open there.
    sqlx::query("UPDATE variable SET scope = 'project', scope_name = 'shop'")
        .execute(world.pool())
        .await
        .unwrap();
    let seen = read(web.signed(&world, installing, &Method::GET, VARIABLES_PATH, none)).await;
    assert_eq!(seen.refused(409), "secret_unreadable");
    let gone = json!({ "scope": { "project": "shop" }, "name": "DATABASE_URL" });
    admin.delete_with("variables", &gone).await.expect(204);
    assert_eq!(
        admin.delete_with("variables", &gone).await.refused(404),
        "unknown_variable"
    );
}
