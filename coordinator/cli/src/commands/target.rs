//! `target create | list | show`

use pointsman_shared::api::projects::{NewTarget, Retention, Strategy, Target};

use super::{listing, status};
use crate::args::{Pair, TargetCommand};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::wording;

/// Runs the command.
pub async fn target(session: &Session, command: TargetCommand) -> Result<Exit, CliError> {
    match command {
        TargetCommand::Create {
            name,
            hosts,
            root,
            waves,
            max_unavailable,
            max_failures,
            on_failure,
            keep,
            min_age_hours,
            gates,
            when_busy,
            on_push,
        } => {
            let strategy = Strategy {
                waves: waves.unwrap_or_else(|| Strategy::default().waves),
                max_unavailable,
                max_failures,
                on_failure,
            };
            let wish = NewTarget {
                project: name.project,
                environment: name.environment,
                hosts: labels(hosts),
                root,
                strategy,
                retention: Retention { keep, min_age_hours },
                gates,
                when_busy,
                on_push,
            };
            create(session, &wish).await
        }
        TargetCommand::List(rows) => {
            let targets = session.client()?.targets(rows.most()).await?;
            let empty = "no targets yet; pointsman target create PROJECT@ENVIRONMENT --hosts role=web";
            listing::show(session, &targets, &table(&targets.items), empty)
        }
        TargetCommand::Show { name } => {
            let target = session.client()?.target(&name).await?;
            session.printer.show_fields(&target, &fields(&target))?;
            if session.printer.format() == Format::Table && !target.placements.is_empty() {
                session.printer.line("")?;
                session.printer.show(&target, &status::placements([&target]))?;
            }
            Ok(Exit::Ok)
        }
    }
}

async fn create(session: &Session, wish: &NewTarget) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let target = session.client()?.create_target(wish).await?;
    let Target { name, placements, .. } = &target;
    session
        .printer
        .say(Tone::Good, "Created", &format!("target {name}"));
    if placements.is_empty() {
        let sentence = format!(
            "no host has the labels {} yet; pointsman hosts invite HOST --labels ...",
            pairs(&target)
        );
        session.printer.note(&sentence);
    }
    session
        .printer
        .undo("none: targets cannot be deleted yet; without deployments it does nothing");
    session
        .printer
        .say(Tone::Busy, "Next", &format!("pointsman deploy {name} RELEASE"));
    session.printer.show_fields(&target, &fields(&target))?;
    Ok(Exit::Ok)
}

/// Labels by name; the last of a name wins.
pub fn labels(pairs: Vec<Pair>) -> std::collections::BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.name, pair.value)).collect()
}

fn pairs(target: &Target) -> String {
    let pairs: Vec<String> = target
        .hosts
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(",")
}

fn table(targets: &[Target]) -> Table {
    let mut table = Table::new([
        ("TARGET", Narrow::Keep),
        ("HOSTS", Narrow::Keep),
        ("LABELS", Narrow::Cut(10)),
        ("ROOT", Narrow::Cut(10)),
        ("WAVES", Narrow::Drop(1)),
        ("ON FAILURE", Narrow::Drop(2)),
    ]);
    for target in targets {
        table.row([
            Cell::Text(target.name.to_string()),
            Cell::Number(target.placements.len().try_into().unwrap_or(i64::MAX)),
            Cell::Text(pairs(target)),
            target.root.as_str().into(),
            Cell::list(&target.strategy.waves),
            wording::on_failure(target.strategy.on_failure).into(),
        ]);
    }
    table
}

/// What holds pushes back.
fn pauses(target: &Target) -> Cell {
    let reasons: Vec<_> = target
        .push_pauses
        .iter()
        .map(|pause| pause.reason.as_str())
        .collect();
    if reasons.is_empty() {
        Cell::Nothing
    } else {
        Cell::Toned(Tone::Warning, format!("pushes: {}", reasons.join("; ")))
    }
}

fn fields(target: &Target) -> [(&'static str, Cell); 14] {
    let strategy = &target.strategy;
    let limit = |count: u32| {
        if count == 0 {
            Cell::Nothing
        } else {
            Cell::Number(count.into())
        }
    };
    [
        ("target", Cell::Text(target.name.to_string())),
        ("labels", Cell::Text(pairs(target))),
        ("root", target.root.as_str().into()),
        ("waves", Cell::list(&strategy.waves)),
        ("unavailable", limit(strategy.max_unavailable)),
        ("failures", Cell::Number(strategy.max_failures.into())),
        ("on failure", wording::on_failure(strategy.on_failure).into()),
        (
            "keeps",
            Cell::Text(format!(
                "{} good releases, and all of {} hours",
                target.retention.keep, target.retention.min_age_hours
            )),
        ),
        ("gates", Cell::list(&target.gates)),
        ("when busy", wording::when_busy(target.when_busy).into()),
        ("on push", Cell::list(&target.on_push)),
        ("paused", pauses(target)),
        ("wanted", Cell::maybe(target.desired.as_ref())),
        (
            "open",
            target
                .open_deployment
                .map_or(Cell::Nothing, |number| Cell::Text(format!("#{number}"))),
        ),
    ]
}
