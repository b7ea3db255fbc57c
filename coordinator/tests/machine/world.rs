//! A coordinator of its own: fresh database, fresh virtual host, quick times, a repository with one commit.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use pointsman_coordinator::app::{App, Bells};
use pointsman_coordinator::artifacts;
use pointsman_coordinator::operations::request_build::{self, BuildWish};
use pointsman_coordinator::operations::{
    create_environment, create_project, create_target, invite_host, issue_token, request_deployment,
};
use pointsman_coordinator::roles::{self, Role};
use pointsman_coordinator::signatory::LocalSignatory;
use pointsman_domain::{Actor, ActorKind};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::clock::{SystemClock, SystemIds};
use pointsman_shared::ids::{IdSource as _, PrincipalId, ReleaseId};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::SigningKey;
use pointsman_store::jobs::JobRow;
use pointsman_store::{Store, jobs, principals, signing_keys};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use crate::services::{PATIENCE, Times, management, management_json, management_with};
use crate::services::{config, run_sql, setting};

pub struct World {
    pub app: App,
    pub actor: Actor,
    pub vhost: String,
    folder: TempDir,
    database: String,
    stop: CancellationToken,
    serving: Option<JoinHandle<()>>,
}

impl World {
    /// A world whose coordinator runs.
    pub async fn start(times: Times) -> Self {
        let mut world = Self::make(times).await;
        world.serve();
        world
    }

    /// A world whose coordinator does not run yet.
    pub async fn make(times: Times) -> Self {
        let mut world = Self::with_times(times).await;
        world.actor.principal = found(&world.app).await;
        world.set_up_shop().await;
        world
    }

    /// A world in which `init` was never run.
    pub async fn empty() -> Self {
        Self::with_times(Times::default()).await
    }

