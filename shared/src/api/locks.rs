//! Locks on targets, and the global stop.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::TargetName;

/// A lock that refuses new wishes for a target; without a target it is the global stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lock {
    /// The target; none = everything.
    pub target: Option<TargetName>,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub owner: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// `PUT /api/v1/targets/{target}/lock` and `PUT /api/v1/stop`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewLock {
    /// Why; others will read it when they are refused.
    pub reason: String,
    /// After so many seconds it ends by itself; none = somebody has to release it.
    #[serde(default)]
    pub expires_in_s: Option<u32>,
}
