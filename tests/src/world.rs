//! A fleet with one project on it, and the sentences that tests are made of.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use pointsman_sandbox::{Options, Sandbox, Services, http};
use pointsman_shared::api::Page;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::jobs::{Job, LogPage};
use pointsman_shared::api::releases::{Release, ReleaseState};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::api::{Api, Refused};
use crate::repository::Repository;

/// The longest that anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The recipe of most tests: nothing to build, a health check that asserts the release.
pub const RECIPE: &str = r#"
[build]
steps = ["mkdir -p dist && cp src/* dist/"]
include = ["dist/**", "bin/**", "healthz"]

[health]
http = "http://127.0.0.1:${PORT}/healthz"
passes = 1
interval = "100ms"
deadline = "3s"
"#;

/// A fleet whose hosts carry one project, `shop@production`.
#[derive(Debug)]
pub struct World {
    /// The fleet.
    pub sandbox: Sandbox,
    /// The project's repository.
    pub repository: Repository,
    /// The API with the administrator's token.
    pub api: Api,
}

impl World {
    /// Three hosts, a builder, one coordinator; times of seconds; on the services that most tests share.
    pub async fn start() -> Result<Self> {
        Self::start_with(shared().await?).await
    }

    /// The same with services of its own, for tests that kill them.
    pub async fn start_alone() -> Result<Self> {
        Self::start_with(Options::for_testing()).await
    }

    /// Another fleet.
    pub async fn start_with(options: Options) -> Result<Self> {
        let sandbox = Sandbox::start(options).await?;
        let repository = Repository::create(sandbox.dir().join("repositories/shop"))?;
        repository.script("bin/about", "#!/bin/sh\necho the shop\n")?;
        let api = Api::new(sandbox.url(), sandbox.token().to_owned(), sandbox.tls());
        Ok(Self {
            sandbox,
            repository,
            api,
        })
    }

    /// Three versions in the repository: `1.0.0` and `1.1.0` are well, `1.2.0` fails its health check.
    pub fn has_three_versions(&self) -> Result<&Self> {
        self.has_recipe(RECIPE)?;
        self.has_version("1.0.0", "ok")?;
        self.has_version("1.1.0", "ok")?;
        self.has_version("1.2.0", "fail")?;
        Ok(self)
    }

    /// Writes the recipe; the next version has it.
    pub fn has_recipe(&self, recipe: &str) -> Result<&Self> {
        self.repository.write("pointsman.toml", recipe)?;
        Ok(self)
    }

    /// One more version whose health file says `health`.
    pub fn has_version(&self, tag: &str, health: &str) -> Result<&Self> {
        self.repository
            .write("src/index.html", tag)?
            .write("src/version", tag)?
            .write("healthz", health)?
            .tag(tag)?;
        Ok(self)
    }

    /// Creates project, environment and target, with a strategy.
    pub async fn has_target(&self, strategy: Value) -> Result<&Self> {
        let root = self.sandbox.root("web-1", "shop")?;
        // Each host has its own folder on this one machine; the target's root names the host.
        let root = root.display().to_string().replace("web-1", "${HOST}");
        self.applies(json!({
            "project": [{ "name": "shop", "repository": self.repository.url() }],
            "environment": [{ "name": "production" }],
            "target": [{
                "project": "shop", "environment": "production", "hosts": { "role": "web" },
                "root": root, "strategy": strategy,
            }],
        }))
        .await?;
        Ok(self)
    }

    /// Applies a document.
    pub async fn applies(&self, document: Value) -> Result<Value> {
        match self.api.try_put("apply", document).await? {
            Ok(changes) => Ok(changes),
            Err(Refused(problem)) => bail!("apply: {problem:?}"),
        }
    }

    /// Builds a ref and waits for the release.
    pub async fn builds(&self, reference: &str) -> Result<Release> {
        let release = self.starts_build(reference).await?;
        let release = self.built(release.number).await?;
        ensure!(release.state == ReleaseState::Built, "{release:?}");
        Ok(release)
    }

    /// Asks for a build.
    pub async fn starts_build(&self, reference: &str) -> Result<Release> {
        self.api
            .post("projects/shop/releases", json!({ "ref": reference }))
            .await
    }

    /// Waits until a release's build is over.
    pub async fn built(&self, number: u32) -> Result<Release> {
        until("the build is over", || async {
            let release: Release = self
                .api
                .get(&format!("projects/shop/releases/%23{number}"))
                .await?;
            let is_open = matches!(release.state, ReleaseState::Queued | ReleaseState::Building);
            Ok((!is_open).then_some(release))
        })
        .await
    }

    /// Wishes a release live and waits for the deployment's end.
    pub async fn deploys(&self, release: &str) -> Result<Deployment> {
        let deployment = self.starts_deploy(release).await?;
        self.ended(deployment.number).await
    }

