//! Bytes and values for agents: believed for their signature and their running epoch only.

use chrono::TimeDelta;
use pointsman_shared::api::agent::{ObjectKind, VARIABLES_PATH};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, PlacementId, ReleaseId, StreamId};
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::wire::job::{BuildOrder, InstallOrder, Order};
use reqwest::Method;
use serde_json::json;

use crate::agents::{Agent, Running};
use crate::people::{Answered, read};
use crate::world::{Settings, World};

async fn release(world: &World) -> ReleaseId {
    let id = world.app.ids.next();
    sqlx::query(
        "INSERT INTO release (id, project_id, number, label, reference, commit_id, state, origin, recipe, created_by,
                              created_at)
         SELECT $1, project.id, 1, '1', 'main', repeat('a', 40), 'queued', 'test', '{}', principal.id, now()
         FROM project, principal LIMIT 1",
    )
    .bind(id)
    .execute(world.pool())
    .await
    .unwrap();
    ReleaseId(id)
}

async fn build(world: &World) -> Order {
    Order::Build(Box::new(BuildOrder {
        release: release(world).await,
        release_number: 1,
        label: "1".parse().unwrap(),
        repository: "https://git.example.com/shop".parse().unwrap(),
        subdirectory: None,
        commit: "a".repeat(40).parse().unwrap(),
        recipe: None,
        shared: Vec::new(),
        log_stream: StreamId(world.app.ids.next()),
    }))
}

async fn install(world: &World, host: &str, archive: &[u8]) -> Order {
    let placement = world.app.ids.next();
    sqlx::query(
        "INSERT INTO placement (id, target_id, host_id, root, created_at)
         SELECT $1, target.id, $2, '/srv/shop', now() FROM target
         ON CONFLICT DO NOTHING",
    )
    .bind(placement)
    .bind(host)
    .execute(world.pool())
    .await
    .unwrap();
    Order::Install(Box::new(InstallOrder {
        placement: PlacementId(placement),
        root: "/srv/shop".parse().unwrap(),
        release: release(world).await,
        folder: ReleaseFolder::of(1, &Digest::of(b"manifest")),
        manifest: Digest::of(b"manifest"),
        archive: Digest::of(archive),
        packing: Digest::of(b"packing"),
        archive_bytes: archive.len() as u64,
        total_bytes: 1,
        entries: 1,
        shared: Vec::new(),
        log_stream: StreamId(world.app.ids.next()),
    }))
}

async fn send(world: &World, agent: &Agent, running: Running, kind: ObjectKind, content: &[u8]) -> Answered {
    let digest = Digest::of(content);
    let path = kind.path(&digest);
    read(
        agent
            .signed(world, running, Method::PUT, &path, digest)
            .body(content.to_vec()),
    )
    .await
}

async fn fetch(world: &World, agent: &Agent, running: Running, kind: ObjectKind, content: &[u8]) -> Answered {
    let path = kind.path(&Digest::of(content));
    read(agent.signed(world, running, Method::GET, &path, Digest::of(b""))).await
}

#[tokio::test]
async fn what_a_build_stores_an_install_fetches() {
    let world = World::new().await;
    world.set_up_shop().await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let archive: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let building = builder.runs(&world, build(&world).await).await;
    let stored = send(&world, &builder, building, ObjectKind::Archive, &archive)
        .await
        .expect(201);
    assert_eq!(stored, json!({ "existed": false }));
    let again = send(&world, &builder, building, ObjectKind::Archive, &archive)
        .await
        .expect(200);
    assert_eq!(again, json!({ "existed": true }));
    let place = world
        .folder
        .path()
        .join("store/archives")
        .join(Digest::of(&archive).to_string());
    assert!(fs_err::read(&place).unwrap() == archive);
    let left = fs_err::read_dir(world.folder.path().join("store/incoming"))
        .unwrap()
        .count();
    assert_eq!(left, 0);

    sqlx::query("DELETE FROM release_source")
        .execute(world.pool())
        .await
        .unwrap();
    sqlx::query("UPDATE release SET number = 9, label = '9'")
        .execute(world.pool())
        .await
        .unwrap();
    let installing = web.runs(&world, install(&world, "web-1", &archive).await).await;
    let path = ObjectKind::Archive.path(&Digest::of(&archive));
    let whole = web
        .signed(&world, installing, Method::GET, &path, Digest::of(b""))
        .send()
        .await
        .unwrap();
    assert_eq!(
        whole.headers()["content-length"],
        archive.len().to_string().as_str()
    );
    assert!(whole.bytes().await.unwrap() == archive);
    let rest = web
        .signed(&world, installing, Method::GET, &path, Digest::of(b""))
        .header("range", "bytes=11999990-")
        .send()
        .await
        .unwrap();
    assert_eq!(rest.status(), 206);
    assert_eq!(
        rest.headers()["content-range"],
        "bytes 11999990-11999999/12000000"
    );
    assert!(rest.bytes().await.unwrap() == archive[11_999_990..]);

    let other = fetch(&world, &web, installing, ObjectKind::Archive, b"another archive").await;
    assert_eq!(other.refused(403), "object_not_named");
    let as_manifest = fetch(&world, &web, installing, ObjectKind::Manifest, &archive).await;
    assert_eq!(as_manifest.refused(403), "object_not_named");
    let missing = fetch(&world, &web, installing, ObjectKind::Manifest, b"manifest").await;
    assert_eq!(missing.refused(404), "object_missing");
    let written = send(&world, &web, installing, ObjectKind::Archive, b"evil").await;
    assert_eq!(written.refused(403), "not_a_build");
    let taken = fetch(&world, &builder, building, ObjectKind::Archive, &archive).await;
    assert_eq!(taken.refused(403), "object_not_named");
}

