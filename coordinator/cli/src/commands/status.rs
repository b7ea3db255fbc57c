//! `status`: what is live where. All projects as a matrix of environments where it fits, else target by target; one
//! project or target host by host.

use pointsman_shared::api::projects::{Placement, Target};
use pointsman_shared::name::{EnvironmentName, ProjectName};

use crate::args::{Scope, Status};
use crate::client::{Client, Listing};
use crate::commands::{listing, locks};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::wording;

/// Shows what is live.
pub async fn status(session: &Session, args: Status) -> Result<Exit, CliError> {
    let client = session.client()?;
    let targets = match &args.scope {
        Some(Scope::Target(name)) => vec![client.target(name).await?],
        Some(Scope::Project(project)) => {
            // Asked first, so that a misspelt name is "not found" and not an empty list.
            client.project(project).await?;
            let targets = client.status().await?;
            targets
                .into_iter()
                .filter(|target| target.name.project == *project)
                .collect()
        }
        None => client.status().await?,
    };
    let table = match &args.scope {
        Some(_) => placements(&targets),
        None => overview(session, &in_order(&client, &targets).await?),
    };
    let empty = match &args.scope {
        Some(scope) => format!(
            "no host belongs to a target of {} yet; pointsman hosts ls",
            scope.project()
        ),
        None => "no targets yet; pointsman apply -f FILE, or pointsman target create".to_owned(),
    };
    if table.is_empty() && session.printer.format() == Format::Table {
        let nothing = Listing::<Target> {
            items: Vec::new(),
            more: false,
        };
        return listing::show(session, &nothing, &table, &empty);
    }
    locks::warn(session, |locked| {
        targets.iter().any(|target| target.name == *locked)
    })
    .await?;
    for target in &targets {
        for pause in &target.push_pauses {
            let sentence = format!("pushes to {} are paused: {}", target.name, pause.reason);
            session
                .printer
                .note(&format!("{sentence}; pointsman push resume {}", target.name));
        }
    }
    session.printer.show(&targets, &table)?;
    Ok(Exit::Ok)
}

/// Targets by their environment's place in the promotion order.
async fn in_order<'a>(client: &Client, targets: &'a [Target]) -> Result<Vec<&'a Target>, CliError> {
    let mut environments = client.environments(usize::MAX).await?.items;
    environments.sort_by_key(|environment| environment.position);
    let place = |name: &EnvironmentName| environments.iter().position(|known| known.name == *name);
    let mut targets: Vec<&Target> = targets.iter().collect();
    targets.sort_by_key(|target| place(&target.name.environment));
    Ok(targets)
}

/// The matrix where the terminal is wide enough for it; scripts always get a row per target.
fn overview(session: &Session, targets: &[&Target]) -> Table {
    let matrix = matrix(targets);
    match (session.printer.format(), session.printer.width()) {
        (Format::Table, Some(width)) if matrix.fits(width, session.clock.now()) => matrix,
        (Format::Table | Format::Plain | Format::Json, _) => {
            let mut targets = targets.to_vec();
            targets.sort_by_key(|target| &target.name.project);
            list(&targets)
        }
    }
}

/// A row per project, a column per environment.
fn matrix(targets: &[&Target]) -> Table {
    let mut environments: Vec<&EnvironmentName> = Vec::new();
    let mut projects: Vec<&ProjectName> = Vec::new();
    for target in targets {
        if !environments.contains(&&target.name.environment) {
            environments.push(&target.name.environment);
        }
        if !projects.contains(&&target.name.project) {
            projects.push(&target.name.project);
        }
    }
    projects.sort();
    let titles = environments
        .iter()
        .map(|name| (name.as_str().to_uppercase(), Narrow::Keep));
    let first = ("PROJECT".to_owned(), Narrow::Keep);
    let mut table = Table::new(
        [first]
            .into_iter()
            .chain(titles)
            .chain([("NOTE".to_owned(), Narrow::Cut(16))]),
    );
    for project in projects {
        let of_project: Vec<&&Target> = targets
            .iter()
            .filter(|target| target.name.project == *project)
            .collect();
        let mut row = vec![Cell::from(project.as_str())];
        for environment in &environments {
            let target = of_project
                .iter()
                .find(|target| target.name.environment == **environment);
            row.push(target.map_or(Cell::Nothing, |target| square(target)));
        }
        row.push(told(of_project.iter().flat_map(|target| notes(target))));
        table.row(row);
    }
    table
}

/// `1.9.1 ok 3/3`
fn square(target: &Target) -> Cell {
    let (tone, word) = health(target);
    let release = target.desired.as_ref().map_or("-", AsRef::as_ref);
    Cell::Toned(tone, format!("{release} {word} {}", share(target)))
}

