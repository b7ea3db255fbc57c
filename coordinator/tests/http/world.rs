//! A coordinator's API of its own: fresh database, fresh artifact store, a port, a clock that can be turned.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_coordinator::app::{App, Bells};
use pointsman_coordinator::config::Config;
use pointsman_coordinator::operations::issue_token;
use pointsman_coordinator::signatory::LocalSignatory;
use pointsman_coordinator::vault::Vault;
use pointsman_coordinator::{artifacts, http};
use pointsman_shared::clock::{Clock, SystemClock, SystemIds};
use pointsman_shared::ids::IdSource as _;
use pointsman_shared::wire::SigningKey;
use pointsman_store::{Store, signing_keys};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::people::Person;

/// The system's clock, put forward by hand.
#[derive(Debug, Default)]
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn put_forward(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::milliseconds(self.0.load(Ordering::SeqCst))
    }
}

pub struct World {
    pub app: App,
    pub clock: Arc<HandClock>,
    pub url: String,
    pub vhost: String,
    pub folder: TempDir,
    first_token: String,
    database: String,
    shutdown: CancellationToken,
}

/// What a world is made with.
#[derive(Debug, Default)]
pub struct Settings {
    pub public_status: bool,
    pub max_archive_bytes: Option<u64>,
    /// Whether the broker's management API is configured; a join then makes a real place at the broker.
    pub broker_admin: bool,
    pub tls: bool,
    /// The section `git`: more of its lines.
    pub git: Option<String>,
    /// Another broker than that of the tests: lines of configuration.
    pub broker: Option<String>,
    /// The section `notify`: its lines.
    pub notify: Option<String>,
    /// The section `oidc`: its lines.
    pub oidc: Option<String>,
    /// Another artifact store than a folder: lines of its section.
    pub store: Option<String>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let database = format!("http_{}", SystemIds.next().simple());
        run_sql(&format!("CREATE DATABASE {database}")).await;
        let mut url: url::Url = setting("POINTSMAN_TEST_DATABASE_URL").parse().unwrap();
        url.set_path(&database);
        let store = Store::connect(url.as_str(), 8).await.unwrap();
        store.migrate().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let vhost = format!("test-{database}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if settings.tls { "https" } else { "http" };
        let public = format!("{scheme}://{address}/");
        let config = config(&folder, &vhost, &public, url.as_str(), &settings);
        let clock = Arc::new(HandClock::default());
        let app = App {
            store,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ids: Arc::new(SystemIds),
            signatory: Arc::new(LocalSignatory::new(SigningKey::from_seed(&[7; 32]))),
            vault: Some(Arc::new(
                Vault::open_or_make(&folder.path().join("secrets.key")).unwrap(),
            )),
            objects: artifacts::open(&config.store).unwrap(),
            config: Arc::new(config),
            bells: Arc::new(Bells::default()),
            mirrors: Arc::default(),
            causes: Arc::default(),
            metrics: Arc::default(),
        };
        let first_token = found(&app).await;
        let shutdown = CancellationToken::new();
        tokio::spawn(http::serve(app.clone(), listener, shutdown.clone()));
        Self {
            app,
            clock,
            url: public,
            vhost,
            folder,
            first_token,
            database,
            shutdown,
        }
    }

    pub fn pool(&self) -> &PgPool {
        self.app.store.pool()
    }