#[tokio::test]
async fn content_that_is_not_what_its_name_says_leaves_nothing() {
    let world = World::with(Settings {
        max_archive_bytes: Some(1000),
        ..Settings::default()
    })
    .await;
    world.set_up_shop().await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let building = builder.runs(&world, build(&world).await).await;
    let announced = Digest::of(b"this");
    let path = ObjectKind::Archive.path(&announced);
    let put = |body: Digest| builder.signed(&world, building, Method::PUT, &path, body);
    let other = read(put(announced).body("that")).await;
    assert_eq!(other.refused(422), "other_content");
    let lying = read(put(Digest::of(b"that")).body("that")).await;
    assert_eq!(lying.refused(422), "other_content");
    let large = send(&world, &builder, building, ObjectKind::Archive, &[1; 2000]).await;
    assert_eq!(large.refused(422), "object_too_large");
    let stream = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![1_u8; 100])));
    let digest = Digest::of(&[1; 2000]);
    let path = ObjectKind::Archive.path(&digest);
    let chunked = builder
        .signed(&world, building, Method::PUT, &path, digest)
        .body(reqwest::Body::wrap_stream(stream));
    assert_eq!(read(chunked).await.refused(422), "object_too_large");
    let store = world.folder.path().join("store");
    assert!(
        !store.join("archives").exists() || fs_err::read_dir(store.join("archives")).unwrap().count() == 0
    );
    let complete = world
        .count("SELECT count(*) FROM stored_object WHERE bytes IS NOT NULL")
        .await;
    assert_eq!(complete, 0);
    assert_eq!(read(put(announced).body("this")).await.status, 201);
}

#[tokio::test]
async fn forged_stale_replayed_and_outdated_requests_are_refused() {
    let world = World::new().await;
    world.set_up_shop().await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let building = builder.runs(&world, build(&world).await).await;
    let none = Digest::of(b"");
    let ask = |agent: &Agent, running| agent.signed(&world, running, Method::GET, VARIABLES_PATH, none);
    assert_eq!(read(ask(&builder, building)).await.status, 200);

    let impostor = Agent {
        host: builder.host.clone(),
        key: Agent::new(&world, "x").key,
        instance: builder.instance,
    };
    assert_eq!(
        read(ask(&impostor, building)).await.refused(403),
        "forged_request"
    );
    let stranger = Agent::new(&world, "stranger");
    assert_eq!(read(ask(&stranger, building)).await.refused(403), "unknown_key");
    let other_process = Agent {
        host: builder.host.clone(),
        key: SigningKeyCopy::of(&builder),
        instance: pointsman_shared::ids::InstanceId(world.app.ids.next()),
    };
    assert_eq!(
        read(ask(&other_process, building)).await.refused(403),
        "epoch_not_current"
    );

    let old = world.app.clock.now().timestamp_millis() - 61_000;
    let stale = builder.signed_at(&world, building, Method::GET, VARIABLES_PATH, none, old);
    assert_eq!(read(stale).await.refused(403), "stale_request");
    let next = Running {
        epoch: Epoch(2),
        ..building
    };
    assert_eq!(read(ask(&builder, next)).await.refused(403), "epoch_not_current");
    let elsewhere = ask(&builder, building).build().unwrap();
    let mut moved = world
        .anonymous()
        .at(Method::GET, &ObjectKind::Archive.path(&none)[1..]);
    for (name, value) in elsewhere.headers() {
        moved = moved.header(name, value);
    }
    assert_eq!(read(moved).await.refused(403), "forged_request");
    let unsigned = world.anonymous().at(Method::GET, &VARIABLES_PATH[1..]);
    assert_eq!(read(unsigned).await.refused(401), "not_signed");

    // A web host's own signature is good, and the build is not its job.
    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    assert_eq!(read(ask(&web, building)).await.refused(403), "epoch_not_current");

    let number: i64 = sqlx::query_scalar("SELECT number FROM job")
        .fetch_one(world.pool())
        .await
        .unwrap();
    sqlx::query("UPDATE job SET state = 'failed', ended_at = now(), lease_until = NULL")
        .execute(world.pool())
        .await
        .unwrap();
    assert_eq!(
        read(ask(&builder, building)).await.refused(403),
        "epoch_not_current",
        "job #{number} is over"
    );
    world.admin().post("hosts/builder/revoke", &json!({})).await;
    assert_eq!(read(ask(&builder, building)).await.refused(403), "unknown_key");
    world.clock.put_forward(TimeDelta::zero());
}

/// The same key in another process.
struct SigningKeyCopy;

impl SigningKeyCopy {
    fn of(agent: &Agent) -> pointsman_shared::wire::SigningKey {
        pointsman_shared::wire::SigningKey::from_file(&agent.key.to_file()).unwrap()
    }
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
    let seen = read(web.signed(&world, installing, Method::GET, VARIABLES_PATH, none))
        .await
        .expect(200);
    assert_eq!(
        seen,
        json!({ "plain": { "A": "project", "B": "environment", "C": "target", "D": "host" }, "secret": {} })
    );
    sqlx::query("UPDATE release SET number = 9, label = '9'")
        .execute(world.pool())
        .await
        .unwrap();
    let building = builder.runs(&world, build(&world).await).await;
    let seen = read(builder.signed(&world, building, Method::GET, VARIABLES_PATH, none))
        .await
        .expect(200);
    assert_eq!(
        seen["plain"],
        json!({ "A": "project", "B": "project", "E": "host" })
    );
}