/// Hosts that run what is wanted, of all.
fn share(target: &Target) -> String {
    let at = target
        .placements
        .iter()
        .filter(|placement| is_as_wanted(placement));
    format!("{}/{}", at.count(), target.placements.len())
}

/// A row per target.
fn list(targets: &[&Target]) -> Table {
    let mut table = Table::new([
        ("PROJECT", Narrow::Keep),
        ("ENVIRONMENT", Narrow::Keep),
        ("RELEASE", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("HOSTS", Narrow::Keep),
        ("NOTE", Narrow::Cut(16)),
    ]);
    for target in targets {
        let (tone, word) = health(target);
        table.row([
            target.name.project.as_str().into(),
            target.name.environment.as_str().into(),
            Cell::maybe(target.desired.as_ref()),
            Cell::Toned(tone, word.to_owned()),
            Cell::Text(share(target)),
            told(notes(target)),
        ]);
    }
    table
}

/// Host by host.
pub fn placements<'a>(targets: impl IntoIterator<Item = &'a Target>) -> Table {
    let mut table = Table::new([
        ("TARGET", Narrow::Keep),
        ("HOST", Narrow::Keep),
        ("WANTED", Narrow::Keep),
        ("RUNNING", Narrow::Keep),
        ("HEALTH", Narrow::Keep),
        ("SEEN", Narrow::Drop(1)),
        ("GEN", Narrow::Drop(3)),
        ("FOLDER", Narrow::Drop(2)),
        ("NOTE", Narrow::Cut(12)),
    ]);
    for target in targets {
        for placement in &target.placements {
            table.row([
                Cell::Text(target.name.to_string()),
                placement.host.as_str().into(),
                Cell::maybe(placement.desired.as_ref()),
                Cell::maybe(placement.confirmed.as_ref()),
                health_cell(placement),
                Cell::when(placement.last_seen_at),
                Cell::Number(placement.generation.try_into().unwrap_or(i64::MAX)),
                Cell::maybe(placement.current.as_ref()),
                Cell::maybe(placement.drift.clone().or_else(|| absent(placement))),
            ]);
        }
    }
    table
}

/// A host that is not seen is never green: what it said last may be old.
fn health_cell(placement: &Placement) -> Cell {
    let tone = match placement.health.as_str() {
        "healthy" if absent(placement).is_none() => Tone::Good,
        "unhealthy" => Tone::Bad,
        _ => Tone::Warning,
    };
    Cell::Toned(tone, placement.health.clone())
}

fn absent(placement: &Placement) -> Option<String> {
    let word = if placement.stopped {
        "its agent is stopped"
    } else if !placement.seen {
        "not seen"
    } else if placement.late {
        "late"
    } else {
        return None;
    };
    Some(word.to_owned())
}

fn is_as_wanted(placement: &Placement) -> bool {
    placement.confirmed.is_some() && placement.confirmed == placement.desired && placement.drift.is_none()
}

/// One word for a target: two questions, whether it runs what is wanted and whether that works.
fn health(target: &Target) -> (Tone, &'static str) {
    let any = |test: fn(&Placement) -> bool| target.placements.iter().any(test);
    if target.paused {
        (Tone::Warning, "paused")
    } else if target.open_deployment.is_some() {
        (Tone::Busy, "changing")
    } else if target.placements.is_empty() {
        (Tone::Faint, "no hosts")
    } else if any(|placement| placement.health == "unhealthy") {
        (Tone::Bad, "unhealthy")
    } else if any(|placement| placement.drift.is_some()) {
        (Tone::Warning, "drift")
    } else if target.desired.is_none() {
        (Tone::Faint, "empty")
    } else if any(|placement| !placement.seen || placement.stopped || placement.health == "unknown") {
        (Tone::Warning, "unknown")
    } else if any(|placement| placement.late) {
        (Tone::Warning, "late")
    } else if any(|placement| !is_as_wanted(placement)) {
        (Tone::Warning, "behind")
    } else {
        (Tone::Good, "ok")
    }
}

/// Notes in one cell; a comma stands between the hosts of one note.
fn told(notes: impl IntoIterator<Item = String>) -> Cell {
    let notes: Vec<String> = notes.into_iter().collect();
    Cell::maybe((!notes.is_empty()).then(|| notes.join("; ")))
}

fn notes(target: &Target) -> Vec<String> {
    let open = target.open_deployment.map(|number| {
        let waits = if target.paused {
            format!(" waits for a person: pointsman why {number}")
        } else {
            String::new()
        };
        format!("deployment #{number}{waits}")
    });
    let words = target.placements.iter().filter_map(|placement| {
        let words = placement.drift.clone().or_else(|| absent(placement))?;
        Some((placement.host.to_string(), words))
    });
    let hosts = wording::told_once(words);
    open.into_iter()
        .chain(
            hosts
                .into_iter()
                .map(|(hosts, words)| format!("{hosts}: {words}")),
        )
        .collect()
}
