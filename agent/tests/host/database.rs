//! A project's own database: fresh for one test, gone with it.

use pointsman_shared::clock::SystemIds;
use pointsman_shared::ids::IdSource as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A database of its own on the tests' server.
#[derive(Debug)]
pub struct Database {
    name: String,
    pub url: String,
}

impl Database {
    pub async fn new() -> Self {
        let name = format!("project_{}", SystemIds.next().simple());
        run(&server(), &format!("CREATE DATABASE {name}")).await;
        let mut url: url::Url = server().parse().unwrap();
        url.set_path(&name);
        Self {
            name,
            url: url.to_string(),
        }
    }

    /// What a query that returns one text per row returns.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let mut conn = PgConnection::connect(&self.url).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_all(&mut conn)
            .await
            .unwrap()
    }

    pub async fn run(&self, sql: &str) {
        run(&self.url, sql).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // Not waited for: this runtime may still hold a connection.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(run(&server(), &drop));
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by ./deploy/test where the services are"
)]
fn server() -> String {
    std::env::var("POINTSMAN_TEST_DATABASE_URL")
        .unwrap_or_else(|_| panic!("set POINTSMAN_TEST_DATABASE_URL; ./deploy/test does"))
}

async fn run(url: &str, sql: &str) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
        .await
        .unwrap();
}
