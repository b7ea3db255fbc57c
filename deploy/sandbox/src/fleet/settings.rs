//! The configuration files of coordinators and agents, written from what the sandbox knows.

use std::net::SocketAddrV4;
use std::path::Path;

use serde_json::{Value, json};

use super::coordinator::Addresses;
use super::ground::Ground;
use crate::error::{Error, Result};

/// How fast a fleet lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// The defaults of the coordinator: what a real installation has.
    #[default]
    Real,
    /// Beats, leases and deadlines of seconds, so that a test sees a lost host or an expired lease soon.
    Quick,
}

/// What a coordinator is told.
#[derive(Debug)]
pub(super) struct CoordinatorSettings<'a> {
    pub(super) ground: &'a Ground,
    pub(super) addresses: &'a Addresses<'a>,
    pub(super) listen: SocketAddrV4,
    pub(super) folder: &'a Path,
}

impl CoordinatorSettings<'_> {
    pub(super) fn to_toml(&self) -> Result<String> {
        let Addresses {
            database,
            broker,
            broker_admin,
        } = self.addresses;
        let mut settings = json!({
            "installation": { "name": "sandbox" },
            "database": { "url": database },
            "broker": { "url": broker, "admin_url": broker_admin },
            "http": {
                "listen": self.listen.to_string(),
                "public_url": format!("{}://{}", self.ground.scheme(), self.listen),
                // It listens on loopback: whoever can ask is on this machine.
                "public_status": true,
            },
            "store": { "directory": self.folder.join("store") },
            "git": git(self.ground),
            "signing": { "key_file": self.folder.join("signing.key") },
            "secrets": { "key_file": self.folder.join("secrets.key") },
        });
        settings["git"]["mirrors"] = json!(self.folder.join("mirrors"));
        if let Some(tls) = &self.ground.tls {
            settings["broker"]["ca_file"] = json!(tls.ca_file);
            settings["http"]["tls_cert"] = json!(tls.certificate);
            settings["http"]["tls_key"] = json!(tls.key);
        }
        if self.ground.pace == Pace::Quick {
            settings["timing"] = json!({
                "beat_ms": 500,
                "idle_beat_ms": 1500,
                "lease_ms": 5000,
                "stop_ms": 3000,
                "sweep_ms": 300,
                "offer_ms": 5000,
                "start_deadline_ms": 10_000,
                // No test kills its broker that soon, and one that does so means it.
                "settle_ms": 100,
            });
        }
        toml_text(&settings)
    }
}

/// How repositories are reached, the same for coordinators and builders.
fn git(ground: &Ground) -> Value {
    json!({
        "allow_file": true,
        "program": ground.git,
        "hosts": ground.git_hosts,
        "home": ground.place.path("git"),
    })
}

/// What an agent is told.
#[derive(Debug)]
pub(super) struct AgentSettings<'a> {
    pub(super) ground: &'a Ground,
    pub(super) host: &'a str,
    pub(super) folder: &'a Path,
    pub(super) coordinator_url: &'a str,
}

impl AgentSettings<'_> {
    pub(super) fn to_toml(&self) -> Result<String> {
        let mut settings = json!({
            "agent": {
                "host": self.host,
                "state_dir": self.folder.join("state"),
                "work_dir": self.folder.join("work"),
                "roots": [self.folder.join("srv")],
                "policy_file": self.folder.join("policy.toml"),
                // The whole sandbox belongs to one user; there is no administrator above it.
                "policy_owner": "agent",
                "drain_grace_s": 10,
            },
            "coordinator": { "url": self.coordinator_url },
            "git": git(self.ground),
        });
        if let Some(tls) = &self.ground.tls {
            settings["coordinator"]["ca_file"] = json!(tls.ca_file);
            settings["broker"] = json!({ "ca_file": tls.ca_file });
        }
        toml_text(&settings)
    }
}

/// The host's own policy: its roots, and builds on builders only.
pub(super) fn policy(folder: &Path, builds: bool, hooks: &[Vec<String>]) -> Result<String> {
    toml_text(&json!({
        "builds": builds,
        "roots": [folder.join("srv/*")],
        "hooks": hooks,
    }))
}

fn toml_text(settings: &Value) -> Result<String> {
    toml::to_string(settings)
        .map_err(|error| Error::Unexpected(format!("settings cannot be written: {error}")))
}
