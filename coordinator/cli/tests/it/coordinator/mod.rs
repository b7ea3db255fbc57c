//! A neighbour for the command under test: an HTTP server that keeps state, speaks `shared::api`, and insists on what
//! the real one insists on (tokens, idempotency keys, pages).
//!
//! Its deployments move one step each time they are read, so that a follower sees every state once and transcripts are
//! the same on every machine.

mod acts;
mod builds;
mod causes;
mod changes;
mod contents;
mod deciding;
mod events;
pub mod journey;
mod keys;
mod notifying;
mod people;
mod pushing;
mod reads;
mod refusals;
mod tickets;
mod upkeep;
mod world;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use tokio::runtime::Runtime;

pub use journey::Story;
pub use upkeep::held;
pub use world::{World, ago};

/// Lucy may deploy and set things up.
pub const LUCY: &str = "pmn_lucy_secret";
/// Vera may only look.
pub const VERA: &str = "pmn_vera_secret";

/// What every handler shares.
#[derive(Clone)]
pub struct Shared {
    world: Arc<Mutex<World>>,
}

impl Shared {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

/// A running coordinator; ends when dropped.
pub struct Coordinator {
    address: SocketAddr,
    /// Its certificate, when it speaks TLS; it vouches for itself.
    pub certificate: Option<String>,
    shared: Shared,
    _runtime: Runtime,
}

impl Coordinator {
    /// One with project `shop`, two environments, three hosts and two releases; 1.9.0 is live in production.
    pub fn start() -> Self {
        Self::with(World::shop())
    }

    /// The same over TLS.
    pub fn start_with_tls() -> Self {
        Self::serve(World::shop(), true)
    }

    /// One that was just set up.
    pub fn empty() -> Self {
        Self::with(World::default())
    }

    fn with(world: World) -> Self {
        Self::serve(world, false)
    }

    fn serve(world: World, tls: bool) -> Self {
        let shared = Shared {
            world: Arc::new(Mutex::new(world)),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .nest(
                "/api/v1",
                reads::routes()
                    .merge(contents::routes())
                    .merge(changes::routes())
                    .merge(acts::routes())
                    .merge(keys::routes())
                    .merge(people::routes())
                    .merge(upkeep::routes())
                    .merge(deciding::routes())
                    .merge(pushing::routes())
                    .merge(notifying::routes())
                    .merge(causes::routes())
                    .merge(tickets::routes())
                    .merge(events::routes()),
            )
            .fallback(refusals::no_route)
            .layer(axum::middleware::from_fn_with_state(
                shared.clone(),
                refusals::guard,
            ))
            .with_state(shared.clone());
        let certificate = if tls {
            let (config, certificate) = runtime.block_on(own_certificate());
            let _inside = runtime.enter();
            let server = axum_server::from_tcp_rustls(listener, config).unwrap();
            runtime.spawn(server.serve(router.into_make_service()));
            Some(certificate)
        } else {
            let _inside = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            runtime.spawn(async move { axum::serve(listener, router).await });
            None
        };
        Self {
            address,
            certificate,
            shared,
            _runtime: runtime,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// Its state.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }
}

async fn own_certificate() -> (RustlsConfig, String) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let config = RustlsConfig::from_pem(certificate.clone().into_bytes(), key.into_bytes()).await;
    (config.unwrap(), certificate)
}
