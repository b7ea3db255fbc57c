//! The sections of the configuration, each with its defaults and rules.

use std::net::SocketAddr;
use std::path::PathBuf;

use pointsman_shared::wire::to_agent::LeaseTimes;
use serde::Deserialize;
use url::Url;

use super::ConfigError;

/// Who this installation is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installation {
    /// Its name, the issuer of signatures; never changed after `init`.
    pub name: String,
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://...`
    #[serde(default)]
    pub url: String,
    /// A file that holds the URL.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// Connections at most.
    #[serde(default = "twenty")]
    pub connections: u32,
}

impl Database {
    pub(super) fn resolve(&mut self) -> Result<(), ConfigError> {
        read_secret("database.url_file", self.url_file.as_ref(), &mut self.url)?;
        if self.url.is_empty() {
            return Err(ConfigError::Invalid {
                key: "database.url",
                rule: "set it, or database.url_file".to_owned(),
            });
        }
        Ok(())
    }
}

/// The broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// `amqp://...` or `amqps://...`; its user needs no configure right.
    #[serde(default)]
    pub url: String,
    /// A file that holds the URL.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// The management API with an administrator's user; used by topology and enrolment only.
    #[serde(default)]
    pub admin_url: Option<Url>,
    /// A file that holds it.
    #[serde(default)]
    pub admin_url_file: Option<PathBuf>,
    /// Certificates of the CAs to trust instead of the system's, PEM; for `url` and `admin_url`.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The broker as agents reach it, when that differs: `amqp://host:port/vhost`, without a user.
    #[serde(default)]
    pub agent_url: Option<Url>,
}

impl Broker {
    pub(super) fn resolve(&mut self) -> Result<(), ConfigError> {
        read_secret("broker.url_file", self.url_file.as_ref(), &mut self.url)?;
        if self.url.is_empty() {
            return Err(ConfigError::Invalid {
                key: "broker.url",
                rule: "set it, or broker.url_file".to_owned(),
            });
        }
        let mut admin = String::new();
        read_secret("broker.admin_url_file", self.admin_url_file.as_ref(), &mut admin)?;
        if !admin.is_empty() {
            let url = admin.parse().map_err(|error| ConfigError::Invalid {
                key: "broker.admin_url_file",
                rule: format!("it does not hold a URL: {error}"),
            })?;
            self.admin_url = Some(url);
        }
        Ok(())
    }
}

/// The HTTP API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The address people and agents use.
    pub public_url: Url,
    /// Certificate chain, PEM.
    #[serde(default)]
    pub tls_cert: Option<PathBuf>,
    /// Private key, PEM.
    #[serde(default)]
    pub tls_key: Option<PathBuf>,
    /// Plain HTTP off loopback, at your own risk.
    #[serde(default)]
    pub insecure: bool,
    /// Whether the page at `/` shows projects, deployments and hosts to everybody who can reach it.
    #[serde(default)]
    pub public_status: bool,
    /// How old a sign-in may be, in seconds, when a page starts a deployment to a project's last environment, runs its
    /// migrations by hand, or changes accounts and tokens; 0 = any age.
    #[serde(default = "fresh_sign_in")]
    pub fresh_sign_in_s: u32,
}

/// Fifteen minutes: a screen that was left open starts nothing in production (ASVS 7.5.3).
const fn fresh_sign_in() -> u32 {
    15 * 60
}

impl Http {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::Invalid {
                key: "http.tls_cert",
                rule: "set http.tls_cert and http.tls_key together".to_owned(),
            });
        }
        if self.tls_cert.is_none() && !self.listen.ip().is_loopback() && !self.insecure {
            return Err(ConfigError::Invalid {
                key: "http.listen",
                rule: format!(
                    "{} is not loopback and would carry tokens in plain text; set http.tls_cert and http.tls_key, or \
                     http.insecure = true behind a proxy that speaks TLS",
                    self.listen
                ),
            });
        }
        Ok(())
    }
}

