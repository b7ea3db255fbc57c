//! The artifact store as builds and installs use it: the same sentences over a folder and over a bucket of a real
//! S3-compatible service, and what is said of a bucket that cannot be used.

use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use object_store::ObjectStore as _;
use pointsman_coordinator::artifacts::{self, ArtifactError, Artifacts, Incoming};
use pointsman_coordinator::config::StoreSection;
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::clock::{Clock as _, SystemClock, SystemIds};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::IdSource as _;
use reqwest::Method;
use serde_json::json;

use crate::agents::Agent;
use crate::objects::{large, send};
use crate::orders::{build, install};
use crate::people::read;
use crate::seaweed::{KEY, READER, Seaweed};
use crate::world::{Settings, World};

fn section(text: &str) -> StoreSection {
    rustls::crypto::ring::default_provider().install_default().ok();
    toml::from_str(text).unwrap()
}

fn opened(text: &str) -> Artifacts {
    artifacts::open(&section(text)).unwrap()
}

/// As the network brings it.
fn pieces(content: &[u8]) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Unpin + Send + use<> {
    let pieces: Vec<_> = content
        .chunks(100_000)
        .map(Bytes::copy_from_slice)
        .map(Ok)
        .collect();
    stream::iter(pieces)
}

fn incoming(digest: Digest) -> Incoming {
    Incoming {
        kind: ObjectKind::Archive,
        digest,
        most: 20_000_000,
        id: SystemIds.next(),
    }
}

async fn put(store: &Artifacts, content: &[u8]) -> u64 {
    let put = store.put(incoming(Digest::of(content)), pieces(content));
    put.await.unwrap()
}

async fn size(store: &Artifacts, content: &[u8]) -> Option<u64> {
    store
        .size(ObjectKind::Archive, &Digest::of(content))
        .await
        .unwrap()
}

async fn got(store: &Artifacts, content: &[u8], offset: u64) -> Option<(u64, std::ops::Range<u64>, Vec<u8>)> {
    let digest = Digest::of(content);
    let outgoing = store.get(ObjectKind::Archive, &digest, offset).await.unwrap()?;
    let bytes: Vec<Bytes> = outgoing.body.into_data_stream().try_collect().await.unwrap();
    Some((outgoing.size, outgoing.range, bytes.concat()))
}

/// Everything that is asked of a store.
async fn does_what_a_store_does(store: &Artifacts) {
    let large = large();
    for content in [b"".as_slice(), b"a manifest", &large] {
        let all = content.len() as u64;
        assert_eq!(size(store, content).await, None);
        assert!(got(store, content, 0).await.is_none());
        assert_eq!(put(store, content).await, all);
        assert_eq!(size(store, content).await, Some(all));
        assert!(got(store, content, 0).await.unwrap() == (all, 0..all, content.to_vec()));
        assert_eq!(put(store, content).await, all, "twice is as good as once");
    }
    let all = large.len() as u64;
    let rest = got(store, &large, all - 10).await.unwrap();
    assert!(rest == (all, all - 10..all, large[large.len() - 10..].to_vec()));
    let digest = Digest::of(b"a manifest");
    let manifest = store.read(ObjectKind::Archive, &digest);
    assert_eq!(manifest.await.unwrap().unwrap(), "a manifest");
    takes_nothing_wrong(store).await;
    let (one, other) = tokio::join!(put(store, &large[1..]), put(store, &large[1..]));
    assert_eq!((one, other), (all - 1, all - 1));
    assert!(got(store, &large[1..], 0).await.unwrap().2 == large[1..]);
    for content in [b"a manifest".as_slice(), &large] {
        for _ in 0..2 {
            let deleted = store.delete(ObjectKind::Archive, &Digest::of(content)).await;
            deleted.unwrap();
            assert_eq!(size(store, content).await, None);
        }
    }
    assert!(
        store
            .read(ObjectKind::Archive, &Digest::of(b"a manifest"))
            .await
            .unwrap()
            .is_none()
    );
}

