//! What the neighbour remembers.

use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use pointsman_shared::api::accounts::Account;
use pointsman_shared::api::causes::Cause;
use pointsman_shared::api::deploy_keys::DeployKey;
use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::api::events::Event;
use pointsman_shared::api::fleet::{Finding, Host, Severity};
use pointsman_shared::api::jobs::{Job, JobState, NumberedLine};
use pointsman_shared::api::locks::Lock;
use pointsman_shared::api::notifications::{Channel, Delivery, Rule};
use pointsman_shared::api::projects::{
    Environment, Placement, Project, Retention, Strategy, Target, Variable, WhenBusy,
};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::api::tokens::{AuditChain, AuditEntry, TokenInfo};
use pointsman_shared::clock::{Clock as _, SystemClock};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::logs::LogSource;
use tokio::sync::watch;
use uuid::Uuid;

use super::journey::{Journey, Story};

/// Everything.
#[derive(Default)]
pub struct World {
    pub projects: Vec<Project>,
    pub environments: Vec<Environment>,
    pub targets: Vec<Target>,
    pub variables: Vec<Variable>,
    pub deploy_key: Option<DeployKey>,
    pub releases: Vec<Release>,
    pub deployments: Vec<Deployment>,
    pub journeys: HashMap<i64, Journey>,
    pub jobs: Vec<Job>,
    pub logs: HashMap<(i64, u32), Vec<NumberedLine>>,
    pub hosts: Vec<Host>,
    /// Hosts that may join and have not.
    pub invited: Vec<String>,
    pub tokens: Vec<TokenInfo>,
    pub accounts: Vec<Account>,
    pub audit: Vec<AuditEntry>,
    pub findings: Vec<Finding>,
    pub events: Vec<Event>,
    pub event_count: watch::Sender<usize>,
    /// How the next deployment will go.
    pub story: Story,
    /// Answers to changes by their key.
    pub answered: HashMap<String, (StatusCode, Bytes)>,
    /// So many changes are made but answered with 503.
    pub answers_to_lose: u32,
    /// Why the next build waits at first.
    pub build_waits: Option<String>,
    /// Whether it is restarting.
    pub is_away: bool,
    /// Why wishes are refused.
    pub lock: Option<String>,
    /// What is locked.
    pub locks: Vec<Lock>,
    /// Where notifications go.
    pub channels: Vec<Channel>,
    /// Who is told what.
    pub rules: Vec<Rule>,
    pub causes: Vec<Cause>,
    /// What was sent.
    pub deliveries: Vec<Delivery>,
    /// Whether every migration's effect is known.
    pub settled: bool,
    /// What the chain over the audit trail is found to be.
    pub chain: Option<AuditChain>,
    /// Version of the coordinator, when it is not the command's.
    pub version: Option<String>,
}

/// Recently, in the middle of a minute: the age that is shown does not depend on how busy the machine is.
pub const JUST_NOW: i64 = 150;

/// So long ago, by the real clock, because ages are shown.
pub fn ago(seconds: i64) -> DateTime<Utc> {
    SystemClock.now() - TimeDelta::seconds(seconds)
}

/// Any name or label.
pub fn name<T>(text: &str) -> T
where
    T: std::str::FromStr,
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

impl World {
    /// The world most tests begin with.
    pub fn shop() -> Self {
        let mut world = Self {
            causes: super::causes::at_first(),
            ..Self::default()
        };
        world.projects.push(Project {
            name: name("shop"),
            repository: "https://git.example/shop".to_owned(),
            subdirectory: None,
            pool: name("default"),
            tickets: None,
            created_at: ago(90 * 86_400),
        });
        for (environment, position) in [("beta", 0), ("production", 1)] {
            world.environments.push(Environment {
                name: name(environment),
                position,
            });
        }
        world.add_release(
            41,
            "1.9.0",
            "3f9c1e20ab12ffee",
            "Fix the rounding of VAT",
            &["shop@production"],
        );
        world.add_release(
            42,
            "1.9.1",
            "b77d01aa00112233",
            "Add an index for orders, so that the list of a customer with many of them opens at once",
            &[],
        );
        for host in ["web1", "web2", "web3"] {
            world.add_host(host);
        }
        world.add_target("shop@production", Some("1.9.0"), &["web1", "web2", "web3"]);
        world.add_target("shop@beta", None, &["web1"]);
        world.findings.push(Finding {
            severity: Severity::Ok,
            text: "database 15.18, migrations current".to_owned(),
            cure: None,
        });
        world
    }

