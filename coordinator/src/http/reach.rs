//! What a request is about: the project that its path names, directly or by the number of something of it. So the guard
//! knows which of a caller's roles counts before a handler sees anything, and what somebody may not see is answered like
//! what does not exist. A route that says nothing asks for the role that counts everywhere.

use axum::RequestExt as _;
use axum::extract::{RawPathParams, Request};
use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::digest::Digest;
use pointsman_shared::name::{ProjectName, TargetName};
use pointsman_store::views;

use super::problem::Answer;
use crate::app::App;

/// How far a route reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The installation as a whole.
    Everything,
    /// The project that the path names.
    Project,
    /// The project of the target that the path names.
    Target,
    /// The project of the deployment with the path's number.
    Deployment,
    /// The project of the job with the path's number.
    Job,
    /// The project of the push with the path's number.
    Push,
    /// The project of the plan with the path's hash.
    Plan,
    /// Several projects, or one that the body names: whoever has the role in any may come in, the operation judges the
    /// project, and lists show what may be seen.
    Each,
    /// The caller's own matters: whoever is known may come in.
    Own,
}

impl Reach {
    /// Its name, for documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Project | Self::Target | Self::Deployment | Self::Job | Self::Push | Self::Plan => {
                "the project of what the path names"
            }
            Self::Each => "each project that it is about",
            Self::Own => "one's own",
        }
    }

    /// How far a path reaches by what it names.
    pub(super) fn of(path: &str) -> Self {
        let after = |prefix: &str| {
            let rest = path.strip_prefix("/api/v1").unwrap_or(path).strip_prefix(prefix);
            rest.is_some_and(|rest| rest.starts_with("/{"))
        };
        if path.contains("{project}") {
            Self::Project
        } else if path.contains("{target}") {
            Self::Target
        } else if after("/deployments") || after("/d") {
            Self::Deployment
        } else if after("/jobs") {
            Self::Job
        } else if after("/pushes") {
            Self::Push
        } else if after("/plans") {
            Self::Plan
        } else {
            Self::Everything
        }
    }

    /// What a request to such a route is about.
    pub(super) async fn subject(self, app: &App, request: &mut Request) -> Answer<Subject> {
        let place = match self {
            Self::Everything => return Ok(Subject::Everything),
            Self::Each => return Ok(Subject::Each),
            Self::Own => return Ok(Subject::Own),
            Self::Project => "project",
            Self::Target => "target",
            Self::Deployment | Self::Job | Self::Push => "number",
            Self::Plan => "hash",
        };
        let named = request.extract_parts::<RawPathParams>().await.ok();
        let named = named.and_then(|named| {
            let found = named.iter().find(|(name, _)| *name == place);
            found.map(|(_, value)| value.to_owned())
        });
        let Some(named) = named else {
            return Ok(Subject::Unknown);
        };
        // A number or hash that cannot be read is of nothing; the handler says what is wrong with it.
        let number = named.parse::<i64>().unwrap_or_default();
        let mut conn = app.store.read().await?;
        let project = match self {
            Self::Project => named.parse::<ProjectName>().ok(),
            Self::Target => named.parse::<TargetName>().ok().map(|target| target.project),
            Self::Deployment => views::reach::of_deployment(&mut conn, number).await?,
            Self::Job => views::reach::of_job(&mut conn, number).await?,
            Self::Push => views::reach::of_push(&mut conn, number).await?,
            Self::Plan => match named.parse::<Digest>() {
                Ok(hash) => views::reach::of_plan(&mut conn, &hash).await?,
                Err(_) => None,
            },
            Self::Everything | Self::Each | Self::Own => None,
        };
        Ok(project.map_or(Subject::Unknown, Subject::Project))
    }
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// The installation as a whole.
    Everything,
    /// A project, whether it exists or not.
    Project(ProjectName),
    /// Something that does not exist.
    Unknown,
    /// What the handler finds.
    Each,
    /// The caller.
    Own,
}

impl Subject {
    /// Whether somebody may do `action` about it.
    pub(super) fn judge(&self, actor: &Actor, action: Action, path: &str) -> Result<(), Refusal> {
        match self {
            Self::Own => return Ok(()),
            Self::Each => actor.authorize_somewhere(action, path)?,
            Self::Project(project) => actor.authorize_in(project, action, path)?,
            // Whoever sees everything is told by the handler what does not exist.
            Self::Unknown if actor.rights.sight().is_some() => return Err(pointsman_domain::hidden(path)),
            Self::Everything | Self::Unknown => actor.authorize(action, path)?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_what_it_is_about() {
        for (path, reach) in [
            ("/api/v1/projects/{project}/recipe", Reach::Project),
            ("/r/{project}/{release}", Reach::Project),
            ("/api/v1/targets/{target}/lock", Reach::Target),
            ("/d/{number}/retry", Reach::Deployment),
            ("/api/v1/deployments/{number}", Reach::Deployment),
            ("/jobs/{number}/raw", Reach::Job),
            ("/api/v1/pushes/{number}/repeat", Reach::Push),
            ("/plans/{hash}", Reach::Plan),
            // What is of no project asks for the role that counts everywhere.
            ("/api/v1/deliveries/{number}", Reach::Everything),
            ("/h/{host}", Reach::Everything),
            ("/api/v1/deployments", Reach::Everything),
            ("/settings/rules/add", Reach::Everything),
        ] {
            assert_eq!(Reach::of(path), reach, "{path}");
        }
    }
}
