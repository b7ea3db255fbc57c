//! Garbage: what would go from hosts and from the store, what stays and why, when it is collected, and the way back.

use std::collections::BTreeMap;

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::garbage::{
    BuilderGarbage, Garbage, GarbageItem, GarbageRequest, GarbageSchedule, PinRequest, PrunedRelease,
    UndoRequest,
};
use pointsman_shared::name::{HostId, ProjectName, ReleaseLabel, TargetName};
use pointsman_store::{projects, schedules, targets};
use serde::{Deserialize, Serialize};

use super::super::extract::{Form, Query, filled};
use super::super::problem::Answer;
use super::format;
use super::shown::{Mood, Place, Shown, Went};
use super::viewer::Viewer;
use crate::app::App;
use crate::operations::{collect_garbage, known, pin_release, set_schedule, undo_collection};

/// Targets that are judged at once where no project is chosen.
const TARGETS: usize = 12;
/// Schedules that are shown at once.
const SCHEDULES: usize = 20;

/// `?project=shop`
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
}

#[derive(Template)]
#[template(path = "garbage/head.html")]
struct Head<'a> {
    chosen: Option<&'a ProjectName>,
    projects: &'a [ProjectName],
    going: usize,
    bytes: String,
    staying: usize,
    staying_bytes: String,
    pruned: &'a [PrunedRelease],
    pruned_bytes: String,
    proof: &'a str,
    many: bool,
    may_collect: bool,
    may_undo: bool,
    targets: &'a [TargetName],
}

impl Head<'_> {
    fn is(&self, project: &ProjectName) -> bool {
        self.chosen == Some(project)
    }
}

#[derive(Template)]
#[template(path = "garbage/lying.html")]
struct Lying<'a> {
    targets: Vec<OfTarget<'a>>,
    many: bool,
    proof: &'a str,
    may: bool,
    back: String,
}

struct OfTarget<'a> {
    target: &'a TargetName,
    lines: Vec<Line<'a>>,
    bytes: String,
}

/// A folder with the same fate on several hosts.
struct Line<'a> {
    folder: String,
    release: Option<&'a ReleaseLabel>,
    hosts: Vec<&'a HostId>,
    bytes: String,
    stays: Option<&'a str>,
    pinned: bool,
}

#[derive(Template)]
#[template(path = "garbage/upkeep.html")]
struct Upkeep<'a> {
    schedules: &'a [GarbageSchedule],
    all: usize,
    builders: Vec<(&'a BuilderGarbage, Option<String>)>,
    proof: &'a str,
    may: bool,
}

#[derive(Serialize)]
struct Data<'a> {
    garbage: &'a Garbage,
    schedules: &'a [GarbageSchedule],
}

/// `GET /gc`
pub(super) async fn show(viewer: Viewer, Query(which): Query<Which>) -> Answer<Shown> {
    let app = viewer.app();
    let known = read(app, which.project.as_ref()).await?;
    let found = if known.many {
        collect_garbage::look_at_builders(app, &viewer.caller.actor).await?
    } else {
        collect_garbage::look(app, &viewer.caller.actor, which.project.clone()).await?
    };
    let lying = Lying {
        targets: by_target(&found.items),
        many: known.many,
        proof: &viewer.proof,
        may: viewer.may(Action::Deploy),
        back: which
            .project
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    let taken = |builder: &BuilderGarbage| builder.last.as_ref().map(|last| format::bytes(last.bytes));
    let upkeep = Upkeep {
        schedules: &known.schedules[..known.schedules.len().min(SCHEDULES)],
        all: known.schedules.len(),
        builders: found
            .builders
            .iter()
            .map(|builder| (builder, taken(builder)))
            .collect(),
        proof: &viewer.proof,
        may: viewer.may(Action::Configure),
    };
    let data = Data {
        garbage: &found,
        schedules: &known.schedules,
    };
    Ok(Shown::new("Garbage", Place::Garbage, &data)?
        .with("head", &head(&viewer, which.project.as_ref(), &known, &found))?
        .with("lying", &lying)?
        .with("upkeep", &upkeep)?
        .in_mood(Mood::Quiet)
        .like("pointsman gc plan"))
}

/// What there is to choose from.
struct Known {
    /// There is too much to judge at once: a project has to be chosen.
    many: bool,
    projects: Vec<ProjectName>,
    targets: Vec<TargetName>,
    schedules: Vec<GarbageSchedule>,
}

async fn read(app: &App, project: Option<&ProjectName>) -> Answer<Known> {
    let mut conn = app.store.read().await?;
    if let Some(name) = project {
        known::project(&mut conn, name).await?;
    }
    let is_chosen = |name: &ProjectName| project.is_none_or(|project| project == name);
    let schedules = schedules::all(&mut conn).await?.into_iter();
    let targets = targets::all(&mut conn).await?.into_iter();
    let targets: Vec<_> = targets
        .map(|target| target.name)
        .filter(|name| is_chosen(&name.project))
        .collect();
    let many = project.is_none() && targets.len() > TARGETS;
    Ok(Known {
        many,
        projects: projects::all_names(&mut conn).await?,
        targets: if many { Vec::new() } else { targets },
        schedules: schedules
            .map(super::super::garbage::shown)
            .filter(|schedule| is_chosen(&schedule.project))
            .collect(),
    })
}

fn head<'a>(
    viewer: &'a Viewer,
    chosen: Option<&'a ProjectName>,
    known: &'a Known,
    found: &'a Garbage,
) -> Head<'a> {
    let (going, staying): (Vec<_>, Vec<_>) = found.items.iter().partition(|item| item.goes());
    Head {
        chosen,
        projects: &known.projects,
        going: going.len(),
        bytes: format::bytes(found.bytes()),
        staying: staying.len(),
        staying_bytes: format::bytes(staying.iter().map(|item| item.bytes).sum()),
        pruned: &found.pruned,
        pruned_bytes: format::bytes(found.pruned.iter().map(|release| release.bytes).sum()),
        many: known.many,
        proof: &viewer.proof,
        may_collect: viewer.may(Action::Configure),
        may_undo: viewer.may(Action::Deploy),
        targets: &known.targets,
    }
}

