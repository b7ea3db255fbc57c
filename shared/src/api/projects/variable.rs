//! Variables: values that build steps and hosts are given, by scope.

use serde::{Deserialize, Serialize};

use crate::name::{EnvironmentName, HostId, ProjectName, TargetName, VariableName};

/// A variable's scope, from wide to narrow; the narrower one wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VariableScope {
    /// Every target of a project.
    Project(ProjectName),
    /// Every target in an environment.
    Environment(EnvironmentName),
    /// One target.
    Target(TargetName),
    /// One host.
    Host(HostId),
}

/// `PUT /api/v1/variables`, and `[[variable]]` of an applied file. A secret's value is never told again: it is empty in
/// every answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Where it holds.
    pub scope: VariableScope,
    /// Its name.
    pub name: VariableName,
    /// Its value.
    pub value: String,
    /// Whether it is sealed in the database and masked in every log.
    #[serde(default)]
    pub secret: bool,
}

/// `DELETE /api/v1/variables`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VariableRef {
    /// Where it holds.
    pub scope: VariableScope,
    /// Its name.
    pub name: VariableName,
}
