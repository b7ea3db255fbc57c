//! The ssh key of a project's repository: made here, or given. Its private half is never shown.

use pointsman_shared::api::deploy_keys::{MakeDeployKey, SetDeployKey};
use pointsman_shared::name::ProjectName;
use serde::Deserialize;

use super::super::super::extract::{Form, Path, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::shown::Went;
use super::super::viewer::Viewer;
use super::projects::at;
use crate::operations::keep_deploy_key;

/// A private half that somebody gives. It is written nowhere, so there is nothing to show of it.
#[derive(Deserialize)]
pub(super) struct Given {
    private_key: String,
    #[serde(default, deserialize_with = "filled")]
    known_hosts: Option<String>,
}

/// Browsers send every line end as two characters.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// `POST /settings/projects/{project}/key`
pub(super) async fn set(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Form(form): Form<Given>,
) -> Answer<Went> {
    let wish = SetDeployKey {
        private_key: Some(lines(&form.private_key)),
        known_hosts: form.known_hosts.as_deref().map(lines),
    };
    keep_deploy_key::set(viewer.app(), &viewer.caller.actor, &project, wish).await?;
    Ok(at(&project, Done::Key))
}

/// Whom the key is shown to.
#[derive(Debug, Deserialize)]
pub(super) struct Hosts {
    #[serde(default)]
    known_hosts: String,
}

/// `POST /settings/projects/{project}/key/make`; lines that are left empty stay as they are.
pub(super) async fn make(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Form(form): Form<Hosts>,
) -> Answer<Went> {
    let given = lines(&form.known_hosts);
    let wish = MakeDeployKey {
        known_hosts: (!given.trim().is_empty()).then_some(given),
    };
    keep_deploy_key::make(viewer.app(), &viewer.caller.actor, &project, wish).await?;
    Ok(at(&project, Done::Key))
}

/// `POST /settings/projects/{project}/key/trust`; no lines = those of the machines alone.
pub(super) async fn trust(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Form(form): Form<Hosts>,
) -> Answer<Went> {
    let wish = SetDeployKey {
        private_key: None,
        known_hosts: Some(lines(&form.known_hosts)),
    };
    keep_deploy_key::set(viewer.app(), &viewer.caller.actor, &project, wish).await?;
    Ok(at(&project, Done::KeyHosts))
}

/// A press without more to say.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// `POST /settings/projects/{project}/key/remove`
pub(super) async fn remove(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Went> {
    keep_deploy_key::remove(viewer.app(), &viewer.caller.actor, &project).await?;
    Ok(at(&project, Done::KeyRemoved))
}
