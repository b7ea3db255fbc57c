//! A neighbour for the command under test: an HTTP server that keeps state, speaks `shared::api`, and insists on what
//! the real one insists on (tokens, idempotency keys, pages).
//!
//! Its deployments move one step each time they are read, so that a follower sees every state once and transcripts are
//! the same on every machine.

mod acts;
mod builds;
mod changes;
mod deciding;
mod events;
pub mod journey;
mod reads;
mod refusals;
mod upkeep;
mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
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
    shared: Shared,
    _runtime: Runtime,
}

impl Coordinator {
    /// One with project `shop`, two environments, three hosts and two releases; 1.9.0 is live in production.
    pub fn start() -> Self {
        Self::with(World::shop())
    }

    /// One that was just set up.
    pub fn empty() -> Self {
        Self::with(World::default())
    }

    fn with(world: World) -> Self {
        let shared = Shared {
            world: Arc::new(Mutex::new(world)),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .nest(
                "/api/v1",
                reads::routes()
                    .merge(changes::routes())
                    .merge(acts::routes())
                    .merge(upkeep::routes())
                    .merge(deciding::routes())
                    .merge(events::routes()),
            )
            .fallback(refusals::no_route)
            .layer(axum::middleware::from_fn_with_state(
                shared.clone(),
                refusals::guard,
            ))
            .with_state(shared.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            shared,
            _runtime: runtime,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its state.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }
}
