//! A coordinator with its database, one project with a repository, one target, and agents.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use pointsman_coordinator::app::{App, Bells};
use pointsman_coordinator::config::Config;
use pointsman_coordinator::error::{OperationError, OperationResult};
use pointsman_coordinator::operations::request_build::{self, BuildWish};
use pointsman_coordinator::operations::sweep::{self, Reach, Silence};
use pointsman_coordinator::operations::{
    advance_deployment, apply_document, cancel_deployment, converge, decide_deployment, request_deployment,
    request_rollback,
};
use pointsman_coordinator::signatory::LocalSignatory;
use pointsman_domain::{Actor, ActorKind, Refusal};
use pointsman_shared::api::deployments::{Decision, DecisionRequest, Deployment, NewDeployment, NewRollback};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::projects::{Document, NewEnvironment, NewProject, NewTarget, OnFailure, Strategy};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::clock::{SystemClock, SystemIds};
use pointsman_shared::ids::{InstanceId, PrincipalId};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::Heartbeat;
use pointsman_shared::wire::{SigningKey, VERSION};
use pointsman_store::enrolments::Enrolment;
use pointsman_store::jobs::JobRow;
use pointsman_store::join_tokens::Invitation;
use pointsman_store::placements::PlacementRow;
use pointsman_store::{Store, enrolments, hosts, jobs, placements, principals, targets, views};
use tempfile::TempDir;

use super::agent::{Agent, Mishap};
use super::repository::Repository;

/// Everything a test needs.
pub struct World {
    pub app: App,
    pub repository: Repository,
    pub agents: BTreeMap<String, Agent>,
    /// What goes wrong next, by host.
    pub mishaps: BTreeMap<String, Mishap>,
    actor: Actor,
    _folder: TempDir,
}

/// Waves and what a failure means.
pub fn strategy(waves: &[&str], on_failure: OnFailure) -> Strategy {
    let waves = waves.iter().map(|wave| (*wave).to_owned()).collect();
    Strategy {
        waves,
        on_failure,
        ..Strategy::default()
    }
}

impl World {
    /// A builder, `hosts` web hosts that said hello, and the versions 1.0, 2.0 and 3.0 in the repository.
    pub async fn new(store: Store, hosts: usize, strategy: Strategy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = app(store, &folder);
        let mut conn = app.store.read().await.unwrap();
        let fresh = PrincipalId(app.ids.next());
        let principal = principals::ensure(&mut conn, fresh, ActorKind::Token, "ann", app.clock.now())
            .await
            .unwrap();
        drop(conn);
        let actor = Actor {
            principal,
            kind: ActorKind::Token,
            name: "ann".to_owned(),
            role: RoleName::Admin,
            address: None,
        };
        let repository = Repository::new();
        for version in ["1.0", "2.0", "3.0"] {
            repository.release(version, &[("index.html", version)]);
        }
        let mut world = Self {
            app,
            repository,
            agents: BTreeMap::new(),
            mishaps: BTreeMap::new(),
            actor,
            _folder: folder,
        };
        world.apply(strategy).await;
        world.join("builder", &[JobKind::Build], &["default"], &[]).await;
        world.start("builder").await;
        for number in 1..=hosts {
            world.join_web(&format!("web-{number}")).await;
            world.start(&format!("web-{number}")).await;
        }
        world
    }

    async fn apply(&self, strategy: Strategy) {
        let url = format!("file://{}", self.repository.path().display());
        let document = Document {
            projects: vec![NewProject {
                name: "shop".parse().unwrap(),
                repository: url.parse().unwrap(),
                subdirectory: None,
                pool: None,
            }],
            environments: vec![NewEnvironment {
                name: "production".parse().unwrap(),
                position: 0,
            }],
            targets: vec![NewTarget {
                project: "shop".parse().unwrap(),
                environment: "production".parse().unwrap(),
                hosts: [("role".to_owned(), "web".to_owned())].into(),
                root: Some("/srv/shop".parse().unwrap()),
                strategy,
            }],
            variables: Vec::new(),
        };
        apply_document::execute(&self.app, &self.actor, document)
            .await
            .unwrap();
    }

    /// Registers a host that was never started.
    pub async fn join_web(&mut self, host: &str) {
        let kinds = [JobKind::Install, JobKind::Activate, JobKind::Rollback];
        self.join(host, &kinds, &[], &[("role", "web")]).await;
    }

    async fn join(&mut self, host: &str, kinds: &[JobKind], pools: &[&str], labels: &[(&str, &str)]) {
        let app = &self.app;
        let mut tx = app.store.begin().await.unwrap();
        let fresh = PrincipalId(app.ids.next());
        let principal = principals::ensure(&mut tx, fresh, ActorKind::Agent, host, app.clock.now())
            .await
            .unwrap();
        let mut seed = [0; 32];
        seed[..host.len()].copy_from_slice(host.as_bytes());
        let invitation = Invitation {
            host: host.parse().unwrap(),
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            pools: pools.iter().map(|pool| pool.parse().unwrap()).collect(),
            kinds: kinds.to_vec(),
        };
        let enrolment = Enrolment {
            invitation: &invitation,
            principal,
            key: &SigningKey::from_seed(&seed).public(),
            password_hash: "none",
            at: app.clock.now(),
        };
        enrolments::enrol(&mut tx, &enrolment).await.unwrap();
        tx.commit().await.unwrap();
        self.agents.insert(host.to_owned(), Agent::new(&self.app, host));
    }

