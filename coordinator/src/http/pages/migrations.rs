//! Migrations of every target: what its database has and lacks, what the next press costs, and the way back where there
//! is one.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use pointsman_domain::Action;
use pointsman_shared::api::migrations::{Migration, MigrationRequest, Migrations};
use pointsman_shared::ids::TargetId;
use pointsman_shared::migration::{MigrationName, MigrationPhase, MigrationState};
use pointsman_shared::name::TargetName;
use pointsman_shared::wire::job::MigrateMode;
use pointsman_store::targets::TargetRow;
use pointsman_store::{PgConnection, releases, targets, views};
use serde::Deserialize;

use super::super::extract::{Query, filled};
use super::super::problem::Answer;
use super::super::router::Api;
use super::format::Standing;
use super::scope::Scope;
use super::shown::{Mood, Place, Shown, Went};
use super::viewer::Viewer;
use super::{kept, plans};
use crate::app::App;
use crate::operations::{find_release, known, request_migration};

/// Targets that are shown at once.
const MOST: usize = 20;
/// Names that the field for a target offers.
const OFFERED: usize = 100;

/// `?target=shop@production&release=1.9.1`
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default, deserialize_with = "filled")]
    target: Option<Scope>,
    #[serde(default, deserialize_with = "filled")]
    release: Option<String>,
}

#[derive(Template)]
#[template(path = "migrations/head.html")]
struct Head<'a> {
    chosen: Option<&'a Scope>,
    release: Option<&'a str>,
    targets: Vec<&'a TargetName>,
    all: usize,
    shown: usize,
}

#[derive(Template)]
#[template(path = "migrations/list.html")]
struct List<'a> {
    targets: Vec<OfTarget<'a>>,
    proof: &'a str,
}

struct OfTarget<'a> {
    of: &'a Migrations,
    rows: Vec<Row<'a>>,
    pre: usize,
    post: usize,
    early: bool,
    release: &'a str,
    may: bool,
}

struct Row<'a> {
    migration: &'a Migration,
    standing: Standing,
    price: String,
    revert: bool,
    settle: bool,
}

/// `GET /migrations`
pub(super) async fn show(viewer: Viewer, Query(which): Query<Which>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let mut all = targets::names(&mut conn).await?;
    all.retain(|(_, name)| viewer.sees(&name.project));
    if let Some(scope) = &which.target {
        scope.check(&viewer, &mut conn).await?;
    }
    let only = which.target.as_ref().and_then(Scope::target);
    let mut chosen = choose(&mut conn, &all, which.target.as_ref()).await?;
    let concerned = chosen.len();
    chosen.truncate(MOST);
    let mut found = Vec::new();
    for name in &chosen {
        let target = known::target(&mut conn, name).await?;
        let of = of_target(viewer.app(), &mut conn, &target, which.release.as_deref()).await?;
        if only.is_some() || !of.items.is_empty() {
            found.push(of);
        }
    }
    let now = pointsman_store::now(&mut conn).await?;
    let spec = which.release.as_deref().unwrap_or_default();
    let of_targets: Vec<_> = found
        .iter()
        .map(|of| OfTarget {
            of,
            rows: of.items.iter().map(row).collect(),
            pre: pending(of, MigrationPhase::Pre),
            post: pending(of, MigrationPhase::Post),
            early: of.post_from.is_none_or(|from| from > now),
            release: spec,
            may: viewer.may_in(&of.target.project, Action::Deploy),
        })
        .collect();
    let mood = if found.iter().any(|of| of.unknown_job.is_some()) {
        Mood::Bad
    } else if found.iter().any(|of| of.open_job.is_some()) {
        Mood::Running
    } else {
        Mood::Quiet
    };
    let head = Head {
        chosen: which.target.as_ref(),
        release: which.release.as_deref(),
        targets: all.iter().map(|(_, name)| name).take(OFFERED).collect(),
        all: concerned,
        shown: chosen.len(),
    };
    let list = List {
        targets: of_targets,
        proof: &viewer.proof,
    };
    let like = only.map_or("PROJECT@ENVIRONMENT".to_owned(), ToString::to_string);
    Ok(Shown::new("Migrations", Place::Migrations, &found)?
        .with("head", &head)?
        .with("migrations", &list)?
        .in_mood(mood)
        .like(format!("pointsman migrations ls {like}")))
}

