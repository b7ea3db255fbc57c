//! Recipes that the coordinator keeps, instead of `pointsman.toml` in the repository.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Where a project's recipe comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecipeSource {
    /// `pointsman.toml` of the commit that is built.
    #[default]
    Repository,
    /// The newest revision that the coordinator keeps; the file counts no more.
    Coordinator,
}

impl RecipeSource {
    /// The name used in the database and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Coordinator => "coordinator",
        }
    }
}

/// `GET /api/v1/projects/{project}/recipe`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recipe {
    /// What counts.
    pub from: RecipeSource,
    /// The newest revision that the coordinator keeps.
    pub newest: Option<RecipeRevision>,
}

/// One revision of a recipe; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecipeRevision {
    /// Its number, from 1.
    pub revision: u32,
    /// Its text, in the form of `pointsman.toml`.
    pub body: String,
    /// SHA-256 of its text.
    pub digest: Digest,
    /// Who wrote it.
    pub author: String,
    /// Why, in the author's words.
    #[serde(default)]
    pub note: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// `PUT /api/v1/projects/{project}/recipe`: a new revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRecipe {
    /// Its text, in the form of `pointsman.toml`.
    pub body: String,
    /// The revision that was changed; refused when there is a newer one by now. Absent = whatever is newest.
    #[serde(default)]
    pub base: Option<u32>,
    /// Why, for the history; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `PUT /api/v1/projects/{project}/recipe/source`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UseRecipe {
    /// What counts from now on; releases that are built keep theirs.
    pub from: RecipeSource,
}