fn by_target(items: &[GarbageItem]) -> Vec<OfTarget<'_>> {
    let mut of_target: BTreeMap<String, Vec<&GarbageItem>> = BTreeMap::new();
    for item in items {
        of_target.entry(item.target.to_string()).or_default().push(item);
    }
    of_target
        .into_values()
        .filter_map(|items| {
            let going = items.iter().filter(|item| item.goes());
            Some(OfTarget {
                target: &items.first()?.target,
                bytes: format::bytes(going.map(|item| item.bytes).sum()),
                lines: lines(&items),
            })
        })
        .collect()
}

/// What goes first, then what stays; hosts that say the same of a folder stand in one line.
fn lines<'a>(items: &[&'a GarbageItem]) -> Vec<Line<'a>> {
    let mut alike: BTreeMap<(bool, String, Option<&str>), Vec<&'a GarbageItem>> = BTreeMap::new();
    for item in items {
        let key = (!item.goes(), item.folder.to_string(), item.stays.as_deref());
        alike.entry(key).or_default().push(item);
    }
    alike
        .into_iter()
        .filter_map(|((_, folder, stays), items)| {
            Some(Line {
                folder,
                release: items.first()?.release.as_ref(),
                hosts: items.iter().map(|item| &item.host).collect(),
                bytes: format::bytes(items.iter().map(|item| item.bytes).sum()),
                stays,
                pinned: stays.is_some_and(|stays| stays.starts_with("pinned")),
            })
        })
        .collect()
}

/// What is collected, and why.
#[derive(Debug, Deserialize)]
pub(super) struct Collect {
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
    #[serde(default, deserialize_with = "filled")]
    target: Option<TargetName>,
    #[serde(default, deserialize_with = "filled")]
    reason: Option<String>,
}

#[derive(Template)]
#[template(path = "garbage/ordered.html")]
struct Ordered<'a> {
    found: &'a Garbage,
    bytes: String,
    pruned_bytes: String,
    idle: bool,
}

/// `POST /gc/collect`; the page says what was ordered, and what was left alone and why.
pub(super) async fn collect(viewer: Viewer, Form(form): Form<Collect>) -> Answer<Shown> {
    let wish = GarbageRequest {
        project: form.project,
        target: form.target,
        dry_run: false,
        reason: form.reason,
    };
    let found = collect_garbage::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    let ordered = Ordered {
        found: &found,
        idle: found.jobs.is_empty() && found.builders.iter().all(|builder| builder.job.is_none()),
        bytes: format::bytes(found.bytes()),
        pruned_bytes: format::bytes(found.pruned.iter().map(|release| release.bytes).sum()),
    };
    Ok(Shown::new("Collection ordered", Place::Garbage, &found)?
        .with("ordered", &ordered)?
        .once()
        .like("pointsman gc run"))
}

/// `POST /gc/undo`
pub(super) async fn undo(viewer: Viewer, Form(wish): Form<Undo>) -> Answer<Went> {
    let wish = UndoRequest {
        target: wish.target,
        release: wish.release.trim().to_owned(),
    };
    undo_collection::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went(format!("/t/{}", wish.target)))
}

/// What comes back where.
#[derive(Debug, Deserialize)]
pub(super) struct Undo {
    target: TargetName,
    release: String,
}

/// When it is collected; an empty expression = never by itself.
#[derive(Debug, Deserialize)]
pub(super) struct Schedule {
    project: ProjectName,
    #[serde(default, deserialize_with = "filled")]
    cron: Option<String>,
}

/// `POST /gc/schedule`
pub(super) async fn schedule(viewer: Viewer, Form(form): Form<Schedule>) -> Answer<Went> {
    let wish = GarbageSchedule {
        project: form.project,
        cron: form.cron,
        next: None,
        last: None,
    };
    set_schedule::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went("/gc".to_owned()))
}

/// Which release is kept whatever happens, or is not any more.
#[derive(Debug, Deserialize)]
pub(super) struct Pin {
    project: ProjectName,
    release: String,
    pinned: bool,
    #[serde(default, deserialize_with = "filled")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    back: Option<ProjectName>,
}

/// `POST /gc/pin`
pub(super) async fn pin(viewer: Viewer, Form(form): Form<Pin>) -> Answer<Went> {
    let wish = PinRequest {
        pinned: form.pinned,
        reason: form.reason,
    };
    pin_release::execute(
        viewer.app(),
        &viewer.caller.actor,
        &form.project,
        &form.release,
        &wish,
    )
    .await?;
    Ok(Went(form.back.map_or_else(
        || "/gc".to_owned(),
        |project| format!("/gc?project={project}"),
    )))
}
