//! Projects: what is built from where, by whom, and how its commits name tickets. A new one is made here; one that exists
//! is changed by the same document that `pointsman apply` sends, which asks for the same roles.

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::deploy_keys::DeployKey;
use pointsman_shared::api::projects::{
    Document, Environment, NewProject, NewTarget, OnFailure, Project, Tickets, WhenBusy,
};
use pointsman_shared::name::{PoolName, ProjectName};
use pointsman_shared::repository::{Protocol, RepositoryUrl};
use pointsman_store::{StoreError, deploy_keys, environments, targets, views};
use serde::{Deserialize, Serialize};

use super::super::super::extract::{Form, Path, Query, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::shown::{Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, named, page};
use super::targets::{Fields, described};
use crate::operations::{apply_document, create_project, keep_tickets, known};

/// Projects on one page.
const ROWS: usize = 100;
/// Environments that are offered.
const ENVIRONMENTS: i64 = 500;

/// `?q=shop&after=pay`
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    q: String,
    #[serde(default, deserialize_with = "filled")]
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "settings/projects.html")]
struct List<'a> {
    rows: Vec<(&'a Project, i64)>,
    q: &'a str,
    next: Option<&'a str>,
    proof: &'a str,
    may: bool,
    may_apply: bool,
}

/// `GET /settings/projects`
pub(super) async fn list(viewer: Viewer, Query(query): Query<ListQuery>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let sight = viewer.sight();
    let limit = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let after = query.after.as_deref();
    let mut all = views::projects::page(&mut conn, sight.as_deref(), after, &query.q, limit).await?;
    let more = all.len() > ROWS;
    all.truncate(ROWS);
    let names: Vec<_> = all.iter().map(|project| project.name.to_string()).collect();
    let targets = views::projects::targets(&mut conn, &names).await?;
    let of = |project: &Project| targets.get(project.name.as_str()).copied().unwrap_or_default();
    let list = List {
        rows: all.iter().map(|project| (project, of(project))).collect(),
        q: &query.q,
        next: all.last().filter(|_| more).map(|last| last.name.as_str()),
        proof: &viewer.proof,
        may: viewer.may(Action::Configure),
        may_apply: viewer.may_somewhere(Action::Configure),
    };
    Ok(page(&viewer, Part::Projects, &all)?
        .with("projects", &list)?
        .like("pointsman project list"))
}

/// What a project is, as forms hold it.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    repository: RepositoryUrl,
    #[serde(default, deserialize_with = "filled")]
    subdirectory: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pool: Option<PoolName>,
}

/// The same of a new one.
#[derive(Debug, Deserialize)]
pub(super) struct New {
    name: ProjectName,
    repository: RepositoryUrl,
    #[serde(default, deserialize_with = "filled")]
    subdirectory: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pool: Option<PoolName>,
}

/// `POST /settings/projects`
pub(super) async fn create(viewer: Viewer, Form(form): Form<New>) -> Answer<Went> {
    let wish = NewProject {
        name: form.name,
        repository: form.repository,
        subdirectory: form.subdirectory,
        pool: form.pool,
        tickets: None,
    };
    let made = create_project::execute(viewer.app(), &viewer.caller.actor, wish).await?;
    Ok(at(&made.name, Done::Project))
}

/// `POST /settings/projects/{project}`
pub(super) async fn change(
    viewer: Viewer,
    Path(name): Path<ProjectName>,
    Form(form): Form<Said>,
) -> Answer<Went> {
    // A document makes what does not exist, and a press here is about what does.
    known::project(&mut *viewer.app().store.read().await?, &name).await?;
    let wish = NewProject {
        name: name.clone(),
        repository: form.repository,
        subdirectory: form.subdirectory,
        pool: form.pool,
        tickets: None,
    };
    let document = Document {
        projects: vec![wish],
        ..Document::default()
    };
    apply_document::execute(viewer.app(), &viewer.caller.actor, document).await?;
    Ok(at(&name, Done::Project))
}

/// How commits name tickets; both empty = not at all.
#[derive(Debug, Deserialize)]
pub(super) struct SaidTickets {
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    link: String,
}

/// `POST /settings/projects/{project}/tickets`
pub(super) async fn tickets(
    viewer: Viewer,
    Path(name): Path<ProjectName>,
    Form(form): Form<SaidTickets>,
) -> Answer<Went> {
    let (pattern, link) = (form.pattern.trim().to_owned(), form.link.trim().to_owned());
    let none = pattern.is_empty() && link.is_empty();
    let wish = (!none).then_some(Tickets { pattern, link });
    keep_tickets::execute(viewer.app(), &viewer.caller.actor, &name, wish.as_ref()).await?;
    Ok(at(&name, Done::Tickets))
}

/// The page of a project's settings, which says what was done.
pub(super) fn at(project: &ProjectName, done: Done) -> Went {
    Went::telling(&format!("/settings/projects/{project}"), done)
}

#[derive(Template)]
#[template(path = "settings/project.html")]
struct One<'a> {
    project: &'a Project,
    proof: &'a str,
    /// Whether the project itself may be changed, which takes a role everywhere.
    may_change: bool,
    may: bool,
}

#[derive(Template)]
#[template(path = "settings/project_targets.html")]
struct GoesTo<'a> {
    project: &'a ProjectName,
    targets: &'a [NewTarget],
    environments: Vec<&'a Environment>,
    f: Fields,
    proof: &'a str,
    may: bool,
}

#[derive(Template)]
#[template(path = "settings/project_key.html")]
struct Fetching<'a> {
    project: &'a ProjectName,
    key: Option<&'a DeployKey>,
    over_ssh: bool,
    sealing: bool,
    proof: &'a str,
    may: bool,
}

/// The project, and all that is set for it but secrets.
#[derive(Serialize)]
struct Data<'a> {
    project: &'a Project,
    targets: &'a [NewTarget],
    deploy_key: Option<&'a DeployKey>,
}

/// `GET /settings/projects/{project}`
pub(super) async fn show(viewer: Viewer, Path(name): Path<ProjectName>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let row = known::project(&mut conn, &name).await?;
    let gone = || StoreError::inconsistent("project", &name, "it vanished while it was read");
    let project = views::projects::one(&mut conn, name.as_str())
        .await?
        .ok_or_else(gone)?;
    let all = targets::all_of(&mut conn, row.id).await?;
    let all: Vec<_> = all.into_iter().map(described).collect();
    let key = deploy_keys::shown(&mut conn, row.id).await?;
    let stages = environments::list(&mut conn, None, ENVIRONMENTS).await?;
    let may = viewer.may_in(&name, Action::Configure);
    let one = One {
        project: &project,
        proof: &viewer.proof,
        may_change: viewer.may(Action::Configure),
        may,
    };
    let goes_to = |stage: &&Environment| all.iter().any(|target| target.environment == stage.name);
    let listed = GoesTo {
        project: &name,
        targets: &all,
        environments: stages.iter().filter(|stage| !goes_to(stage)).collect(),
        f: Fields::usual(),
        proof: &viewer.proof,
        may,
    };
    let about_key = Fetching {
        project: &name,
        key: key.as_ref(),
        over_ssh: row.repository.protocol() == Protocol::Ssh,
        sealing: viewer.app().vault.is_some(),
        proof: &viewer.proof,
        may,
    };
    let data = Data {
        project: &project,
        targets: &all,
        deploy_key: key.as_ref(),
    };
    Ok(
        named(&viewer, Part::Projects, &format!("Settings of {name}"), &data)?
            .with("project", &one)?
            .with("targets", &listed)?
            .with("key", &about_key)?
            .like(format!("pointsman project show {name}")),
    )
}
