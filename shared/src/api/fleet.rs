//! Hosts, their join tokens, and what `doctor` finds.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::{HostId, PoolName};
use crate::outcome::JobKind;

/// A host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// Name for display.
    pub display_name: String,
    /// Labels the coordinator gave it.
    pub labels: BTreeMap<String, String>,
    /// Pools it takes jobs from.
    pub pools: Vec<PoolName>,
    /// Kinds it may be offered.
    pub kinds: Vec<JobKind>,
    /// Whether it is seen: heard within three of its own beats.
    pub seen: bool,
    /// Whether it is seen and missed more than two of its own beats.
    #[serde(default)]
    pub late: bool,
    /// When its agent said that it ends.
    #[serde(default)]
    pub stopped_at: Option<DateTime<Utc>>,
    /// Whether somebody paused it: it gets nothing new and finishes what it does.
    #[serde(default)]
    pub paused: Option<HostPause>,
    /// When it was last heard.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Software version.
    pub software: Option<String>,
    /// Jobs it works on.
    pub running: u32,
    /// Free bytes of its fullest root, as last reported.
    pub free_bytes: Option<u64>,
    /// All bytes of that filesystem; none where its agent is too old to say it.
    #[serde(default)]
    pub total_bytes: Option<u64>,
    /// Its clock less the coordinator's, in milliseconds, as last heard; the way there counts as well.
    #[serde(default)]
    pub clock_offset_ms: Option<i64>,
    /// How long it took from the newest offer of a job of its own to its claim, in milliseconds; what the coordinator and
    /// the broker took counts as well.
    #[serde(default)]
    pub answer_ms: Option<u32>,
    /// When it claimed that job.
    #[serde(default)]
    pub answered_at: Option<DateTime<Utc>>,
    /// Facts for display.
    pub facts: BTreeMap<String, String>,
    /// When it joined.
    pub joined_at: Option<DateTime<Utc>>,
    /// When its key was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// What is wrong with it, for people.
    pub problems: Vec<String>,
}

/// That a host gets nothing new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostPause {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// `PUT /api/v1/hosts/{host}/pause`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewHostPause {
    /// Why; shown wherever somebody asks why nothing happens there.
    pub reason: String,
}

/// `POST /api/v1/join-tokens`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewJoinToken {
    /// The host it lets join, once.
    pub host: HostId,
    /// Labels the host gets.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Pools it takes jobs from.
    #[serde(default)]
    pub pools: Vec<PoolName>,
    /// Kinds it may be offered; without pools everything but builds, with pools builds too, when empty.
    #[serde(default)]
    pub kinds: Vec<JobKind>,
    /// How long it is valid, in seconds; 900 when absent.
    #[serde(default)]
    pub ttl_seconds: Option<u32>,
}

/// A join token, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinToken {
    /// `pmj_...`; carries the fingerprint of the coordinator's key.
    pub token: String,
    /// The host it lets join.
    pub host: HostId,
    /// When it is void.
    pub expires_at: DateTime<Utc>,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warn,
    /// Broken.
    Fail,
}

/// One finding of `GET /api/v1/doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// How grave.
    pub severity: Severity,
    /// What was looked at, and what was found.
    pub text: String,
    /// What to do.
    pub cure: Option<String>,
}
