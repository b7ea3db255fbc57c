//! Accounts of people who sign in to the dashboard.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::tokens::RoleName;
use crate::name::ProjectName;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// Its name, by which it signs in.
    pub name: String,
    /// What it may do everywhere.
    pub role: RoleName,
    /// What more it may do in single projects.
    #[serde(default)]
    pub projects: BTreeMap<ProjectName, RoleName>,
    /// Since when it exists.
    pub created_at: DateTime<Utc>,
    /// Since when it may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When a browser of its was last seen.
    pub seen_at: Option<DateTime<Utc>>,
}

/// Wish for an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// The account's name; none = the guest chooses it.
    #[serde(default)]
    pub name: Option<String>,
    /// What it may do everywhere; `none` when it has roles in projects alone.
    pub role: RoleName,
    /// What more it may do in single projects: viewer, deployer or maintainer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<ProjectName, RoleName>,
}

/// An invitation, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// Where the guest makes the account; the secret is in it.
    pub url: String,
    /// What the account may do everywhere.
    pub role: RoleName,
    /// What more it may do in single projects.
    #[serde(default)]
    pub projects: BTreeMap<ProjectName, RoleName>,
    /// When it is void.
    pub expires_at: DateTime<Utc>,
}

/// Change of an account; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AccountChange {
    /// Its new role everywhere.
    pub role: Option<RoleName>,
    /// New roles in single projects: viewer, deployer or maintainer; `none` takes the one in that project away.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<ProjectName, RoleName>,
    /// Whether it is kept from signing in; its sessions end with it.
    pub disabled: Option<bool>,
}