    pub fn add_release(
        &mut self,
        number: u32,
        label: &str,
        commit: &str,
        subject: &str,
        live_on: &[&str],
    ) -> &mut Release {
        self.releases.push(Release {
            id: Uuid::nil().into(),
            project: name("shop"),
            number,
            label: name(label),
            reference: label.to_owned(),
            commit: commit.to_owned(),
            subject: subject.to_owned(),
            author: "Ana".to_owned(),
            state: ReleaseState::Built,
            digest: None,
            folder: None,
            total_bytes: Some(41_000_000),
            entries: Some(1_204),
            failure: None,
            has_recipe: true,
            job: Some(i64::from(number) + 8_000),
            marks: Vec::new(),
            live_on: live_on.iter().map(|target| name(target)).collect(),
            requested_by: "lucy".to_owned(),
            created_at: ago(7_300),
            built_at: Some(ago(7_200)),
        });
        self.releases.last_mut().unwrap()
    }

    pub fn add_host(&mut self, id: &str) -> &mut Host {
        self.hosts.push(Host {
            id: name(id),
            display_name: id.to_owned(),
            labels: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
            pools: Vec::new(),
            kinds: vec![JobKind::Install, JobKind::Activate, JobKind::Rollback],
            seen: true,
            late: false,
            stopped_at: None,
            paused: None,
            last_seen_at: Some(ago(JUST_NOW)),
            software: Some("0.1.0".to_owned()),
            running: 0,
            free_bytes: Some(52_000_000_000),
            total_bytes: None,
            clock_offset_ms: None,
            answer_ms: None,
            answered_at: None,
            facts: BTreeMap::new(),
            joined_at: Some(ago(864_000)),
            revoked_at: None,
            problems: Vec::new(),
        });
        self.hosts.last_mut().unwrap()
    }

    pub fn add_target(&mut self, target: &str, live: Option<&str>, hosts: &[&str]) -> &mut Target {
        let label = live.map(name);
        let placements = hosts.iter().map(|host| Placement {
            host: name(host),
            root: name("/srv/shop"),
            desired: label.clone(),
            attempted: label.clone(),
            confirmed: label.clone(),
            current: None,
            generation: 7,
            fence_generation: Some(7),
            health: if live.is_some() { "healthy" } else { "unknown" }.to_owned(),
            drift: None,
            seen: true,
            late: false,
            stopped: false,
            last_seen_at: Some(ago(JUST_NOW)),
        });
        self.targets.push(Target {
            name: name(target),
            hosts: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
            root: name("/srv/shop"),
            strategy: Strategy::default(),
            retention: Retention::default(),
            gates: Vec::new(),
            when_busy: WhenBusy::default(),
            on_push: Vec::new(),
            push_pauses: Vec::new(),
            desired: label.clone(),
            open_deployment: None,
            paused: false,
            placements: placements.collect(),
        });
        self.targets.last_mut().unwrap()
    }

    /// Tells the listeners.
    pub fn tell(&mut self, kind: &str, deployment: Option<&Deployment>, message: &str) {
        self.events.push(Event {
            cursor: i64::try_from(self.events.len()).unwrap() + 1,
            at: ago(JUST_NOW),
            kind: kind.to_owned(),
            project: Some("shop".to_owned()),
            target: deployment.map(|deployment| deployment.target.to_string()),
            deployment: deployment.map(|deployment| deployment.number),
            job: None,
            host: None,
            message: message.to_owned(),
        });
        self.event_count.send_replace(self.events.len());
    }
}

/// The `step`th second after noon, when logs are written.
fn noon(step: i64) -> DateTime<Utc> {
    let noon: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
    noon + TimeDelta::seconds(step)
}

impl World {
    pub fn add_job(&mut self, number: i64, kind: JobKind, host: &str, deployment: Option<i64>) -> &mut Job {
        self.jobs.push(Job {
            id: Uuid::nil().into(),
            number,
            kind,
            state: JobState::Running,
            project: name("shop"),
            target: deployment.map(|_| name("shop@production")),
            release: Some(name("1.9.1")),
            deployment,
            host: Some(name(host)),
            epoch: 1,
            reason: None,
            code: None,
            created_at: ago(JUST_NOW),
            started_at: Some(ago(JUST_NOW)),
            ended_at: None,
            steps: Vec::new(),
        });
        self.jobs.last_mut().unwrap()
    }

    /// Appends to a job's log: (second after noon, text).
    pub fn write_log(&mut self, job: i64, lines: &[(i64, &str)]) {
        let log = self.logs.entry((job, 1)).or_default();
        for (step, text) in lines {
            log.push(NumberedLine {
                line: u64::try_from(log.len()).unwrap() + 1,
                at: noon(*step),
                stage: "switch".to_owned(),
                source: LogSource::Out,
                text: (*text).to_owned(),
                gap: 0,
            });
        }
    }
}
