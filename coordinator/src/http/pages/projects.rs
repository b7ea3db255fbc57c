//! Projects: the list, and one with its releases, its targets, and the way to a build.

use askama::Template;
use axum::extract::Form;
use chrono::{DateTime, Utc};
use pointsman_domain::tickets::TicketLinks;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::projects::{Project, Target};
use pointsman_shared::api::refs::{BranchCommits, RefName, RefStanding, RepositoryRefs};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::name::{ProjectName, TargetName};
use pointsman_shared::repository::GitRef;
use pointsman_store::views;
use serde::{Deserialize, Serialize};

use super::super::extract::{Path, Query, filled};
use super::super::problem::Answer;
use super::filters;
use super::format::{self, Standing};
use super::project_commits::{self, Commits};
use super::shown::{Place, Shown, Went};
use super::viewer::Viewer;
use crate::error::OperationError;
use crate::operations::request_build::{self, BuildWish};
use crate::operations::{fetch_repository, find_release, known, list_commits, list_refs};

/// Rows of a list.
const ROWS: i64 = 50;
/// Projects on one page.
const PROJECTS: i64 = 100;

/// `?q=shop&after=pay`
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "projects.html")]
struct List<'a> {
    rows: Vec<(&'a Project, i64)>,
    q: &'a str,
    next: Option<&'a str>,
}

/// `GET /p`
pub(super) async fn list(viewer: Viewer, Query(query): Query<ListQuery>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let sight = viewer.sight();
    let after = Some(query.after.as_str()).filter(|after| !after.is_empty());
    let mut projects =
        views::projects::page(&mut conn, sight.as_deref(), after, query.q.trim(), PROJECTS + 1).await?;
    let rows = usize::try_from(PROJECTS).unwrap_or_default();
    let more = projects.len() > rows;
    projects.truncate(rows);
    let names: Vec<String> = projects.iter().map(|project| project.name.to_string()).collect();
    let targets = views::projects::targets(&mut conn, &names).await?;
    let of = |project: &Project| targets.get(project.name.as_str()).copied().unwrap_or_default();
    let list = List {
        rows: projects.iter().map(|project| (project, of(project))).collect(),
        q: &query.q,
        next: projects.last().filter(|_| more).map(|last| last.name.as_str()),
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
    refs: RepositoryRefs,
    #[serde(skip)]
    names: Vec<String>,
    #[serde(skip)]
    same: Option<Release>,
    /// Of the chosen branch.
    commits: Option<BranchCommits>,
}

#[derive(Template)]
#[template(path = "project_head.html")]
struct Head<'a> {
    project: &'a Project,
    targets: &'a [Target],
    refs: Vec<&'a str>,
    proof: &'a str,
    may_build: bool,
    same: Option<Same<'a>>,
}

/// What was to be built, and the release that it is already.
struct Same<'a> {
    reference: &'a str,
    release: &'a Release,
    targets: Vec<&'a TargetName>,
}

#[derive(Template)]
#[template(path = "project_refs.html")]
struct Refs<'a> {
    project: &'a ProjectName,
    fetched_at: Option<DateTime<Utc>>,
    rows: Vec<(&'a RefStanding, Option<Standing>, &'a str)>,
    proof: &'a str,
    may_build: bool,
    why_unknown: Option<&'a str>,
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

/// `?before=12`; `?branch=main` for its commits; `?built=7&ref=main` where somebody asked for a build of what is built
#[derive(Debug, Deserialize)]
pub(super) struct ShowQuery {
    #[serde(default)]
    before: Option<i32>,
    #[serde(default)]
    built: Option<u32>,
    #[serde(default, rename = "ref")]
    reference: String,
    #[serde(default, deserialize_with = "filled")]
    branch: Option<String>,
}

/// Refs that are not built, at most.
const MOST_REFS: usize = 20;

/// `GET /p/{project}`
pub(super) async fn show(
    viewer: Viewer,
    Path(name): Path<ProjectName>,
    Query(query): Query<ShowQuery>,
) -> Answer<Shown> {
    let (mut whole, why_unknown) = read(&viewer, &name, &query).await?;
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let more = whole.releases.len() > rows;
    whole.releases.truncate(rows);
    let mut refs: Vec<&str> = whole
        .releases
        .iter()
        .map(|release| release.reference.as_str())
        .chain(whole.names.iter().map(String::as_str))
        .collect();
    refs.retain(|name| name.parse::<GitRef>().is_ok());
    refs.sort_unstable();
    refs.dedup();
    let head = Head {
        project: &whole.project,
        targets: &whole.targets,
        refs,
        proof: &viewer.proof,
        may_build: viewer.may_in(&name, Action::Build),
        same: same(&whole, &query.reference),
    };
    let listed = Refs {
        project: &name,
        fetched_at: whole.refs.fetched_at,
        rows: whole
            .refs
            .refs
            .iter()
            .filter(|row| is_unbuilt(row))
            .take(MOST_REFS)
            .map(|row| (row, became(row), asked_for(row, &whole.refs.refs)))
            .collect(),
        proof: &viewer.proof,
        may_build: viewer.may_in(&name, Action::Build),
        why_unknown: why_unknown.as_deref(),
    };
    let releases = Releases {
        project: &name,
        rows: whole.releases.iter().map(row).collect(),
        targets: &whole.targets,
        next: whole.releases.last().filter(|_| more).map(|last| last.number),
        proof: &viewer.proof,
        may_deploy: viewer.may_in(&name, Action::Deploy),
    };
    let mut shown = Shown::new(name.to_string(), Place::Projects, &whole)?
        .with("project", &head)?
        .with("refs", &listed)?;
    let tickets = TicketLinks::new(whole.project.tickets.as_ref());
    if let Some(commits) = &whole.commits {
        let press = (viewer.proof.as_str(), listed.may_build);
        shown = shown.with("commits", &Commits::of(&name, commits, &tickets, press))?;
    }
    Ok(shown
        .with("releases", &releases)?
        .like(format!("pointsman versions {name}")))
}

