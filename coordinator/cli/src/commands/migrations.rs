//! `migrations ls | apply | revert | look | mark`

use pointsman_shared::api::migrations::{Migration, MigrationRequest, Migrations};
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use pointsman_shared::name::TargetName;
use pointsman_shared::wire::job::MigrateMode;

use super::deploy;
use crate::args::{Follow, Found, MigrationsCommand};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::follow;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn migrations(session: &Session, command: MigrationsCommand) -> Result<Exit, CliError> {
    let client = session.client()?;
    let wish = |phase, mode, migration| MigrationRequest {
        phase,
        mode,
        release: None,
        migration,
        reason: session.options.reason.clone(),
    };
    match command {
        MigrationsCommand::Ls(args) => list(session, &client, &args.target, args.release.as_deref()).await,
        MigrationsCommand::Apply(args) => {
            let wish = MigrationRequest {
                release: args.release,
                ..wish(args.phase, MigrateMode::Apply, args.migration)
            };
            run(session, &client, &args.target, &wish, args.follow).await
        }
        MigrationsCommand::Revert(args) => {
            let wish = wish(args.phase, MigrateMode::Revert, Some(args.migration));
            run(session, &client, &args.target, &wish, args.follow).await
        }
        MigrationsCommand::Look(args) => {
            let wish = wish(args.phase, MigrateMode::List, None);
            run(session, &client, &args.target, &wish, args.follow).await
        }
        MigrationsCommand::Mark(args) => {
            let mode = match args.found {
                Found::Applied => MigrateMode::MarkApplied,
                Found::Pending => MigrateMode::MarkPending,
            };
            let wish = wish(args.phase, mode, Some(args.migration));
            run(session, &client, &args.target, &wish, args.follow).await
        }
    }
}

async fn list(
    session: &Session,
    client: &Client,
    target: &TargetName,
    release: Option<&str>,
) -> Result<Exit, CliError> {
    let migrations = client.migrations(target, release).await?;
    let printer = &session.printer;
    printer.show(&migrations, &table(&migrations.items))?;
    if printer.format() == Format::Table {
        for note in notes(&migrations) {
            printer.note(&note);
        }
    }
    Ok(Exit::Ok)
}

/// What follows from the list.
fn notes(migrations: &Migrations) -> Vec<String> {
    let target = &migrations.target;
    let mut notes = Vec::new();
    match &migrations.release {
        None => notes.push(format!(
            "nothing is live in {target} yet; pass --release for those of a release"
        )),
        Some(release) if migrations.items.is_empty() => {
            notes.push(format!(
                "{release} has no migrations, and none is known in {target}"
            ));
        }
        Some(_) => {}
    }
    if let Some(job) = migrations.open_job {
        notes.push(format!("job #{job} works on them; pointsman logs -f --job {job}"));
    }
    if let Some(job) = migrations.unknown_job {
        notes.push(format!(
            "nobody knows yet what job #{job} did; the ledger is read again by itself"
        ));
    }
    let unfinished = migrations
        .items
        .iter()
        .find(|item| item.state == Some(MigrationState::Indeterminate));
    if let Some(Migration { name, phase, .. }) = unfinished {
        notes.push(format!(
            "look at the database, then: pointsman migrations mark {target} {name} applied|pending --phase {phase}"
        ));
    }
    let is_due = |item: &&Migration| {
        item.phase == MigrationPhase::Post && item.own && item.state != Some(MigrationState::Applied)
    };
    if let Some(from) = migrations
        .post_from
        .filter(|_| migrations.items.iter().any(|item| is_due(&item)))
    {
        let who = if migrations.post_auto {
            "start by themselves then"
        } else {
            "are started by hand"
        };
        let from = from.format("%F %H:%M UTC");
        notes.push(format!("post-migrations may run from {from} on, and {who}"));
    }
    notes
}

fn table(items: &[Migration]) -> Table {
    let mut table = Table::new([
        ("PHASE", Narrow::Keep),
        ("MIGRATION", Narrow::Cut(20)),
        ("STATE", Narrow::Keep),
        ("RELEASE", Narrow::Keep),
        ("WAY BACK", Narrow::Drop(2)),
        ("JOB", Narrow::Drop(3)),
        ("READ", Narrow::Drop(1)),
    ]);
    for item in items {
        let (tone, state) = match item.state {
            None => (Tone::Faint, "not read"),
            Some(MigrationState::Pending) => (Tone::Busy, "pending"),
            Some(MigrationState::Applied) => (Tone::Good, "applied"),
            Some(MigrationState::Indeterminate) => (Tone::Warning, "indeterminate"),
        };
        table.row([
            item.phase.as_str().into(),
            item.name.as_str().into(),
            Cell::Toned(tone, state.to_owned()),
            if item.own { "has it" } else { "lacks it" }.into(),
            match (item.own, item.reversible) {
                (true, true) => "yes".into(),
                (true, false) => "no".into(),
                (false, _) => Cell::Nothing,
            },
            item.job.map_or(Cell::Nothing, Cell::Number),
            item.seen_at.map_or(Cell::Nothing, Cell::At),
        ]);
    }
    table
}

/// Asks for a run and stays with it.
async fn run(
    session: &Session,
    client: &Client,
    target: &TargetName,
    wish: &MigrationRequest,
    stay: Follow,
) -> Result<Exit, CliError> {
    let waiter = deploy::subscribe(session, client, stay).await?;
    let number = client.migrate(target, wish).await?.job;
    let printer = &session.printer;
    printer.step(
        Tone::Good,
        "Requested",
        &format!("job #{number}: {}", words(target, wish)),
    );
    if let Some(waiter) = waiter {
        let job = client.job(number).await?;
        return follow::job(session, client, waiter, job, &undo(target, wish)).await;
    }
    printer.say(Tone::Busy, "Next", &format!("pointsman logs -f --job {number}"));
    printer.undo(&format!("pointsman cancel --job {number}"));
    let job = client.job(number).await?;
    printer.show(&job, &super::jobs::job_table(std::slice::from_ref(&job)))?;
    Ok(Exit::Ok)
}

fn words(target: &TargetName, wish: &MigrationRequest) -> String {
    let which = match &wish.migration {
        Some(name) => name.to_string(),
        None => format!("{}-migrations", wish.phase),
    };
    match wish.mode {
        MigrateMode::Apply => format!("apply {which} in {target}"),
        MigrateMode::Revert => format!("revert {which} in {target}"),
        MigrateMode::List => format!("read the ledger of {which} in {target}"),
        MigrateMode::MarkApplied => format!("mark {which} in {target} as applied"),
        MigrateMode::MarkPending => format!("mark {which} in {target} as pending"),
    }
}

/// The inverse of what was asked for, once it is done.
fn undo(target: &TargetName, wish: &MigrationRequest) -> String {
    let phase = wish.phase;
    match (&wish.migration, wish.mode) {
        (Some(name), MigrateMode::Apply) => {
            format!("pointsman migrations revert {target} {name} --phase {phase}")
        }
        (None, MigrateMode::Apply) => {
            format!("pointsman migrations revert {target} NAME --phase {phase}, newest first")
        }
        (Some(name), MigrateMode::Revert) => {
            format!("pointsman migrations apply {target} {name} --phase {phase}")
        }
        (_, MigrateMode::List) => "none: it only looked".to_owned(),
        (_, MigrateMode::Revert | MigrateMode::MarkApplied | MigrateMode::MarkPending) => {
            "none: the ledger believes what you found".to_owned()
        }
    }
}
