//! The client against a small server that breaks off, lies and restarts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::clock::SystemClock;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, InstanceId, JobId};
use pointsman_shared::wire::SigningKey;
use uuid::Uuid;

use super::{ArtifactError, Artifacts, Signer};
use crate::config::CoordinatorSection;
use crate::http::Coordinator;
use crate::lease::{BootInstant, LeaseKeeper, Standing, lease};
use crate::time::CoordinatorClock;

static TLS: LazyLock<()> = LazyLock::new(|| {
    drop(rustls::crypto::ring::default_provider().install_default());
});

/// How the server treats a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Breaks off in the middle of the first answer and goes on where it is asked to.
    BreaksOff,
    /// The same, but sends everything again whatever it is asked.
    StartsOver,
    /// Is away the first two times.
    Restarts,
    /// Sends other bytes the first time.
    LiesOnce,
    /// Is never there.
    Away,
}

#[derive(Clone)]
struct Server {
    manner: Manner,
    content: Arc<Vec<u8>>,
    asked: Arc<AtomicU32>,
}

async fn answer(State(server): State<Server>, headers: HeaderMap) -> Response {
    let first = server.asked.fetch_add(1, Ordering::SeqCst) == 0;
    let content = server.content.as_slice();
    let half = content.len() / 2;
    let from = headers.get(header::RANGE).and_then(|range| {
        range
            .to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    });
    match server.manner {
        Manner::BreaksOff | Manner::StartsOver if first => broken(content[..half].to_vec()),
        Manner::BreaksOff => {
            let from: usize = from.expect("it goes on where it stopped");
            let mut response = content[from..].to_vec().into_response();
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
            response
                .headers_mut()
                .insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).unwrap());
            response
        }
        Manner::Restarts if server.asked.load(Ordering::SeqCst) < 3 => {
            StatusCode::BAD_GATEWAY.into_response()
        }
        Manner::Away => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Manner::LiesOnce if first => vec![7; content.len()].into_response(),
        Manner::StartsOver | Manner::Restarts | Manner::LiesOnce => content.to_vec().into_response(),
    }
}

/// An answer whose connection breaks after these bytes.
fn broken(bytes: Vec<u8>) -> Response {
    let cut = futures_util::stream::once(async {
        // The bytes must be on their way before the connection goes.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Err(std::io::Error::other("cut"))
    });
    let sent = futures_util::stream::once(async move { Ok(bytes) });
    Body::from_stream(futures_util::StreamExt::chain(sent, cut)).into_response()
}

struct World {
    artifacts: Artifacts,
    keeper: LeaseKeeper,
    content: Arc<Vec<u8>>,
    folder: tempfile::TempDir,
}

impl World {
    async fn with(manner: Manner) -> Self {
        LazyLock::force(&TLS);
        let content: Arc<Vec<u8>> = Arc::new((0..200_000_u32).map(|n| n.to_le_bytes()[1]).collect());
        let server = Server {
            manner,
            content: Arc::clone(&content),
            asked: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(server);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let section = CoordinatorSection {
            url,
            ca_file: None,
            insecure: false,
        };
        let signer = Signer {
            key: Arc::new(SigningKey::from_seed(&[1; 32])),
            host: "web-1".parse().unwrap(),
            instance: InstanceId(Uuid::from_u128(1)),
            clock: Arc::new(CoordinatorClock::new(Arc::new(SystemClock))),
        };
        let (keeper, lease) = lease(BootInstant::now().plus(Duration::from_mins(1)));
        let coordinator = Coordinator::new(&section).unwrap();
        Self {
            artifacts: Artifacts::new(
                coordinator,
                Arc::new(signer),
                JobId(Uuid::from_u128(2)),
                Epoch(1),
                lease,
            ),
            keeper,
            content,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    async fn fetch(&self, cap: u64) -> Result<(), ArtifactError> {
        let digest = Digest::of(&self.content);
        let path: &Path = &self.path();
        self.artifacts
            .fetch_to(ObjectKind::Archive, digest, cap, path)
            .await
    }
}

#[tokio::test]
async fn whatever_goes_wrong_once_the_file_is_whole() {
    for manner in [
        Manner::BreaksOff,
        Manner::StartsOver,
        Manner::Restarts,
        Manner::LiesOnce,
    ] {
        let world = World::with(manner).await;
        world.fetch(1_000_000).await.unwrap();
        assert!(
            fs_err::read(world.path()).unwrap() == *world.content,
            "{manner:?}"
        );
    }
}

#[tokio::test]
async fn more_bytes_than_allowed_are_not_written() {
    let world = World::with(Manner::StartsOver).await;
    let error = world.fetch(1000).await.unwrap_err();
    assert!(
        matches!(error, ArtifactError::TooLarge { cap: 1000, .. }),
        "{error}"
    );
    assert!(fs_err::metadata(world.path()).unwrap().len() <= 1000);
}

#[tokio::test]
async fn a_lost_lease_ends_the_asking() {
    let world = World::with(Manner::Away).await;
    let (fetched, ()) = tokio::join!(world.fetch(1_000_000), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.keeper.lose();
    });
    assert!(
        matches!(fetched, Err(ArtifactError::Stopped(Standing::Lost))),
        "{fetched:?}"
    );
}