    /// Starts a host's agent, or starts it again.
    pub async fn start(&mut self, host: &str) {
        self.agents.get_mut(host).unwrap().restart(&self.app).await;
    }

    /// Lets a host's silence count, and looks at the jobs that wait for it.
    pub async fn vanish(&self, host: &str) {
        let mut conn = self.app.store.read().await.unwrap();
        let id = host.parse().unwrap();
        let instance = hosts::get(&mut conn, &id).await.unwrap().unwrap().instance;
        let beat = Heartbeat {
            v: VERSION,
            host: id,
            instance: instance.unwrap_or(InstanceId(self.app.ids.next())),
            beat: 1_000_000,
            working: Vec::new(),
            state_digest: pointsman_shared::digest::Digest::of(b"none"),
            free_bytes: 0,
            at: 0,
        };
        hosts::heard(&mut conn, &beat, 0, self.app.clock.now() - TimeDelta::hours(1))
            .await
            .unwrap();
        drop(conn);
        self.sweep().await;
    }

    /// What the sweep does every few seconds.
    pub async fn sweep(&self) {
        sweep::execute(&self.app, Silence::Counts, Reach::All).await.unwrap();
    }

    /// What the reconciler does when poked.
    pub async fn reconcile(&self) {
        advance_deployment::advance_all(&self.app).await.unwrap();
        converge::converge_all(&self.app).await.unwrap();
    }

    /// A build that was asked for.
    pub async fn build(&self, reference: &str) -> OperationResult<Release> {
        let wish = BuildWish {
            project: "shop".parse().unwrap(),
            reference: Some(reference.to_owned()),
        };
        let id = request_build::execute(&self.app, &self.actor, &wish).await?;
        let mut conn = self.app.store.read().await.unwrap();
        Ok(views::releases::one(&mut conn, id).await.unwrap().unwrap())
    }