/// The one target that was asked for, or those with migrations, of one project where that was asked for.
async fn choose(
    conn: &mut PgConnection,
    all: &[(TargetId, TargetName)],
    scope: Option<&Scope>,
) -> Answer<Vec<TargetName>> {
    let project = match scope {
        Some(Scope::Target(name)) => return Ok(vec![name.clone()]),
        Some(Scope::Project(project)) => Some(project),
        None => None,
    };
    let concerned = views::migrations::concerned(conn).await?;
    let is_meant = |name: &TargetName| project.is_none_or(|project| name.project == *project);
    let found = all
        .iter()
        .filter(|(id, name)| concerned.contains(id) && is_meant(name));
    Ok(found.map(|(_, name)| name.clone()).collect())
}

async fn of_target(
    app: &App,
    conn: &mut PgConnection,
    target: &TargetRow,
    spec: Option<&str>,
) -> Answer<Migrations> {
    let id = match spec {
        Some(spec) => {
            let project = known::project(conn, &target.name.project).await?;
            Some(find_release::known(app, &project, spec).await?)
        }
        None => target.desired,
    };
    let release = match id {
        Some(id) => releases::get(conn, id).await?,
        None => None,
    };
    Ok(views::migrations::of(conn, target, release.as_ref()).await?)
}

fn pending(of: &Migrations, phase: MigrationPhase) -> usize {
    let waits = |item: &&Migration| {
        item.own && item.phase == phase && matches!(item.state, None | Some(MigrationState::Pending))
    };
    of.items.iter().filter(waits).count()
}

fn row(migration: &Migration) -> Row<'_> {
    let (sign, word, tone) = match migration.state {
        Some(MigrationState::Applied) => ("✓", "applied", "ok"),
        Some(MigrationState::Pending) => ("…", "pending", "wait"),
        Some(MigrationState::Indeterminate) => ("?", "nobody knows", "bad"),
        None => ("…", "not looked up yet", "unknown"),
    };
    let applied = migration.state == Some(MigrationState::Applied);
    Row {
        migration,
        standing: Standing { sign, word, tone },
        price: price(migration),
        revert: applied && (migration.reversible || !migration.own),
        settle: migration.state == Some(MigrationState::Indeterminate),
    }
}

/// What the next press on a migration costs.
pub(super) fn price(migration: &Migration) -> String {
    let Migration {
        phase,
        reversible,
        own,
        ..
    } = migration;
    let way = if *reversible {
        "it can be reverted"
    } else {
        "it has no way back"
    };
    let text = match (migration.state, phase) {
        (Some(MigrationState::Indeterminate), _) => {
            "its run was cut off: look at the log and the database, then say what is"
        }
        (Some(MigrationState::Applied), MigrationPhase::Post) if !own => {
            "this release does not have it: going to this release is forbidden while it is applied"
        }
        (Some(MigrationState::Applied), _) if !own => "another release brought it; this one works with it",
        (Some(MigrationState::Applied), MigrationPhase::Post) => {
            return format!("releases without it can no longer be gone back to; {way}");
        }
        (Some(MigrationState::Applied), _) => return format!("releases without it still work; {way}"),
        (Some(MigrationState::Pending) | None, MigrationPhase::Post) => {
            return format!("running it closes the way back to releases that do not have it; {way}");
        }
        (Some(MigrationState::Pending) | None, MigrationPhase::Pre | MigrationPhase::Hard) => {
            return format!("the deployment waits for it; what is live works with it too; {way}");
        }
    };
    text.to_owned()
}

/// What is wished.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    target: TargetName,
    phase: MigrationPhase,
    mode: MigrateMode,
    #[serde(default, deserialize_with = "filled")]
    release: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    migration: Option<MigrationName>,
    #[serde(default, deserialize_with = "filled")]
    reason: Option<String>,
}

/// `POST /migrations`; leads to the log. What changes the database of the last environment asks for a fresh sign-in.
pub(super) async fn request(State(api): State<Api>, viewer: Viewer, request: Request) -> Answer<Response> {
    let (parts, body) = kept::whole(request).await?;
    let form: Wish = kept::form(&parts, &body).await?;
    let changes = matches!(form.mode, MigrateMode::Apply | MigrateMode::Revert);
    if changes && !viewer.is_fresh() {
        let mut conn = viewer.app().store.read().await?;
        if plans::is_last(&mut conn, &form.target).await? {
            return kept::sign_in_again(&api, &viewer, &parts, &body);
        }
    }
    let wish = MigrationRequest {
        phase: form.phase,
        mode: form.mode,
        release: form.release,
        migration: form.migration,
        reason: form.reason,
    };
    let job = request_migration::execute(viewer.app(), &viewer.caller.actor, &form.target, &wish).await?;
    Ok(Went(format!("/jobs/{job}")).into_response())
}
