//! Garbage: what would go from hosts and from the store, what stays and why, when it is collected, and the way back.

mod presses;

pub(super) use presses::{collect, pin, schedule, undo};

use std::collections::BTreeMap;

use askama::Template;
use chrono::TimeDelta;
use pointsman_domain::Action;
use pointsman_shared::api::garbage::{BuilderGarbage, Garbage, GarbageItem, GarbageSchedule, PrunedRelease};
use pointsman_shared::name::{HostId, ProjectName, ReleaseLabel, TargetName};
use pointsman_store::garbage::{self as store, Collected};
use pointsman_store::{projects, schedules, targets};
use serde::{Deserialize, Serialize};

use super::super::extract::{Query, filled};
use super::super::problem::Answer;
use super::format;
use super::shown::{Mood, Place, Shown};
use super::viewer::Viewer;
use crate::operations::{collect_garbage, known};

/// Targets that are judged at once where no project is chosen.
const TARGETS: usize = 12;
/// Schedules that are shown at once.
const SCHEDULES: usize = 20;

/// How long hosts keep their trash.
const IN_TRASH: TimeDelta = TimeDelta::days(1);
/// Releases in the trash that are offered.
const TRASH: i64 = 50;

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
    undoable: Vec<&'a TargetName>,
    trash: Vec<&'a Collected>,
    overfull: Option<usize>,
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
    back: String,
}

struct OfTarget<'a> {
    target: &'a TargetName,
    lines: Vec<Line<'a>>,
    bytes: String,
    may: bool,
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
    schedules: Vec<(&'a GarbageSchedule, bool)>,
    all: usize,
    builders: Vec<(&'a BuilderGarbage, Option<String>)>,
    proof: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    garbage: &'a Garbage,
    schedules: &'a [GarbageSchedule],
}

/// `GET /gc`
pub(super) async fn show(viewer: Viewer, Query(which): Query<Which>) -> Answer<Shown> {
    let known = read(&viewer, which.project.as_ref()).await?;
    let mut found = match (known.many, viewer.sees_everything()) {
        (true, true) => collect_garbage::look_at_builders(viewer.app(), &viewer.caller.actor).await?,
        (true, false) => Garbage::default(),
        (false, _) => look(&viewer, which.project.as_ref()).await?,
    };
    if !viewer.sees_everything() {
        // Of hosts those hear who see everything.
        found.builders.clear();
    }
    let may_pin = |target: &TargetName| viewer.may_in(&target.project, Action::Deploy);
    let lying = Lying {
        targets: by_target(&found.items, may_pin),
        many: known.many,
        proof: &viewer.proof,
        back: which
            .project
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    let taken = |builder: &BuilderGarbage| builder.last.as_ref().map(|last| format::bytes(last.bytes));
    let upkeep = Upkeep {
        schedules: known
            .schedules
            .iter()
            .take(SCHEDULES)
            .map(|schedule| (schedule, viewer.may_in(&schedule.project, Action::Configure)))
            .collect(),
        all: known.schedules.len(),
        builders: found
            .builders
            .iter()
            .map(|builder| (builder, taken(builder)))
            .collect(),
        proof: &viewer.proof,
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
    /// What was collected of these targets and lies in the trash of their hosts.
    trash: Vec<Collected>,
}

/// What would go: of the chosen project, or of all that this person sees.
async fn look(viewer: &Viewer, chosen: Option<&ProjectName>) -> Answer<Garbage> {
    let (app, actor) = (viewer.app(), &viewer.caller.actor);
    if chosen.is_some() || viewer.sees_everything() {
        return Ok(collect_garbage::look(app, actor, chosen.cloned()).await?);
    }
    let mut found = Garbage {
        dry_run: true,
        ..Garbage::default()
    };
    for project in actor
        .rights
        .projects
        .keys()
        .filter(|project| viewer.sees(project))
    {
        let of_one = collect_garbage::look(app, actor, Some(project.clone())).await?;
        found.items.extend(of_one.items);
        found.pruned.extend(of_one.pruned);
    }
    Ok(found)
}

async fn read(viewer: &Viewer, project: Option<&ProjectName>) -> Answer<Known> {
    let mut conn = viewer.app().store.read().await?;
    if let Some(name) = project {
        viewer
            .caller
            .actor
            .authorize_in(name, Action::Read, name.as_str())?;
        known::project(&mut conn, name).await?;
    }
    let is_chosen = |name: &ProjectName| viewer.sees(name) && project.is_none_or(|project| project == name);
    let schedules = schedules::all(&mut conn).await?.into_iter();
    let targets = targets::names(&mut conn).await?.into_iter();
    let targets: Vec<_> = targets
        .map(|(_, name)| name)
        .filter(|name| is_chosen(&name.project))
        .collect();
    let many = project.is_none() && targets.len() > TARGETS;
    let trash = if many {
        Vec::new()
    } else {
        let names: Vec<_> = targets.iter().map(ToString::to_string).collect();
        let since = viewer.app().clock.now() - IN_TRASH;
        store::collected(&mut conn, &names, since, TRASH).await?
    };
    let mut projects = projects::all_names(&mut conn).await?;
    projects.retain(|name| viewer.sees(name));
    Ok(Known {
        many,
        trash,
        projects,
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
        may_collect: chosen.map_or_else(
            || viewer.may(Action::Configure),
            |project| viewer.may_in(project, Action::Configure),
        ),
        overfull: overfull(&found.items),
        trash: known
            .trash
            .iter()
            .filter(|collected| viewer.may_in(&collected.target.project, Action::Deploy))
            .collect(),
        undoable: known
            .targets
            .iter()
            .filter(|target| viewer.may_in(&target.project, Action::Deploy))
            .collect(),
    }
}

/// How many folders one collection takes of a host, where more of them go on some host.
fn overfull(items: &[GarbageItem]) -> Option<usize> {
    let mut going: BTreeMap<(String, &HostId), usize> = BTreeMap::new();
    for item in items.iter().filter(|item| item.goes()) {
        *going.entry((item.target.to_string(), &item.host)).or_default() += 1;
    }
    let most = collect_garbage::AT_ONCE;
    going.values().any(|count| *count > most).then_some(most)
}

fn by_target(items: &[GarbageItem], may_pin: impl Fn(&TargetName) -> bool) -> Vec<OfTarget<'_>> {
    let mut of_target: BTreeMap<String, Vec<&GarbageItem>> = BTreeMap::new();
    for item in items {
        of_target.entry(item.target.to_string()).or_default().push(item);
    }
    of_target
        .into_values()
        .filter_map(|items| {
            let going = items.iter().filter(|item| item.goes());
            let target = &items.first()?.target;
            Some(OfTarget {
                target,
                may: may_pin(target),
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