    /// Announces the end, as a signal would.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    pub fn anonymous(&self) -> Person {
        Person::new(&self.url, None)
    }

    pub fn admin(&self) -> Person {
        Person::new(&self.url, Some(&self.first_token))
    }

    /// Somebody with a role.
    pub async fn person(&self, role: &str) -> Person {
        Person::new(&self.url, Some(&self.token_of(role).await))
    }

    /// A new token with a role.
    pub async fn token_of(&self, role: &str) -> String {
        let name = format!("{role} {}", self.app.ids.next().simple());
        let wish = serde_json::json!({ "name": name, "role": role });
        let issued = self.admin().post("tokens", &wish).await.expect(201);
        issued["token"].as_str().unwrap().to_owned()
    }

    /// Makes shop@production, for hosts with role=web.
    pub async fn set_up_shop(&self) {
        let document = serde_json::json!({
            "project": [{ "name": "shop", "repository": "https://git.example.com/shop" }],
            "environment": [{ "name": "beta" }, { "name": "production", "position": 1 }],
            "target": [{ "project": "shop", "environment": "production", "hosts": { "role": "web" } }],
        });
        self.admin().put("apply", &document).await.expect(200);
    }

    /// Gives the world a virtual host at the development broker.
    pub async fn open_vhost(&self) {
        let url = format!(
            "{}/api/vhosts/{}",
            setting("POINTSMAN_TEST_AMQP_ADMIN"),
            self.vhost
        );
        let made = reqwest::Client::new().put(url).send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.status());
    }

    /// One number out of the database.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.pool()).await.unwrap()
    }

    /// The same for a query that was put together.
    pub async fn count_of(&self, query: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        sqlx::query_scalar(query).fetch_one(self.pool()).await.unwrap()
    }
}

async fn found(app: &App) -> String {
    let mut tx = app.store.begin().await.unwrap();
    let now = app.clock.now();
    signing_keys::found(&mut tx, "test", now).await.unwrap();
    let key = app.signatory.public();
    signing_keys::register(&mut tx, &key, now).await.unwrap();
    let issued = issue_token::first(&mut tx, &*app.ids, now)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    issued.token
}

fn config(folder: &TempDir, vhost: &str, public: &str, database: &str, settings: &Settings) -> Config {
    let at = |name: &str| folder.path().join(name).display().to_string();
    let mut amqp: url::Url = setting("POINTSMAN_TEST_AMQP_URL").parse().unwrap();
    amqp.set_path(vhost);
    let admin = if settings.broker_admin {
        format!("broker.admin_url = {:?}", setting("POINTSMAN_TEST_AMQP_ADMIN"))
    } else {
        String::new()
    };
    let tls = if settings.tls {
        let (cert, key) = (at("cert.pem"), at("key.pem"));
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs_err::write(&cert, made.cert.pem()).unwrap();
        fs_err::write(&key, made.signing_key.serialize_pem()).unwrap();
        format!("tls_cert = {cert:?}\ntls_key = {key:?}\n")
    } else {
        String::new()
    };
    let broker = settings
        .broker
        .clone()
        .unwrap_or_else(|| format!("broker.url = \"{amqp}\"\n{admin}"));
    let text = format!(
        r#"
        installation.name = "test"
        database.url = {database:?}
        {broker}
        signing.key_file = {key:?}
        git.mirrors = {mirrors:?}
        {git}
        [store]
        {store}
        max_archive_bytes = {most}
        [http]
        listen = "127.0.0.1:0"
        public_url = {public:?}
        public_status = {status}
        {tls}
        [notify]
        {notify}
        {oidc}
        "#,
        key = at("signing.key"),
        git = settings.git.as_deref().unwrap_or_default(),
        mirrors = at("mirrors"),
        store = settings
            .store
            .clone()
            .unwrap_or_else(|| format!("directory = {:?}", at("store"))),
        most = settings.max_archive_bytes.unwrap_or(1 << 30),
        status = settings.public_status,
        oidc = settings
            .oidc
            .as_ref()
            .map(|lines| format!("[oidc]\n{lines}"))
            .unwrap_or_default(),
        notify = settings.notify.as_deref().unwrap_or_default(),
    );
    toml::from_str(&text).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "where tests find their services")]
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("set {name}; ./deploy/test does"))
}

async fn run_sql(statement: &str) {
    let mut conn = PgConnection::connect(&setting("POINTSMAN_TEST_DATABASE_URL"))
        .await
        .unwrap();
    conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())))
        .await
        .unwrap();
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
        let database = self.database.clone();
        let vhost = self.vhost.clone();
        // In a runtime of its own, and not waited for: a connection that this one was just opening would stay half open
        // as long as this thread blocks, and the server drops no database before it was answered.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                run_sql(&format!("DROP DATABASE {database} WITH (FORCE)")).await;
                let url = format!("{}/api/vhosts/{vhost}", setting("POINTSMAN_TEST_AMQP_ADMIN"));
                reqwest::Client::new().delete(url).send().await.ok();
            });
        });
    }
}