    async fn with_times(times: Times) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let database = format!("machine_{}", SystemIds.next().simple());
        run_sql(&format!("CREATE DATABASE {database}")).await;
        let mut url: url::Url = setting("POINTSMAN_TEST_DATABASE_URL").parse().unwrap();
        url.set_path(&database);
        let store = Store::connect(url.as_str(), 20).await.unwrap();
        store.migrate().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let vhost = format!("test-{database}");
        management(reqwest::Method::PUT, &format!("vhosts/{vhost}")).await;
        let config = config(folder.path(), &vhost, url.as_str(), times);
        let app = App {
            store,
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            signatory: Arc::new(LocalSignatory::new(SigningKey::from_seed(&[7; 32]))),
            vault: None,
            objects: artifacts::open(&config.store).unwrap(),
            config: Arc::new(config),
            bells: Arc::new(Bells::default()),
            mirrors: Arc::default(),
            causes: Arc::default(),
            metrics: Arc::default(),
        };
        let actor = Actor {
            principal: PrincipalId(app.ids.next()),
            kind: ActorKind::User,
            name: "ann".to_owned(),
            rights: RoleName::Admin.into(),
            address: None,
            trace: None,
        };
        Self {
            app,
            actor,
            vhost,
            folder,
            database,
            stop: CancellationToken::new(),
            serving: None,
        }
    }

    /// Starts the coordinator's roles.
    pub fn serve(&mut self) {
        self.stop = CancellationToken::new();
        let (app, stop) = (self.app.clone(), self.stop.clone());
        let roles = [Role::Relay, Role::Intake, Role::Reconcile];
        self.serving = Some(tokio::spawn(async move {
            roles::serve(app, &roles, stop).await.unwrap();
        }));
    }

    /// Drains the coordinator and waits for its end.
    pub async fn drain(&mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            serving.await.unwrap();
        }
    }

    async fn set_up_shop(&self) {
        let repository = self.folder.path().join("shop");
        git(self.folder.path(), &["init", "-q", "-b", "main", "shop"]);
        fs_err::write(repository.join("index.html"), "one").unwrap();
        git(&repository, &["add", "."]);
        git(
            &repository,
            &[
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@example.com",
                "commit",
                "-qm",
                "one",
            ],
        );
        git(&repository, &["tag", "1.0.0"]);
        let url = format!("file://{}", repository.display());
        let project = serde_json::json!({ "name": "shop", "repository": url });
        let environment = serde_json::json!({ "name": "production" });
        let target =
            serde_json::json!({ "project": "shop", "environment": "production", "hosts": { "role": "web" } });
        let (app, actor) = (&self.app, &self.actor);
        create_project::execute(app, actor, read(project)).await.unwrap();
        create_environment::execute(app, actor, read(environment))
            .await
            .unwrap();
        create_target::execute(app, actor, read(target)).await.unwrap();
    }

    /// A token with which a host may join.
    pub async fn invite(&self, host: &HostId, pools: &[&str], role: &str) -> String {
        let wish = serde_json::json!({ "host": host, "pools": pools, "labels": { "role": role } });
        let invited = invite_host::execute(&self.app, &self.actor, read(wish)).await;
        invited.unwrap().token
    }

    /// Asks for a build of the repository's one tag.
    pub async fn request_build(&self) -> ReleaseId {
        let wish = BuildWish {
            project: "shop".parse().unwrap(),
            reference: Some("1.0.0".to_owned()),
        };
        request_build::execute(&self.app, &self.actor, &wish)
            .await
            .unwrap()
    }

    /// Asks for a deployment of a release.
    pub async fn request_deployment(&self, release: &str) -> i64 {
        let wish = serde_json::json!({ "target": "shop@production", "release": release });
        let asked = request_deployment::execute(&self.app, &self.actor, &read(wish)).await;
        asked.unwrap()
    }

    /// The job with this number.
    pub async fn job(&self, number: i64) -> JobRow {
        let mut conn = self.app.store.read().await.unwrap();
        jobs::find_by_number(&mut conn, number).await.unwrap().unwrap()
    }

    /// The job, once it is as it should be.
    pub async fn job_until(&self, number: i64, what: &str, is: impl Fn(&JobRow) -> bool) -> JobRow {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let job = self.job(number).await;
            if is(&job) {
                return job;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "job {number} never was {what}: {job:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The same application with one connection to the database: whoever holds it lets all others wait.
    pub async fn with_one_connection(&self) -> App {
        let mut url: url::Url = setting("POINTSMAN_TEST_DATABASE_URL").parse().unwrap();
        url.set_path(&self.database);
        App {
            store: Store::connect(url.as_str(), 1).await.unwrap(),
            ..self.app.clone()
        }
    }

    /// Takes the database away, with every connection to it, or gives it back.
    pub async fn let_database(&self, answer: bool) {
        let database = &self.database;
        run_sql(&format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {answer}")).await;
        if !answer {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
            run_sql(&format!("{end} = '{database}'")).await;
        }
    }

    /// One number out of the database.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(self.app.store.pool())
            .await
            .unwrap()
    }

    /// Waits until a count is as it should be.
    pub async fn count_until(&self, query: &'static str, expected: i64) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let count = self.count(query).await;
            if count == expected {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{query} is {count}, not {expected}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn found(app: &App) -> PrincipalId {
    let mut tx = app.store.begin().await.unwrap();
    let now = app.clock.now();
    signing_keys::found(&mut tx, "test", now).await.unwrap();
    signing_keys::register(&mut tx, &app.signatory.public(), now)
        .await
        .unwrap();
    issue_token::first(&mut tx, &*app.ids, now).await.unwrap();
    let fresh = PrincipalId(app.ids.next());
    let principal = principals::ensure(&mut tx, fresh, ActorKind::User, "ann", now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    principal
}

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
        let (database, vhost) = (self.database.clone(), self.vhost.clone());
        // In a runtime of its own, and not waited for: a connection that this one was just opening would stay half open
        // as long as this thread blocks, and the server drops no database before it was answered.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                run_sql(&format!("DROP DATABASE {database} WITH (FORCE)")).await;
                management(reqwest::Method::DELETE, &format!("vhosts/{vhost}")).await;
            });
        });
    }
}