    /// A release that is built.
    pub async fn built(&mut self, reference: &str) -> Release {
        let release = self.build(reference).await.unwrap();
        self.run_host("builder").await;
        let mut conn = self.app.store.read().await.unwrap();
        let release = views::releases::one(&mut conn, release.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(release.state, ReleaseState::Built);
        release
    }

    /// A deployment that was asked for.
    pub async fn deploy(&self, release: &str) -> OperationResult<Deployment> {
        self.deploy_with(release, |_| {}).await
    }

    /// The same, with more said about it.
    pub async fn deploy_with(
        &self,
        release: &str,
        more: impl FnOnce(&mut NewDeployment),
    ) -> OperationResult<Deployment> {
        let mut wish = NewDeployment {
            target: "shop@production".parse().unwrap(),
            release: release.to_owned(),
            build: false,
            waves: None,
            on_failure: None,
            reason: None,
        };
        more(&mut wish);
        let number = request_deployment::execute(&self.app, &self.actor, &wish).await?;
        Ok(self.deployment(number).await)
    }

    /// A rollback that was asked for.
    pub async fn roll_back(&self, release: Option<&str>) -> OperationResult<Deployment> {
        let wish = NewRollback {
            target: "shop@production".parse().unwrap(),
            release: release.map(str::to_owned),
            reason: None,
        };
        let number = request_rollback::execute(&self.app, &self.actor, &wish).await?;
        Ok(self.deployment(number).await)
    }

    /// Cancels a deployment.
    pub async fn cancel(&self, number: i64) -> OperationResult<Deployment> {
        cancel_deployment::execute(&self.app, &self.actor, number, None).await?;
        Ok(self.deployment(number).await)
    }

    /// Decides about a deployment that holds.
    pub async fn decide(&self, number: i64, decision: Decision) -> OperationResult<Deployment> {
        let request = DecisionRequest {
            decision,
            reason: None,
        };
        decide_deployment::execute(&self.app, &self.actor, number, &request).await?;
        Ok(self.deployment(number).await)
    }

    /// The deployment as people see it.
    pub async fn deployment(&self, number: i64) -> Deployment {
        let mut conn = self.app.store.read().await.unwrap();
        views::deployments::one(&mut conn, number).await.unwrap().unwrap()
    }

    /// What is offered to a host right now.
    pub async fn offered(&self, host: &str) -> Vec<JobRow> {
        let mut conn = self.app.store.read().await.unwrap();
        let wanted = views::jobs::Wanted {
            state: Some(JobState::Offered),
            deployment: None,
            before: None,
        };
        let mut offered = Vec::new();
        for job in views::jobs::page(&mut conn, wanted, 100).await.unwrap() {
            let job = jobs::get(&mut conn, job.id).await.unwrap().unwrap();
            let mine = job.host().map_or(host == "builder", |id| id.as_str() == host);
            offered.extend(mine.then_some(job));
        }
        offered
    }

    /// The one job that is offered to a host.
    pub async fn offer(&self, host: &str) -> JobRow {
        let mut offered = self.offered(host).await;
        assert_eq!(offered.len(), 1, "one offer to {host}: {offered:?}");
        offered.remove(0)
    }

    /// A host claims its one offer and does not report yet.
    pub async fn begin(&self, host: &str) -> JobRow {
        let job = self.offer(host).await;
        assert!(
            self.agents[host].claim(&self.app, &job).await,
            "{host} is granted its job"
        );
        job
    }

    /// A host ends what it began.
    pub async fn finish(&mut self, host: &str, job: &JobRow) {
        let mishap = self.mishaps.remove(host);
        self.agents
            .get_mut(host)
            .unwrap()
            .work(&self.app, job, mishap)
            .await;
        self.reconcile().await;
    }

    /// A host does everything that is offered to it.
    pub async fn run_host(&mut self, host: &str) {
        for job in self.offered(host).await {
            if self.agents[host].claim(&self.app, &job).await {
                let mishap = self.mishaps.remove(host);
                self.agents
                    .get_mut(host)
                    .unwrap()
                    .work(&self.app, &job, mishap)
                    .await;
            }
        }
    }

    /// Every host does what it is offered, until nobody is offered anything.
    pub async fn run(&mut self) {
        for _ in 0..30 {
            self.reconcile().await;
            let hosts: Vec<_> = self.agents.keys().cloned().collect();
            let mut idle = true;
            for host in hosts {
                idle &= self.offered(&host).await.is_empty();
                self.run_host(&host).await;
            }
            if idle {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Deploys a release and expects it live.
    pub async fn live(&mut self, release: &str) -> Deployment {
        let number = self.deploy(release).await.unwrap().number;
        self.run().await;
        let deployment = self.deployment(number).await;
        assert_eq!(deployment.summary, "live", "{deployment:?}");
        deployment
    }

    /// Deploys a release and expects it live on every host that is there.
    pub async fn live_with_deferred(&mut self, release: &str) {
        let number = self.deploy(release).await.unwrap().number;
        self.run().await;
        assert!(self.deployment(number).await.summary.contains("deferred"));
    }

    /// Versions that hosts have live, by what their links name.
    pub async fn links(&self) -> Vec<String> {
        let mut conn = self.app.store.read().await.unwrap();
        let releases = views::releases::page(&mut conn, &"shop".parse().unwrap(), None, 100)
            .await
            .unwrap();
        let web = self
            .agents
            .values()
            .filter(|agent| agent.host.as_str() != "builder");
        web.map(|agent| {
            let named = releases
                .iter()
                .find(|release| release.folder.is_some() && release.folder == agent.root.current);
            named.map_or_else(|| "nothing".to_owned(), |release| release.label.to_string())
        })
        .collect()
    }

    /// The placement of a host.
    pub async fn placement(&self, host: &str) -> PlacementRow {
        let mut conn = self.app.store.read().await.unwrap();
        let of_host = placements::of_host(&mut conn, &host.parse().unwrap())
            .await
            .unwrap();
        of_host.into_iter().next().unwrap()
    }

    /// The label of the release that should be live.
    pub async fn desired(&self) -> Option<String> {
        let mut conn = self.app.store.read().await.unwrap();
        let target = targets::find(&mut conn, &"shop@production".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        let id = target.desired?;
        Some(
            views::releases::one(&mut conn, id)
                .await
                .unwrap()
                .unwrap()
                .label
                .to_string(),
        )
    }
}

/// The refusal that was expected.
pub fn refused<T: std::fmt::Debug>(outcome: OperationResult<T>) -> Refusal {
    match outcome {
        Err(OperationError::Refused(refusal)) => refusal,
        other => panic!("a refusal was expected, not {other:?}"),
    }
}

fn app(store: Store, folder: &TempDir) -> App {
    let inside = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        r#"
        installation.name = "test"
        database.url = "none"
        broker.url = "none"
        http = {{ listen = "127.0.0.1:0", public_url = "http://127.0.0.1" }}
        store.directory = "{}"
        git = {{ mirrors = "{}", allow_file = true, timeout_s = 30 }}
        signing.key_file = "{}"
        "#,
        inside("objects"),
        inside("mirrors"),
        inside("key"),
    );
    let config: Config = toml::from_str(&config).unwrap();
    App {
        store,
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        signatory: Arc::new(LocalSignatory::new(SigningKey::from_seed(&[7; 32]))),
        objects: Arc::new(object_store::memory::InMemory::new()),
        config: Arc::new(config),
        bells: Arc::new(Bells::default()),
    }
}