/// Whatever comes in wrong is told by its name, and nothing is there afterwards.
async fn takes_nothing_wrong(store: &Artifacts) {
    let large = &large()[2..];
    for content in [b"something else".as_slice(), large] {
        let wanted = Digest::of(b"wanted");
        let put = store.put(incoming(wanted), pieces(content)).await;
        assert!(
            matches!(put, Err(ArtifactError::OtherContent { found, .. }) if found == Digest::of(content))
        );
        assert_eq!(size(store, b"wanted").await, None);
        let broken = pieces(content).chain(stream::iter([Err(std::io::Error::other("the line broke"))]));
        let put = store.put(incoming(Digest::of(content)), Box::pin(broken)).await;
        let told = put.unwrap_err().to_string();
        assert!(
            told.contains("broke off") && told.contains("the line broke"),
            "{told}"
        );
        let few = Incoming {
            most: content.len() as u64 - 1,
            ..incoming(Digest::of(content))
        };
        let put = store.put(few, pieces(content)).await;
        assert!(matches!(put, Err(ArtifactError::TooLarge { .. })));
        assert_eq!(size(store, content).await, None);
    }
}

/// What a coordinator leaves that is killed while an object comes in.
async fn begins_and_is_killed(store: &Artifacts) {
    let large = large();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let content = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let store = store.clone();
    let coming = tokio::spawn(async move { store.put(incoming(Digest::of(b"all")), content).await });
    for piece in large.chunks(1_000_000) {
        sender.send(Ok(Bytes::copy_from_slice(piece))).await.unwrap();
    }
    coming.abort();
    assert!(coming.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_folder_does_what_a_store_does() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&format!("directory = {:?}", folder.path().join("store")));
    does_what_a_store_does(&store).await;
    let condition = store.examine().await.unwrap();
    assert!(condition.space.is_some_and(|(free, all)| free <= all));
    let now = SystemClock.now();
    // As a killed coordinator leaves it: the part that was written, under a number of its own.
    let left = folder
        .path()
        .join("store/incoming/0199b1a8-5f2e-7c55-9f6f-6d5f0d8a1b11#1");
    fs_err::write(&left, "half an obj").unwrap();
    assert_eq!(store.sweep(now - TimeDelta::days(1)).await.unwrap(), 0);
    assert_eq!(store.sweep(now + TimeDelta::days(1)).await.unwrap(), 1);
    assert!(!left.exists());
}