/// What the page is made of, and why the refs are not known.
async fn read(viewer: &Viewer, name: &ProjectName, query: &ShowQuery) -> Answer<(Whole, Option<String>)> {
    let rhythm = viewer.app().config.timing.rhythm();
    let mut conn = viewer.app().store.read().await?;
    let row = known::project(&mut conn, name).await?;
    let project = views::projects::one(&mut conn, name.as_str()).await?;
    let gone = || Refusal::not_found("unknown_project", format!("there is no project {name}"));
    let of_project = [name.to_string()];
    let wanted = views::targets::Wanted::of_projects(&of_project);
    let targets = views::targets::page(&mut conn, wanted, i64::MAX, &rhythm).await?;
    let releases = views::releases::page(&mut conn, name, query.before, ROWS + 1).await?;
    let same = match query.built {
        Some(number) => {
            let spec = format!("#{number}");
            let found = find_release::to_look_at(&mut conn, name, &spec).await?;
            views::releases::one(&mut conn, found.id).await?
        }
        None => None,
    };
    drop(conn);
    // A mirror that cannot be read is no reason to show no releases.
    let (refs, why_unknown) = match list_refs::execute(viewer.app(), &row).await {
        Ok(refs) => (refs, None),
        Err(OperationError::Refused(refusal)) => (list_refs::Listed::default(), Some(refusal.what)),
        Err(error) => return Err(error.into()),
    };
    let commits = match &query.branch {
        Some(branch) => Some(list_commits::execute(viewer.app(), &row, branch).await?),
        None => None,
    };
    let whole = Whole {
        commits,
        project: project.ok_or_else(gone)?,
        targets,
        releases,
        refs: refs.standing,
        names: refs.names,
        same,
    };
    Ok((whole, why_unknown))
}

fn is_unbuilt(standing: &RefStanding) -> bool {
    let built = standing.release.as_ref();
    built.is_none_or(|release| release.state != ReleaseState::Built)
}

/// What became of the newest release of a ref's commit, which is not a built one.
fn became(standing: &RefStanding) -> Option<Standing> {
    project_commits::became(standing.release.as_ref()?.state)
}

/// What a build of it asks for: its commit, where no wish may hold its name, or the name means something else as well.
fn asked_for<'a>(standing: &'a RefStanding, all: &[RefStanding]) -> &'a str {
    let is_alone = all.iter().filter(|other| other.name == standing.name).count() == 1;
    match standing.name.parse::<GitRef>() {
        Ok(name) if is_alone && name.as_commit_prefix().is_none() => &standing.name,
        Ok(_) | Err(_) => &standing.commit,
    }
}

/// The release that is offered instead of a build.
fn same<'a>(whole: &'a Whole, reference: &'a str) -> Option<Same<'a>> {
    let release = whole.same.as_ref()?;
    let elsewhere = |target: &&Target| target.desired.as_ref() != Some(&release.label);
    Some(Same {
        reference,
        release,
        targets: whole
            .targets
            .iter()
            .filter(elsewhere)
            .map(|target| &target.name)
            .collect(),
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
    /// Whether also what is built already.
    #[serde(default)]
    rebuild: bool,
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
    if !form.rebuild
        && let Some(same) = request_build::built_already(viewer.app(), &viewer.caller.actor, &wish).await?
    {
        if same.built.is_none() {
            return Ok(Went(format!("/r/{project}/{}", same.number)));
        }
        let reference = url::form_urlencoded::byte_serialize(reference.as_bytes());
        let reference: String = reference.collect();
        return Ok(Went(format!(
            "/p/{project}?built={}&ref={reference}",
            same.number
        )));
    }
    let id = request_build::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    let mut conn = viewer.app().store.read().await?;
    let release = views::releases::one(&mut conn, id).await?;
    Ok(Went(match release {
        Some(release) => format!("/r/{project}/{}", release.number),
        None => format!("/p/{project}"),
    }))
}

/// `POST /p/{project}/fetch`
pub(super) async fn fetch(viewer: Viewer, Path(project): Path<ProjectName>) -> Answer<Went> {
    fetch_repository::execute(viewer.app(), &viewer.caller.actor, &project).await?;
    Ok(Went(format!("/p/{project}")))
}
