//! A coordinator with its database, one project with a repository, one target, and agents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use pointsman_coordinator::app::{App, Bells};
use pointsman_coordinator::config::Config;
use pointsman_coordinator::operations::sweep::{self, Reach, Silence};
use pointsman_coordinator::operations::{advance_deployment, apply_document, converge};
use pointsman_coordinator::signatory::LocalSignatory;
use pointsman_coordinator::vault::Vault;
use pointsman_domain::{Actor, ActorKind};
use pointsman_shared::api::projects::{
    Document, NewEnvironment, NewProject, NewTarget, OnFailure, Retention, Strategy, WhenBusy,
};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::clock::{SystemClock, SystemIds};
use pointsman_shared::ids::{InstanceId, PrincipalId};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::Heartbeat;
use pointsman_shared::wire::{SigningKey, VERSION};
use pointsman_store::enrolments::Enrolment;
use pointsman_store::join_tokens::Invitation;
use pointsman_store::placements::PlacementRow;
use pointsman_store::{Store, enrolments, hosts, placements, principals, targets, views};
use tempfile::TempDir;

use super::agent::{Agent, Mishap};
use super::repository::Repository;

/// Everything a test needs.
pub struct World {
    pub app: App,
    pub repository: Repository,
    pub agents: BTreeMap<String, Agent>,
    /// Hosts that fell silent.
    pub away: BTreeSet<String>,
    /// What goes wrong next, by host.
    pub mishaps: BTreeMap<String, Mishap>,
    pub actor: Actor,
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
            rights: RoleName::Admin.into(),
            address: None,
            trace: None,
        };
        let repository = Repository::new();
        for version in ["1.0", "2.0", "3.0"] {
            repository.release(version, &[("index.html", version)]);
        }
        let mut world = Self {
            app,
            repository,
            agents: BTreeMap::new(),
            away: BTreeSet::new(),
            mishaps: BTreeMap::new(),
            actor,
            _folder: folder,
        };
        world.apply(strategy, Retention::default()).await;
        world.join("builder", &[JobKind::Build], &["default"], &[]).await;
        world.start("builder").await;
        for number in 1..=hosts {
            world.join_web(&format!("web-{number}")).await;
            world.start(&format!("web-{number}")).await;
        }
        world
    }

    /// Writes the project and its one target.
    pub async fn apply(&self, strategy: Strategy, retention: Retention) {
        let url = format!("file://{}", self.repository.path().display());
        let document = Document {
            projects: vec![NewProject {
                tickets: None,
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
                retention,
                gates: Vec::new(),
                when_busy: WhenBusy::default(),
                on_push: Vec::new(),
            }],
            variables: Vec::new(),
        };
        apply_document::execute(&self.app, &self.actor, document)
            .await
            .unwrap();
    }

    /// Registers a host that was never started.
    pub async fn join_web(&mut self, host: &str) {
        let kinds = [
            JobKind::Install,
            JobKind::Activate,
            JobKind::Rollback,
            JobKind::Migrate,
            JobKind::CollectGarbage,
        ];
        self.join(host, &kinds, &[], &[("role", "web")]).await;
    }

    /// Registers a host that was never started.
    pub async fn join(&mut self, host: &str, kinds: &[JobKind], pools: &[&str], labels: &[(&str, &str)]) {
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
        self.away.remove(host);
        self.agents.get_mut(host).unwrap().restart(&self.app).await;
    }

    /// Lets a host fall silent, and looks at the jobs that wait for it.
    pub async fn vanish(&mut self, host: &str) {
        self.away.insert(host.to_owned());
        let mut conn = self.app.store.read().await.unwrap();
        let beat = Heartbeat {
            v: VERSION,
            host: host.parse().unwrap(),
            instance: InstanceId(self.app.ids.next()),
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
        sweep::execute(&self.app, Silence::Counts, Reach::All)
            .await
            .unwrap();
    }

    /// What the reconciler does when poked.
    pub async fn reconcile(&self) {
        advance_deployment::advance_all(&self.app).await.unwrap();
        converge::converge_all(&self.app).await.unwrap();
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
        vault: Some(Arc::new(
            Vault::open_or_make(&folder.path().join("secrets.key")).unwrap(),
        )),
        objects: pointsman_coordinator::artifacts::open(&config.store).unwrap(),
        config: Arc::new(config),
        bells: Arc::new(Bells::default()),
        mirrors: Arc::default(),
        causes: Arc::default(),
        metrics: Arc::default(),
    }
}
