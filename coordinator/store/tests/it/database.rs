//! A fresh, migrated database for one test, on the server that `POINTSMAN_TEST_DATABASE_URL` names; dropped afterwards,
//! also when the test fails.

use std::panic::resume_unwind;

use pointsman_store::Store;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

/// Runs `test` with a database of its own.
pub async fn with_database<F>(test: impl FnOnce(Store) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "where tests find their server")]
    let url =
        std::env::var("POINTSMAN_TEST_DATABASE_URL").expect("POINTSMAN_TEST_DATABASE_URL names a server");
    let options: PgConnectOptions = url
        .parse()
        .expect("POINTSMAN_TEST_DATABASE_URL is a PostgreSQL URL");
    #[expect(clippy::disallowed_methods, reason = "a name that no other test has")]
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let mut admin = options
        .clone()
        .disable_statement_logging()
        .connect()
        .await
        .expect("the server answers");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut admin)
        .await
        .expect("create");
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect_with(options.database(&name))
        .await
        .expect("connect");
    let store = Store::new(pool.clone());
    let outcome = async {
        store.migrate().await.expect("migrate");
        tokio::spawn(test(store)).await
    }
    .await;
    pool.close().await;
    drop_database(&mut admin, &name).await;
    admin.close().await.expect("close");
    if let Err(failure) = outcome {
        resume_unwind(failure.into_panic());
    }
}

async fn drop_database(admin: &mut PgConnection, name: &str) {
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    sqlx::query(AssertSqlSafe(drop))
        .execute(admin)
        .await
        .expect("drop");
}
