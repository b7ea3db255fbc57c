//! Known causes: what a line of a failed log means, and what to do about it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A known cause to add, or what becomes of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCause {
    /// A regular expression that is looked for in each line, whatever its case.
    pub pattern: String,
    /// What it means, in a sentence.
    pub sentence: String,
    /// What to do about it: a sentence, or a command that begins with `pointsman`.
    #[serde(default)]
    pub action: Option<String>,
}

/// A known cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cause {
    /// Its number.
    pub number: i64,
    /// A regular expression that is looked for in each line, whatever its case.
    pub pattern: String,
    /// What it means.
    pub sentence: String,
    /// What to do about it.
    pub action: Option<String>,
    /// Who wrote it; none for those that came with the product.
    pub created_by: Option<String>,
    /// When it was added or changed.
    pub changed_at: DateTime<Utc>,
}
