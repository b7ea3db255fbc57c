//! Where the services are, and a configuration for them.

use std::path::Path;
use std::time::Duration;

use pointsman_coordinator::config::Config;
use sqlx::{Connection as _, Executor as _, PgConnection};

/// How long anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Times of a test; milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub idle_beat: u64,
    pub lease: u64,
    pub offer: u64,
    pub start_deadline: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            idle_beat: 60_000,
            lease: 60_000,
            offer: 120_000,
            start_deadline: 900_000,
        }
    }
}

pub fn config(folder: &Path, vhost: &str, database: &str, times: Times) -> Config {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut amqp: url::Url = setting("POINTSMAN_TEST_AMQP_URL").parse().unwrap();
    amqp.set_path(vhost);
    let mut agents = amqp.clone();
    agents.set_query(None);
    let text = format!(
        r#"
        installation.name = "test"
        database.url = {database:?}
        broker.url = {amqp:?}
        broker.agent_url = {agents:?}
        broker.admin_url = {admin:?}
        signing.key_file = {key:?}
        git.mirrors = {mirrors:?}
        git.allow_file = true
        store.directory = {store:?}
        [http]
        listen = "127.0.0.1:0"
        public_url = "http://127.0.0.1/"
        [timing]
        beat_ms = {beat}
        idle_beat_ms = {idle}
        lease_ms = {lease}
        stop_ms = {stop}
        sweep_ms = 200
        offer_ms = {offer}
        start_deadline_ms = {deadline}
        "#,
        amqp = amqp.as_str(),
        agents = agents.as_str(),
        admin = setting("POINTSMAN_TEST_AMQP_ADMIN"),
        key = at("signing.key"),
        mirrors = at("mirrors"),
        store = at("store"),
        beat = times.lease / 5,
        idle = times.idle_beat,
        lease = times.lease,
        stop = times.lease / 2,
        offer = times.offer,
        deadline = times.start_deadline,
    );
    toml::from_str(&text).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by ./deploy/test where the services are"
)]
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("set {name}; ./deploy/test does"))
}

/// Calls the broker's management API.
pub async fn management(method: reqwest::Method, path: &str) {
    let url = format!("{}/api/{path}", setting("POINTSMAN_TEST_AMQP_ADMIN"));
    let done = reqwest::Client::new().request(method, url).send().await.unwrap();
    assert!(done.status().is_success(), "{path}: {}", done.status());
}

/// The same with a body.
pub async fn management_with(method: reqwest::Method, path: &str, body: &serde_json::Value) {
    let url = format!("{}/api/{path}", setting("POINTSMAN_TEST_AMQP_ADMIN"));
    let asked = reqwest::Client::new().request(method, url).json(body);
    let done = asked.send().await.unwrap();
    assert!(done.status().is_success(), "{path}: {}", done.status());
}

/// What the management API answers.
pub async fn management_json(path: &str) -> serde_json::Value {
    let url = format!("{}/api/{path}", setting("POINTSMAN_TEST_AMQP_ADMIN"));
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

pub async fn run_sql(statement: &str) {
    let mut conn = PgConnection::connect(&setting("POINTSMAN_TEST_DATABASE_URL"))
        .await
        .unwrap();
    conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())))
        .await
        .unwrap();
}