    /// Wishes a release live.
    pub async fn starts_deploy(&self, release: &str) -> Result<Deployment> {
        self.api
            .post(
                "deployments",
                json!({ "target": "shop@production", "release": release }),
            )
            .await
    }

    /// Rolls back and waits for the end.
    pub async fn rolls_back(&self) -> Result<Deployment> {
        let deployment: Deployment = self
            .api
            .post("rollbacks", json!({ "target": "shop@production" }))
            .await?;
        self.ended(deployment.number).await
    }

    /// A deployment as it is now.
    pub async fn deployment(&self, number: i64) -> Result<Deployment> {
        self.api.get(&format!("deployments/{number}")).await
    }

    /// Waits for a deployment's end.
    pub async fn ended(&self, number: i64) -> Result<Deployment> {
        self.deployment_is(number, "over", |deployment| deployment.state.is_final())
            .await
    }

    /// Waits until a deployment is in a state.
    pub async fn reaches(&self, number: i64, state: DeploymentState) -> Result<Deployment> {
        self.deployment_is(number, &format!("{state:?}"), |deployment| {
            deployment.state == state
        })
        .await
    }

    /// Waits until a deployment is as wanted.
    pub async fn deployment_is(
        &self,
        number: i64,
        what: &str,
        is: impl Fn(&Deployment) -> bool,
    ) -> Result<Deployment> {
        let waited = until(&format!("deployment {number} is {what}"), || async {
            // The coordinator may be away on purpose.
            let Ok(deployment) = self.deployment(number).await else {
                return Ok(None);
            };
            Ok(is(&deployment).then_some(deployment))
        })
        .await;
        match waited {
            Ok(deployment) => Ok(deployment),
            // What stands still is told as it stands: nobody can ask this fleet again.
            Err(error) => Err(error.context(self.stands(number).await)),
        }
    }

    /// A deployment and its jobs, for people who read why a test waited in vain.
    async fn stands(&self, number: i64) -> String {
        match (self.deployment(number).await, self.jobs(number).await) {
            (Ok(deployment), Ok(jobs)) => format!("{deployment:#?}\n{jobs:#?}"),
            (deployment, jobs) => format!("{:?} {:?}", deployment.err(), jobs.err()),
        }
    }

    /// What `current` of a host names: the release's folder.
    pub fn current(&self, host: &str) -> Result<Option<String>> {
        let link = self.sandbox.host(host)?.current("shop");
        Ok(link.and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned())))
    }

    /// The version that a host's web server answers with.
    pub async fn serves(&self, host: &str) -> Result<String> {
        let url = self.sandbox.host(host)?.site("shop")?.url();
        let asked = http::client(None).get(format!("{url}/dist/version"));
        Ok(asked.send().await?.text().await?)
    }

    /// Whether every web host serves this version.
    pub async fn all_serve(&self, version: &str) -> Result<()> {
        for host in self.sandbox.web_hosts() {
            let served = self.serves(host.id()).await?;
            ensure!(
                served == version,
                "{} serves {served:?}, not {version}",
                host.id()
            );
        }
        Ok(())
    }

    /// The jobs of a deployment.
    pub async fn jobs(&self, deployment: i64) -> Result<Vec<Job>> {
        let page: Page<Job> = self
            .api
            .get(&format!("jobs?deployment={deployment}&limit=200"))
            .await?;
        Ok(page.items)
    }

    /// The log of a job, whole.
    pub async fn log(&self, job: i64) -> Result<String> {
        let page = until("the log is whole", || async {
            let page: LogPage = self.api.get(&format!("jobs/{job}/log?limit=10000")).await?;
            Ok(page.complete.then_some(page))
        })
        .await?;
        Ok(page.lines.into_iter().map(|line| line.text + "\n").collect())
    }

    /// The actions of the audit trail, newest first.
    pub async fn audit(&self) -> Result<Vec<pointsman_shared::api::tokens::AuditEntry>> {
        let page: Page<_> = self.api.get("audit?limit=200").await?;
        Ok(page.items)
    }

    /// A folder of the fleet that its processes may write to.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        Ok(self.sandbox.place().folder(name)?)
    }
}

/// A fleet on one PostgreSQL and one RabbitMQ, which all tests of this process share that kill neither.
pub async fn shared() -> Result<Options> {
    static SERVICES: OnceCell<Arc<Services>> = OnceCell::const_new();
    let start = || async { anyhow::Ok(Arc::new(Services::start(None).await?)) };
    let services = SERVICES.get_or_try_init(start).await?;
    Ok(Options {
        services: Some(Arc::clone(services)),
        ..Options::for_testing()
    })
}

/// Waits for something to be there, looking often, with a deadline.
pub async fn until<T, F, Fut>(what: &str, mut look: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let begin = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        ensure!(begin.elapsed() < PATIENCE, "waited {PATIENCE:?} until {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