#[tokio::test]
async fn a_bucket_does_what_a_store_does_and_keeps_no_half_uploads() {
    let seaweed = Seaweed::start().await;
    seaweed.bucket("artifacts").await;
    let lines = seaweed.section("artifacts", KEY);
    artifacts::prove(&section(&lines), SystemIds.next())
        .await
        .unwrap();
    let store = opened(&lines);
    does_what_a_store_does(&store).await;
    let condition = store.examine().await.unwrap();
    assert_eq!(
        condition.name,
        format!("bucket artifacts at {}", seaweed.endpoint())
    );
    assert!(!condition.in_the_clear, "it is on this machine");
    let later = SystemClock.now() + TimeDelta::days(1);
    assert_eq!(
        store.sweep(later).await.unwrap(),
        0,
        "what was refused was aborted"
    );
    begins_and_is_killed(&store).await;
    assert_eq!(store.sweep(later - TimeDelta::days(2)).await.unwrap(), 0);
    assert_eq!(store.sweep(later).await.unwrap(), 1);
    assert_eq!(store.sweep(later).await.unwrap(), 0);
    let names: Vec<_> = seaweed
        .as_writer("artifacts")
        .list(None)
        .try_collect()
        .await
        .unwrap();
    assert!(
        names
            .iter()
            .all(|meta| meta.location.as_ref().starts_with("some/where/archives/"))
    );
    assert_eq!(
        names.len(),
        2,
        "the empty one and the one that two brought: {names:?}"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_named_with_its_cure() {
    let seaweed = Seaweed::start().await;
    seaweed.bucket("artifacts").await;
    let stranger = ("STRANGER", "secret");
    let cases = [
        ("nothing", KEY, "there is no bucket nothing", "store.s3.bucket"),
        (
            "artifacts",
            stranger,
            "does not know the access key STRANGER",
            "store.s3.access_key_id",
        ),
        (
            "artifacts",
            (KEY.0, "wrong"),
            "the secret does not belong",
            "secret_access_key_file",
        ),
        (
            "artifacts",
            READER,
            "the access key READER may not write",
            "let the key",
        ),
    ];
    for (bucket, key, wrong, cure) in cases {
        let lines = seaweed.section(bucket, key);
        let proof = artifacts::prove(&section(&lines), SystemIds.next()).await;
        let told = proof.unwrap_err().to_string();
        assert!(told.contains(wrong) && told.contains(cure), "{told}");
        assert!(!told.contains(key.1) || key.1 == "secret", "{told}");
    }
    assert!(
        opened(&seaweed.section("artifacts", READER))
            .examine()
            .await
            .is_ok(),
        "it may look"
    );
    is_named_by_a_coordinator_that_runs(seaweed).await;
}

async fn is_named_by_a_coordinator_that_runs(mut seaweed: Seaweed) {
    let settings = Settings {
        store: Some(seaweed.section("artifacts", KEY)),
        ..Settings::default()
    };
    let world = World::with(settings).await;
    assert_eq!(store_check(&world).await["ok"], true);
    let missing = Settings {
        store: Some(seaweed.section("nothing", KEY)),
        ..Settings::default()
    };
    let elsewhere = World::with(missing).await;
    let found = store_check(&elsewhere).await.to_string();
    assert!(found.contains("there is no bucket nothing"), "{found}");
    seaweed.end();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let found = store_check(&world).await.to_string();
        if found.contains("it cannot be reached") && found.contains("Connection refused") {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let findings = world.admin().get("doctor").await.expect(200).to_string();
    assert!(
        findings.contains("it cannot be reached") && findings.contains("store.s3.endpoint"),
        "{findings}"
    );
}

async fn store_check(world: &World) -> serde_json::Value {
    let ready = read(world.anonymous().at(Method::GET, "readyz")).await;
    let checks = ready.body["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == "store")
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_build_stores_into_a_bucket_and_an_install_fetches_from_where_it_broke_off() {
    let seaweed = Seaweed::start().await;
    seaweed.bucket("artifacts").await;
    let settings = Settings {
        store: Some(seaweed.section("artifacts", KEY)),
        ..Settings::default()
    };
    let world = World::with(settings).await;
    world.set_up_shop().await;
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let archive = large();
    let building = builder.runs(&world, build(&world).await).await;
    let stored = send(&world, &builder, building, ObjectKind::Archive, &archive).await;
    assert_eq!(stored.expect(201), json!({ "existed": false }));
    let again = send(&world, &builder, building, ObjectKind::Archive, &archive).await;
    assert_eq!(again.expect(200), json!({ "existed": true }));
    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let installing = web.runs(&world, install(&world, "web-1", &archive).await).await;
    let path = ObjectKind::Archive.path(&Digest::of(&archive));
    let get = || web.signed(&world, installing, &Method::GET, &path, Digest::of(b""));
    let whole = get().send().await.unwrap();
    assert_eq!(whole.headers()["content-length"], "12000000");
    assert!(whole.bytes().await.unwrap() == archive);
    let rest = get().header("range", "bytes=11999990-").send().await.unwrap();
    assert_eq!(rest.status(), 206);
    assert!(rest.bytes().await.unwrap() == archive[11_999_990..]);
    let beyond = read(get().header("range", "bytes=12000000-")).await;
    assert_eq!(beyond.refused(422), "range_beyond_end");
}
