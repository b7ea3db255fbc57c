//! Projects: the list, and one with its releases, its targets, and the way to a build.

use askama::Template;
use axum::extract::Form;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::projects::{Project, Target};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::name::ProjectName;
use pointsman_store::views;
use serde::{Deserialize, Serialize};

use super::super::extract::{Path, Query};
use super::super::problem::Answer;
use super::filters;
use super::format::{self, Standing};
use super::shown::{Place, Shown, Went};
use super::viewer::Viewer;
use crate::operations::known;
use crate::operations::request_build::{self, BuildWish};

/// Rows of a list.
const ROWS: i64 = 50;
/// Projects and targets at most.
const MOST: i64 = 1000;

#[derive(Template)]
#[template(path = "projects.html")]
struct List<'a> {
    rows: Vec<(&'a Project, usize)>,
}

/// `GET /p`
pub(super) async fn list(viewer: Viewer) -> Answer<Shown> {
    let rhythm = viewer.app().config.timing.rhythm();
    let mut conn = viewer.app().store.read().await?;
    let sight = viewer.sight();
    let projects = views::projects::page(&mut conn, sight.as_deref(), None, MOST).await?;
    let targets = views::targets::page(&mut conn, sight.as_deref(), None, MOST, &rhythm).await?;
    let of = |project: &Project| {
        targets
            .iter()
            .filter(|target| target.name.project == project.name)
            .count()
    };
    let list = List {
        rows: projects.iter().map(|project| (project, of(project))).collect(),
    };
    Ok(Shown::new("Projects", Place::Projects, &projects)?
        .with("projects", &list)?
        .like("pointsman project list"))
}

#[derive(Serialize)]
struct Whole {
    project: Project,
    targets: Vec<Target>,
    releases: Vec<Release>,
}

#[derive(Template)]
#[template(path = "project_head.html")]
struct Head<'a> {
    project: &'a Project,
    targets: &'a [Target],
    refs: Vec<&'a str>,
    proof: &'a str,
    may_build: bool,
}

#[derive(Template)]
#[template(path = "releases.html")]
struct Releases<'a> {
    project: &'a ProjectName,
    rows: Vec<ReleaseRow<'a>>,
    targets: &'a [Target],
    next: Option<u32>,
    proof: &'a str,
    may_deploy: bool,
}

struct ReleaseRow<'a> {
    release: &'a Release,
    standing: Standing,
    size: Option<String>,
    deployable: bool,
}

/// `?before=12`
#[derive(Debug, Deserialize)]
pub(super) struct ShowQuery {
    #[serde(default)]
    before: Option<i32>,
}

/// `GET /p/{project}`
pub(super) async fn show(
    viewer: Viewer,
    Path(name): Path<ProjectName>,
    Query(query): Query<ShowQuery>,
) -> Answer<Shown> {
    let mut whole = read(&viewer, &name, query.before).await?;
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let more = whole.releases.len() > rows;
    whole.releases.truncate(rows);
    let mut refs: Vec<&str> = whole
        .releases
        .iter()
        .map(|release| release.reference.as_str())
        .collect();
    refs.sort_unstable();
    refs.dedup();
    let head = Head {
        project: &whole.project,
        targets: &whole.targets,
        refs,
        proof: &viewer.proof,
        may_build: viewer.may_in(&name, Action::Build),
    };
    let releases = Releases {
        project: &name,
        rows: whole.releases.iter().map(row).collect(),
        targets: &whole.targets,
        next: whole.releases.last().filter(|_| more).map(|last| last.number),
        proof: &viewer.proof,
        may_deploy: viewer.may_in(&name, Action::Deploy),
    };
    Ok(Shown::new(name.to_string(), Place::Projects, &whole)?
        .with("project", &head)?
        .with("releases", &releases)?
        .like(format!("pointsman versions {name}")))
}

async fn read(viewer: &Viewer, name: &ProjectName, before: Option<i32>) -> Answer<Whole> {
    let rhythm = viewer.app().config.timing.rhythm();
    let mut conn = viewer.app().store.read().await?;
    known::project(&mut conn, name).await?;
    let project = views::projects::one(&mut conn, name.as_str()).await?;
    let gone = || Refusal::not_found("unknown_project", format!("there is no project {name}"));
    let only = [name.to_string()];
    let targets = views::targets::page(&mut conn, Some(&only), None, MOST, &rhythm).await?;
    Ok(Whole {
        project: project.ok_or_else(gone)?,
        targets,
        releases: views::releases::page(&mut conn, name, before, ROWS + 1).await?,
    })
}

fn row(release: &Release) -> ReleaseRow<'_> {
    ReleaseRow {
        release,
        standing: format::release(release.state),
        size: release.total_bytes.map(format::bytes),
        deployable: release.state == ReleaseState::Built,
    }
}

/// What to build.
#[derive(Debug, Deserialize)]
pub(super) struct Build {
    #[serde(default, rename = "ref")]
    reference: String,
}

/// `POST /p/{project}/build`
pub(super) async fn build(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Form(form): Form<Build>,
) -> Answer<Went> {
    let reference = form.reference.trim();
    let wish = BuildWish {
        project: project.clone(),
        reference: (!reference.is_empty()).then(|| reference.to_owned()),
    };
    let id = request_build::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    let mut conn = viewer.app().store.read().await?;
    let release = views::releases::one(&mut conn, id).await?;
    Ok(Went(match release {
        Some(release) => format!("/r/{project}/{}", release.number),
        None => format!("/p/{project}"),
    }))
}
