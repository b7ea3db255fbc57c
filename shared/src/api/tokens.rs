//! API tokens and the audit trail.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::name::ProjectName;

/// What a principal may do; each includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    /// Nothing; of an account or token that has roles in single projects.
    None,
    /// Read everything.
    Viewer,
    /// Build, deploy, roll back, cancel.
    Deployer,
    /// Projects, targets, variables, hosts.
    Maintainer,
    /// Tokens, environments, everything.
    Admin,
}

impl RoleName {
    /// The name used in the database and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Viewer => "viewer",
            Self::Deployer => "deployer",
            Self::Maintainer => "maintainer",
            Self::Admin => "admin",
        }
    }
}

/// Roles in words, such as `viewer, maintainer of shop`.
pub fn in_words(role: RoleName, projects: &BTreeMap<ProjectName, RoleName>) -> String {
    let of = projects
        .iter()
        .map(|(project, role)| format!(", {} of {project}", role.as_str()));
    format!("{}{}", role.as_str(), of.collect::<String>())
}

/// `POST /api/v1/tokens`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Name for the audit trail.
    pub name: String,
    /// What it may do everywhere; `none` when it has roles in projects alone.
    pub role: RoleName,
    /// What more it may do in single projects: viewer, deployer or maintainer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<ProjectName, RoleName>,
    /// How long it is valid, in days; 90 when absent, 90 at most; 365 where it only reads (viewer).
    #[serde(default)]
    pub days: Option<u32>,
}

/// A token as shown once, at its creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedToken {
    /// `pmn_<id>_<secret>`
    pub token: String,
    /// What lists show of it.
    pub info: TokenInfo,
}

/// A token as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenInfo {
    /// Its public part.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may do everywhere.
    pub role: RoleName,
    /// What more it may do in single projects.
    #[serde(default)]
    pub projects: BTreeMap<ProjectName, RoleName>,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// When it is void.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// `GET /api/v1/whoami`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WhoAmI {
    /// Name of the principal.
    pub name: String,
    /// Its kind: `user`, `token`, ...
    pub kind: String,
    /// What it may do everywhere.
    pub role: RoleName,
    /// What more it may do in single projects.
    #[serde(default)]
    pub projects: BTreeMap<ProjectName, RoleName>,
    /// The installation that answers.
    pub installation: String,
    /// Version of the coordinator.
    pub version: String,
    /// The coordinator's clock.
    pub at: DateTime<Utc>,
}

/// `GET /api/v1/audit/chain`: every row of the audit trail recomputed against the chain of hashes over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditChain {
    /// Rows that are chained.
    pub length: u64,
    /// Hash of the last one. Kept elsewhere together with the length, it shows whether the end was cut off.
    pub head: Option<Digest>,
    /// Rows that wait for the chainer.
    pub unchained: u64,
    /// The first row that is not what was chained.
    pub broken: Option<BrokenLink>,
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BrokenLink {
    /// Number of the act.
    pub number: i64,
    /// Its place in the chain, from 1.
    pub position: u64,
    /// What does not fit.
    pub what: String,
}

/// One row of `GET /api/v1/audit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// As what they came: `user`, `token`, `agent`, `schedule` or `system`.
    #[serde(default)]
    pub kind: String,
    /// From where.
    pub address: Option<String>,
    /// What, such as `deployment.request`.
    pub action: String,
    /// On what, such as `shop@production`.
    pub object: String,
    /// `done` or `refused`.
    pub result: String,
    /// More of it.
    pub detail: serde_json::Value,
}
