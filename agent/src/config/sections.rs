//! The sections of the configuration, each with its defaults and rules.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pointsman_shared::name::{HostId, RootPath};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::SlotCount;
use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;

/// How many switches are announced: there is always a slot for one (protocol.md 4), and each placement has one at a
/// time.
const SWITCHES: u32 = 1000;

/// This host and its folders.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSection {
    /// The host's fixed id; the join token names the same.
    pub host: HostId,
    /// Keys, spools and journal; one agent per folder.
    #[serde(default = "state_dir")]
    pub state_dir: PathBuf,
    /// Checkouts, mirrors and build caches; `work` in the state folder when not set.
    #[serde(default)]
    pub work_dir: Option<PathBuf>,
    /// Folders below which placements may lie.
    #[serde(default = "roots")]
    pub roots: Vec<RootPath>,
    /// The host's own policy; a missing file means its narrow default.
    #[serde(default = "policy_file")]
    pub policy_file: PathBuf,
    /// Who may own the policy file.
    #[serde(default)]
    pub policy_owner: PolicyFileOwner,
    /// How many jobs of each kind run at once.
    #[serde(default)]
    pub slots: Slots,
    /// How long running work may go on after SIGTERM before it is given back, in seconds.
    #[serde(default = "five_minutes")]
    pub drain_grace_s: u64,
}

/// Who may own the policy file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyFileOwner {
    /// Root alone: whoever takes over the agent cannot widen what it may do.
    #[default]
    Root,
    /// Also the agent's own user, for machines without an administrator such as a private test fleet.
    Agent,
}

/// How many jobs of each kind run at once. Switches always have a slot and are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Slots {
    /// Builds.
    pub build: u32,
    /// Installs.
    pub install: u32,
    /// Migrations.
    pub migrate: u32,
    /// Collections of garbage.
    pub collect_garbage: u32,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            build: 1,
            install: 2,
            migrate: 1,
            collect_garbage: 1,
        }
    }
}

impl Slots {
    /// Slots of a kind.
    pub const fn of(&self, kind: JobKind) -> u32 {
        match kind {
            JobKind::Build => self.build,
            JobKind::Install => self.install,
            JobKind::Activate | JobKind::Rollback => SWITCHES,
            JobKind::Migrate => self.migrate,
            JobKind::CollectGarbage => self.collect_garbage,
        }
    }

    /// As a hello tells it.
    pub fn counts(&self, kinds: &[JobKind]) -> Vec<SlotCount> {
        let count = |kind: &JobKind| SlotCount {
            kind: *kind,
            count: self.of(*kind),
        };
        kinds.iter().map(count).collect()
    }
}

impl AgentSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, path) in [
            ("agent.state_dir", Some(&self.state_dir)),
            ("agent.work_dir", self.work_dir.as_ref()),
        ] {
            if let Some(path) = path
                && !path.is_absolute()
            {
                return Err(ConfigError::Invalid {
                    key,
                    rule: format!(
                        "{} is relative; the agent must find it wherever it is started",
                        path.display()
                    ),
                });
            }
        }
        if self.roots.is_empty() {
            return Err(ConfigError::Invalid {
                key: "agent.roots",
                rule: "name at least one folder below which placements may lie, such as \"/srv\"".to_owned(),
            });
        }
        Ok(())
    }

    /// Checkouts, mirrors and build caches.
    pub fn work_dir(&self) -> PathBuf {
        self.work_dir
            .clone()
            .unwrap_or_else(|| self.state_dir.join("work"))
    }

    /// Whether a placement may lie there.
    pub fn allows_root(&self, root: &RootPath) -> bool {
        self.roots
            .iter()
            .any(|prefix| Path::new(root.as_str()).starts_with(prefix.as_str()))
    }

    /// How long running work may go on after SIGTERM.
    pub const fn drain_grace(&self) -> Duration {
        Duration::from_secs(self.drain_grace_s)
    }
}

/// Where the coordinator is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorSection {
    /// Its address, as `https://deploy.example.org`.
    pub url: Url,
    /// Certificates of the CAs to trust instead of the system's, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Plain HTTP off loopback, at your own risk.
    #[serde(default)]
    pub insecure: bool,
}

impl CoordinatorSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let invalid = |rule: String| {
            Err(ConfigError::Invalid {
                key: "coordinator.url",
                rule,
            })
        };
        let local = match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return invalid(format!("{} names no host", self.url)),
        };
        match self.url.scheme() {
            "https" => Ok(()),
            "http" if local || self.insecure => Ok(()),
            "http" => invalid(format!(
                "{} is plain HTTP off this machine and would show secrets to the network; use https, or set \
                 coordinator.insecure = true",
                self.url
            )),
            other => invalid(format!("{other} is not http or https")),
        }
    }
}

/// What differs from the broker address that joining gave.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerSection {
    /// `amqp://...` or `amqps://...` with user and password, instead of the one given at joining.
    #[serde(default)]
    pub url: Option<String>,
    /// A file that holds it.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// Certificates of the CAs to trust instead of the system's, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl BrokerSection {
    pub(super) fn resolve(&mut self) -> Result<(), ConfigError> {
        let Some(file) = &self.url_file else { return Ok(()) };
        let key = "broker.url_file";
        let text = fs_err::read_to_string(file).map_err(|source| ConfigError::Secret { key, source })?;
        self.url = Some(text.trim().to_owned());
        Ok(())
    }
}

/// Repositories.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GitSection {
    /// Whether `file://` repositories are allowed.
    pub allow_file: bool,
    /// Servers that may be reached; empty means all but inner addresses.
    pub hosts: Vec<String>,
    /// Folder of the operator's `operator.gitconfig`, `known_hosts` and `id`; `git` in the state folder when not set.
    pub home: Option<PathBuf>,
    /// The git program.
    pub program: PathBuf,
    /// Longest time for one fetch, in seconds.
    pub timeout_s: u64,
}

impl Default for GitSection {
    fn default() -> Self {
        Self {
            allow_file: false,
            hosts: Vec::new(),
            home: None,
            program: PathBuf::from("git"),
            timeout_s: 600,
        }
    }
}

/// The listener for metrics.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsSection {
    /// Address and port; none = no such listener.
    pub listen: Option<SocketAddr>,
    /// Off loopback, for everybody who can reach it.
    pub insecure: bool,
}

impl MetricsSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.listen {
            Some(listen) if !listen.ip().is_loopback() && !self.insecure => Err(ConfigError::Invalid {
                key: "metrics.listen",
                rule: format!(
                    "{listen} is not loopback and would show this host's roots to everybody who can reach it; set \
                     metrics.insecure = true on a closed network"
                ),
            }),
            Some(_) | None => Ok(()),
        }
    }
}

fn state_dir() -> PathBuf {
    PathBuf::from("/var/lib/pointsman-agent")
}

fn policy_file() -> PathBuf {
    PathBuf::from("/etc/pointsman/policy.toml")
}

fn roots() -> Vec<RootPath> {
    // A literal that follows the rule; an empty list would be refused by `check`.
    "/srv".parse().into_iter().collect()
}

const fn five_minutes() -> u64 {
    300
}
