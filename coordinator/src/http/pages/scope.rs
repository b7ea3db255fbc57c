//! A project, or one of its targets, as a field of a form names it: `shop` or `shop@production`.

use std::fmt;

use pointsman_domain::Action;
use pointsman_shared::name::{InvalidName, ProjectName, TargetName};
use pointsman_store::PgConnection;
use serde::Deserialize;

use super::super::problem::Answer;
use super::viewer::Viewer;
use crate::operations::known;

/// What a list is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Scope {
    /// All targets of a project.
    Project(ProjectName),
    /// One target.
    Target(TargetName),
}

impl TryFrom<String> for Scope {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        if text.contains('@') {
            text.parse().map(Self::Target)
        } else {
            text.parse().map(Self::Project)
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(project) => project.fmt(f),
            Self::Target(target) => target.fmt(f),
        }
    }
}

impl Scope {
    /// The project that it is or is of.
    pub(super) const fn project(&self) -> &ProjectName {
        match self {
            Self::Project(project) => project,
            Self::Target(target) => &target.project,
        }
    }

    /// The target, where it is one.
    pub(super) const fn target(&self) -> Option<&TargetName> {
        match self {
            Self::Project(_) => None,
            Self::Target(target) => Some(target),
        }
    }

    /// Its page.
    pub(super) fn page(&self) -> String {
        match self {
            Self::Project(project) => format!("/p/{project}"),
            Self::Target(target) => format!("/t/{target}"),
        }
    }

    /// Refuses one that does not exist, or that this person does not see.
    pub(super) async fn check(&self, viewer: &Viewer, conn: &mut PgConnection) -> Answer<()> {
        let actor = &viewer.caller.actor;
        actor.authorize_in(self.project(), Action::Read, &self.to_string())?;
        match self {
            Self::Project(project) => known::project(conn, project).await.map(|_| ())?,
            Self::Target(target) => known::target(conn, target).await.map(|_| ())?,
        }
        Ok(())
    }
}
