//! Starts the roles, and ends them when asked: what is under way is finished, nothing new is begun.
//!
//! The API answers from the start; the other roles wait until the database answers, its schema is current, and this
//! coordinator's key is known to be registered.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use pointsman_store::{StoreError, signing_keys};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Role, notify, pushes, reconcile, schedule};
use crate::app::App;
use crate::broker::topology::Topology;
use crate::broker::watch::{self, Consumption};
use crate::broker::{hearing, intake, relay};
use crate::{http, lifecycle, metrics};

/// How long everything may take to end after it was asked to.
const DRAIN: Duration = Duration::from_secs(30);
/// Pause between tries while the database is away.
const RETRY: Duration = Duration::from_secs(1);
/// Pause between looks at the broker's topology.
const UPKEEP: Duration = Duration::from_secs(30);

/// Why a coordinator does not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeFailure {
    /// `http.listen` or `metrics.listen` cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The API ended by itself.
    #[error("the HTTP API failed")]
    Http(#[from] http::ServeError),
    /// The key of this coordinator is not registered, or was revoked.
    #[error(
        "signing key {key} is not registered in this installation; run `pointsman-coordinator init` with the same \
         configuration"
    )]
    UnregisteredKey {
        /// The key's id.
        key: String,
    },
    /// The installation has another name.
    #[error("installation.name is {configured:?}, and this database belongs to the installation {stored:?}")]
    OtherInstallation {
        /// The configured name.
        configured: String,
        /// The stored name.
        stored: String,
    },
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
}

/// Runs the roles until `stop`.
pub async fn serve(app: App, roles: &[Role], stop: CancellationToken) -> Result<(), ServeFailure> {
    let mut tasks = JoinSet::new();
    if roles.contains(&Role::Http) {
        let address = app.config.http.listen;
        let listener =
            TcpListener::bind(address).map_err(|source| ServeFailure::Listen { address, source })?;
        tracing::info!(%address, "listening");
        let (app, stop) = (app.clone(), stop.clone());
        tasks.spawn(async move { Ok(http::serve(app, listener, stop).await?) });
    }
    if let Some(address) = app.config.metrics.listen {
        let failed = move |source| ServeFailure::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        tracing::info!(%address, "listening for scrapers");
        let (app, stop) = (app.clone(), stop.clone());
        tasks.spawn(async move { metrics::serve(app, listener, stop).await.map_err(failed) });
    }
    if until_ready(&app, &stop).await? {
        start(&app, roles, &stop, &mut tasks);
    }
    let mut outcome = Ok(());
    // Whatever ends first ends all: a coordinator that lost a role must not look alive.
    if let Some(ended) = tasks.join_next().await {
        outcome = ended.unwrap_or(Ok(()));
        stop.cancel();
    }
    let drained = async {
        while let Some(ended) = tasks.join_next().await {
            outcome = std::mem::replace(&mut outcome, Ok(())).and(ended.unwrap_or(Ok(())));
        }
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("some roles did not end in time");
    }
    outcome
}

fn start(app: &App, roles: &[Role], stop: &CancellationToken, tasks: &mut JoinSet<Result<(), ServeFailure>>) {
    let topology = Arc::new(Topology::new(app.clone()));
    let consumption = Arc::new(Consumption::default());
    for role in roles {
        let (app, stop) = (app.clone(), stop.clone());
        let (topology, consumption) = (Arc::clone(&topology), Arc::clone(&consumption));
        match role {
            Role::Http => {}
            Role::Relay => drop(tasks.spawn(async move {
                tokio::join!(
                    relay::run(&app, &topology, &stop),
                    keep(&topology, &stop),
                    hearing::run(&app, &topology, &stop)
                );
                Ok(())
            })),
            Role::Intake => drop(tasks.spawn(async move {
                intake::run(&app, &topology, &stop).await;
                Ok(())
            })),
            Role::Reconcile => drop(tasks.spawn(async move {
                tokio::join!(
                    reconcile::run(&app, &consumption, &stop),
                    watch::run(&app, &topology, &consumption, &stop)
                );
                Ok(())
            })),
            Role::Schedule => drop(tasks.spawn(async move {
                tokio::join!(schedule::run(&app, &stop), pushes::run(&app, &stop));
                Ok(())
            })),
            Role::Notify => drop(tasks.spawn(async move {
                notify::run(&app, &stop).await;
                Ok(())
            })),
        }
    }
}

/// Looks at the broker's topology now and then: a queue that somebody deleted is made again.
async fn keep(topology: &Topology, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(UPKEEP) => {}
        }
        if let Err(error) = topology.ensure().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the broker's topology could not be looked at");
        }
    }
}

/// Waits for the database, brings its schema up to date and checks that this coordinator belongs to it. Returns whether
/// to go on; not when it was asked to stop meanwhile.
async fn until_ready(app: &App, stop: &CancellationToken) -> Result<bool, ServeFailure> {
    loop {
        match belongs(app).await {
            Ok(()) => {
                lifecycle::tell_ready("serving");
                return Ok(true);
            }
            Err(ServeFailure::Store(error)) if error.is_transient() => {
                // Nothing is wrong with this process: a machine's start must not wait for another machine.
                lifecycle::tell_ready("waiting for the database");
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "waiting for the database"
                );
            }
            Err(failure) => return Err(failure),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(false),
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

async fn belongs(app: &App) -> Result<(), ServeFailure> {
    let mut conn = app.store.read().await?;
    app.store.migrate().await?;
    let key = app.signatory.public().id();
    if !signing_keys::is_registered(&mut conn, &key).await? {
        return Err(ServeFailure::UnregisteredKey { key: key.0 });
    }
    let stored = signing_keys::installation(&mut conn).await?.unwrap_or_default();
    let configured = app.config.installation.name.clone();
    if stored != configured {
        return Err(ServeFailure::OtherInstallation { configured, stored });
    }
    Ok(())
}
