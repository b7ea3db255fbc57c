//! The only crate that knows the coordinator's SQL.
//!
//! One function is one query; functions take a connection, so that they join the caller's transaction, which belongs
//! to the operation. Rows become domain values here or are called inconsistent. This crate decides nothing.

pub mod accounts;
pub mod attempts;
pub mod audit;
pub mod audit_chain;
pub mod channels;
pub mod deliveries;
pub mod deploy_keys;
pub mod deployments;
pub mod enrolments;
pub mod environments;
pub mod error;
pub mod events;
pub mod garbage;
pub mod good_releases;
pub mod hearing;
pub mod hosts;
pub mod idempotency;
pub mod inbox;
pub mod invitations;
pub mod jobs;
pub mod join_tokens;
pub mod known_causes;
pub mod leases;
pub mod listener;
pub mod locks;
pub mod logs;
pub mod marks;
pub mod migrations;
pub mod notices;
pub mod notification_rules;
pub mod objects;
pub mod outbox;
pub mod placement_pages;
pub mod placements;
pub mod plans;
pub mod principals;
pub mod projects;
pub mod push_pauses;
pub mod pushes;
pub mod recipes;
pub mod refused_messages;
pub mod releases;
pub mod retention;
pub mod roots;
pub mod schedules;
pub mod schema;
pub mod sessions;
pub mod signing_keys;
pub mod steps;
pub mod store_garbage;
pub mod targets;
pub mod tokens;
pub mod topology;
pub mod troubles;
pub mod variables;
pub mod views;
pub mod webhooks;
pub mod workshop_collections;

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};

pub use error::{StoreError, StoreResult};
pub use sqlx::PgConnection;

/// A transaction; what is not committed did not happen.
pub type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// The database's time at the start of the transaction: the one clock that all coordinators share. Leases, offers and
/// presence are measured with it alone.
pub async fn now(conn: &mut PgConnection) -> StoreResult<chrono::DateTime<chrono::Utc>> {
    Ok(sqlx::query_scalar!(r#"SELECT now() AS "now!""#)
        .fetch_one(conn)
        .await?)
}

/// How long a statement may take: whoever waits for a page or an answer has given up by then, and a statement that goes on
/// would take the place of others. Migrations of our own schema may take longer.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that was idle for longer is asked whether it still stands before it is used. One that was used just now was
/// asked when it came back, and a page that takes several does not pay a round trip for each.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// A pool that trusts what was used a moment ago.
fn trusting() -> PgPoolOptions {
    PgPoolOptions::new()
        .test_before_acquire(false)
        .before_acquire(|conn, used| {
            Box::pin(async move {
                if used.idle_for >= TRUSTED_IDLE {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
}

/// How a pool is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Connections at work.
    pub in_use: u32,
    /// Connections at most.
    pub limit: u32,
}

/// The pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    claim: Option<Arc<idempotency::Claim>>,
}

impl Store {
    /// Connects, and fails at once when the database cannot be reached.
    pub async fn connect(url: &str, connections: u32) -> StoreResult<Self> {
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.application_name("pointsman-coordinator"))
            .await?;
        Ok(Self::new(pool))
    }

    /// Connects when it is first used: a coordinator starts, and says what is missing, while its database is away.
    pub fn connect_later(url: &str, connections: u32) -> StoreResult<Self> {
        let options: PgConnectOptions = url.parse()?;
        let pool = trusting()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .connect_lazy_with(options.application_name("pointsman-coordinator").options([
                // Every statement here is short: compiling one takes longer than running it.
                ("jit", "off".to_owned()),
                ("statement_timeout", format!("{}s", STATEMENT_TIMEOUT.as_secs())),
            ]));
        Ok(Self::new(pool))
    }

    /// Wraps a pool that was made elsewhere.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool, claim: None }
    }

    /// The same store for one attempt at a request that may be repeated: see [`idempotency`].
    #[must_use]
    pub fn claimed(&self, claim: Arc<idempotency::Claim>) -> Self {
        Self {
            pool: self.pool.clone(),
            claim: Some(claim),
        }
    }

    /// The pool, for listeners and reads outside a transaction.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How the pool is used right now.
    pub fn connections(&self) -> Connections {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        Connections {
            in_use: self.pool.size().saturating_sub(idle),
            limit: self.pool.options().get_max_connections(),
        }
    }

    /// A connection for reads.
    pub async fn read(&self) -> StoreResult<sqlx::pool::PoolConnection<sqlx::Postgres>> {
        Ok(self.pool.acquire().await?)
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> StoreResult<Transaction> {
        let mut tx = self.pool.begin().await?;
        if let Some(claim) = &self.claim
            && !idempotency::mark_done(&mut tx, claim).await?
        {
            return Err(StoreError::TakenOver);
        }
        Ok(tx)
    }

    /// Applies the migrations that are missing.
    pub async fn migrate(&self) -> StoreResult<()> {
        let patient =
            PgConnectOptions::clone(&self.pool.connect_options()).options([("statement_timeout", "0")]);
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(patient)
            .await?;
        schema::MIGRATOR.run(&pool).await?;
        pool.close().await;
        Ok(())
    }
}