/// Repositories.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// Where mirrors are kept.
    pub mirrors: PathBuf,
    /// Whether `file://` repositories are allowed.
    #[serde(default)]
    pub allow_file: bool,
    /// The git program.
    #[serde(default = "git_program")]
    pub program: PathBuf,
    /// Longest time for one fetch, in seconds.
    #[serde(default = "fifteen_minutes")]
    pub timeout_s: u64,
    /// Servers that may be reached; empty = all but inner addresses.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Folder of `known_hosts`, `id` and `operator.gitconfig`; the mirrors' folder when absent.
    #[serde(default)]
    pub home: Option<PathBuf>,
}

/// The signing key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// File of the private key, made by `init`.
    pub key_file: PathBuf,
}

/// Secret variables.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsSection {
    /// File of the keys that seal them, made by `init`; the same on every coordinator. None = secrets are refused.
    pub key_file: Option<PathBuf>,
}

/// Times, in milliseconds (protocol.md 5).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// Pause between beats of a working agent, at least.
    pub beat_ms: u64,
    /// Pause between beats of an idle agent.
    pub idle_beat_ms: u64,
    /// How long an epoch lives without a beat.
    pub lease_ms: u64,
    /// How long after its last renewed beat an agent stops its own work.
    pub stop_ms: u64,
    /// Pause between sweeps.
    pub sweep_ms: u64,
    /// How long an offer stands.
    pub offer_ms: u64,
    /// How long a job waits while no seen agent fits.
    pub start_deadline_ms: u64,
    /// Beats a host may miss before it is called unseen.
    pub unseen_beats: u32,
    /// How long a new queue is left alone: a quorum queue whose broker dies right after its declaration comes back
    /// without a leader.
    pub settle_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            beat_ms: 10_000,
            idle_beat_ms: 30_000,
            lease_ms: 45_000,
            stop_ms: 30_000,
            sweep_ms: 5_000,
            offer_ms: 120_000,
            start_deadline_ms: 900_000,
            unseen_beats: 3,
            settle_ms: 5_000,
        }
    }
}

/// Garbage collection; what stays where is a target's own setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GarbageSection {
    /// A host with fewer free bytes keeps only what is always kept.
    pub disk_low_bytes: u64,
}

impl Default for GarbageSection {
    /// 2 GiB.
    fn default() -> Self {
        Self {
            disk_low_bytes: 2 << 30,
        }
    }
}

/// A listener of its own for metrics; the API has them too, for whoever may read.
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
                    "{listen} is not loopback and would show names of projects, environments and hosts to everybody who \
                     can reach it; let Prometheus scrape the API with a token instead, or set metrics.insecure = true on \
                     a closed network"
                ),
            }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Timing {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // An agent must be dead before its job is freed, and must be able to miss a beat without stopping.
        if self.stop_ms >= self.lease_ms || self.beat_ms >= self.stop_ms || self.beat_ms == 0 {
            return Err(ConfigError::Invalid {
                key: "timing",
                rule: format!(
                    "beat_ms ({}) < stop_ms ({}) < lease_ms ({}) must hold",
                    self.beat_ms, self.stop_ms, self.lease_ms
                ),
            });
        }
        Ok(())
    }

    /// How often hosts are heard.
    pub const fn rhythm(&self) -> pointsman_domain::presence::Rhythm {
        pointsman_domain::presence::Rhythm {
            beat_ms: self.beat_ms,
            idle_beat_ms: self.idle_beat_ms,
            unseen_beats: self.unseen_beats,
        }
    }

    /// The times agents keep while `working` of them work: at most 50 beats a second arrive.
    pub fn leases(&self, working: u64) -> LeaseTimes {
        let beat_ms = self.beat_ms.max(working * 1000 / 50);
        let scaled = |ms: u64| ms * beat_ms / self.beat_ms;
        LeaseTimes {
            beat_ms,
            idle_beat_ms: self.idle_beat_ms,
            lease_ms: scaled(self.lease_ms),
            stop_ms: scaled(self.stop_ms),
        }
    }
}

const fn twenty() -> u32 {
    20
}

const fn fifteen_minutes() -> u64 {
    900
}

fn git_program() -> PathBuf {
    PathBuf::from("git")
}

pub(super) fn read_secret(
    key: &'static str,
    file: Option<&PathBuf>,
    into: &mut String,
) -> Result<(), ConfigError> {
    if let Some(file) = file {
        let text = fs_err::read_to_string(file).map_err(|source| ConfigError::Secret { key, source })?;
        text.trim().clone_into(into);
    }
    Ok(())
}
