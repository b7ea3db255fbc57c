//! Whether the database's schema is the one this program was built with.

use sqlx::PgConnection;
use sqlx::migrate::Migrator;

use crate::StoreResult;

/// The migrations this program carries.
pub(crate) static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// How schema and program fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fit {
    /// Migrations of this program that are not applied, or were applied with another content.
    pub missing: Vec<i64>,
    /// Applied migrations that this program does not know: a newer one was here.
    pub unknown: Vec<i64>,
}

/// Compares what is applied with what this program carries.
pub async fn fit(conn: &mut PgConnection) -> StoreResult<Fit> {
    let known: Option<String> = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations')::text")
        .fetch_one(&mut *conn)
        .await?;
    let applied: Vec<(i64, Vec<u8>)> = if known.is_some() {
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(conn)
            .await?
    } else {
        Vec::new()
    };
    let missing = MIGRATOR
        .iter()
        .filter(|ours| {
            !applied
                .iter()
                .any(|(version, checksum)| *version == ours.version && *checksum == *ours.checksum)
        })
        .map(|ours| ours.version)
        .collect();
    let unknown = applied
        .iter()
        .map(|(version, _)| *version)
        .filter(|version| !MIGRATOR.iter().any(|ours| ours.version == *version))
        .collect();
    Ok(Fit { missing, unknown })
}

/// Version of the database server.
pub async fn server_version(conn: &mut PgConnection) -> StoreResult<String> {
    Ok(
        sqlx::query_scalar!(r#"SELECT current_setting('server_version') AS "version!""#)
            .fetch_one(conn)
            .await?,
    )
}
