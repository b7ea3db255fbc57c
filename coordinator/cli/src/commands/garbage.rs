//! `gc plan | run | undo | schedule`, `pin` and `unpin`

use pointsman_shared::api::garbage::{
    Garbage, GarbageItem, GarbageRequest, GarbageSchedule, PinRequest, UndoRequest,
};

use crate::args::{GarbageCommand, Pin, ScheduleGarbage, Scope, UndoGarbage};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// Runs the command.
pub async fn garbage(session: &Session, command: GarbageCommand) -> Result<Exit, CliError> {
    let client = session.client()?;
    match command {
        GarbageCommand::Plan(args) => plan(session, &client, args.scope, args.explain).await,
        GarbageCommand::Run(args) if args.dry_run => plan(session, &client, args.scope, false).await,
        GarbageCommand::Run(args) => run(session, &client, args.scope).await,
        GarbageCommand::Undo(args) => undo(session, &client, args).await,
        GarbageCommand::Schedule(args) => schedule(session, &client, args).await,
    }
}

fn wish(session: &Session, scope: Option<Scope>, dry_run: bool) -> GarbageRequest {
    let (project, target) = match scope {
        None => (None, None),
        Some(Scope::Project(project)) => (Some(project), None),
        Some(Scope::Target(target)) => (None, Some(target)),
    };
    GarbageRequest {
        project,
        target,
        dry_run,
        reason: session.options.reason.clone(),
    }
}

async fn plan(
    session: &Session,
    client: &Client,
    scope: Option<Scope>,
    explain: bool,
) -> Result<Exit, CliError> {
    let found = client.garbage(&wish(session, scope, true)).await?;
    let shown: Vec<_> = found.items.iter().filter(|item| explain || item.goes()).collect();
    let printer = &session.printer;
    printer.show(&found, &table(&shown))?;
    if printer.format() == Format::Table {
        builders(session, &found);
        printer.note(&summary(&found, " would go"));
        if !explain {
            let stays = found.items.len() - shown.len();
            printer.note(&format!(
                "{} stay; --explain says why",
                text::counted(stays, "folder")
            ));
        }
    }
    Ok(Exit::Ok)
}

async fn run(session: &Session, client: &Client, scope: Option<Scope>) -> Result<Exit, CliError> {
    let found = client.garbage(&wish(session, scope, false)).await?;
    let going: Vec<_> = found.items.iter().filter(|item| item.goes()).collect();
    let printer = &session.printer;
    printer.show(&found, &table(&going))?;
    printer.step(Tone::Good, "Ordered", &summary(&found, ""));
    builders(session, &found);
    for left in &found.left {
        printer.warn(&format!(
            "{} on {} is left alone: {}",
            left.target, left.host, left.reason
        ));
    }
    printer.undo("pointsman gc undo PROJECT@ENVIRONMENT RELEASE, for a day without a download");
    Ok(Exit::Ok)
}

/// `3 folders would go, 28 MB; 1 release out of the store`
fn summary(found: &Garbage, verb: &str) -> String {
    let going = found.items.iter().filter(|item| item.goes()).count();
    let bytes = text::bytes(found.bytes());
    let folders = text::counted(going, "folder");
    let pruned = found.pruned.len();
    let store = match pruned {
        0 => String::new(),
        pruned => format!("; {} out of the store", text::counted(pruned, "release")),
    };
    format!("{folders}{verb}, {bytes}{store}")
}

/// What the builders' newest collections took, and what they were asked for.
fn builders(session: &Session, found: &Garbage) {
    for builder in &found.builders {
        let host = &builder.host;
        if let Some(job) = builder.job {
            let words =
                format!("mirrors and build caches of {host} by job #{job}; pointsman jobs show {job}");
            session.printer.step(Tone::Good, "Ordered", &words);
        }
        if let Some(reason) = &builder.left {
            session.printer.note(&format!(
                "mirrors and build caches of {host} are left alone: {reason}"
            ));
        }
        let Some(last) = &builder.last else { continue };
        let count = text::counted(last.gone.len(), "folder");
        session.printer.note(&format!(
            "mirrors and build caches of {host}: job #{} took {count}, {}, at {}",
            last.job,
            text::bytes(last.bytes),
            last.at.format("%F %H:%M UTC")
        ));
        for gone in &last.gone {
            let name: String = gone.name.chars().take(12).collect();
            let (kind, bytes) = (gone.kind.as_str(), text::bytes(gone.bytes));
            session
                .printer
                .note(&format!("  {kind} {name}, {bytes}: {}", gone.reason));
        }
    }
}

fn table(items: &[&GarbageItem]) -> Table {
    let mut table = Table::new([
        ("TARGET", Narrow::Keep),
        ("HOST", Narrow::Keep),
        ("RELEASE", Narrow::Keep),
        ("FOLDER", Narrow::Drop(1)),
        ("SIZE", Narrow::Drop(2)),
        ("WHAT BECOMES OF IT", Narrow::Cut(18)),
    ]);
    for item in items {
        table.row([
            item.target.to_string().into(),
            item.host.as_str().into(),
            Cell::maybe(item.release.as_ref()),
            item.folder.as_str().into(),
            Cell::Text(text::bytes(item.bytes)),
            match &item.stays {
                None => Cell::Toned(Tone::Warning, "goes: nobody needs it".to_owned()),
                Some(reason) => Cell::Text(format!("stays: {reason}")),
            },
        ]);
    }
    table
}

async fn undo(session: &Session, client: &Client, args: UndoGarbage) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let wish = UndoRequest {
        target: args.target.clone(),
        release: args.release.clone(),
    };
    let undone = client.undo_garbage(&wish).await?;
    let printer = &session.printer;
    let mut table = Table::new([("HOST", Narrow::Keep)]);
    for host in &undone.hosts {
        table.row([host.as_str().into()]);
    }
    printer.show(&undone, &table)?;
    match undone.hosts.len() {
        0 => printer.note(&format!(
            "every host of {} has {} already",
            args.target, args.release
        )),
        hosts => {
            let words = format!("{} to {}", args.release, text::counted(hosts, "host"));
            printer.step(Tone::Good, "Returning", &words);
        }
    }
    printer.note(&format!(
        "pin it, or the next collection takes it again: pointsman pin {} {}",
        args.target.project, args.release
    ));
    printer.undo(&format!("pointsman gc run {}", args.target));
    Ok(Exit::Ok)
}

async fn schedule(session: &Session, client: &Client, args: ScheduleGarbage) -> Result<Exit, CliError> {
    let before = client.garbage_schedules().await?;
    let (Some(project), Some(cron)) = (args.project.clone(), args.cron) else {
        let wanted =
            |schedule: &GarbageSchedule| args.project.as_ref().is_none_or(|it| *it == schedule.project);
        let shown: Vec<_> = before.into_iter().filter(wanted).collect();
        session.printer.show(&shown, &schedules(&shown))?;
        return Ok(Exit::Ok);
    };
    session.reason_is_not_kept();
    let wish = GarbageSchedule {
        cron: (cron != "never").then_some(cron),
        project: project.clone(),
        next: None,
        last: None,
    };
    let set = client.set_garbage_schedule(&wish).await?;
    let printer = &session.printer;
    printer.show(&set, &schedules(std::slice::from_ref(&set)))?;
    let words = set.cron.clone().unwrap_or_else(|| "never by itself".to_owned());
    printer.say(Tone::Good, "Set", &format!("garbage of {project}: {words}"));
    let old = before.iter().find(|schedule| schedule.project == project);
    let old = old.and_then(|old| old.cron.clone());
    printer.undo(&match old {
        Some(old) => format!("pointsman gc schedule {project} '{old}'"),
        None => format!("pointsman gc schedule {project} never"),
    });
    Ok(Exit::Ok)
}

fn schedules(schedules: &[GarbageSchedule]) -> Table {
    let mut table = Table::new([
        ("PROJECT", Narrow::Keep),
        ("CRON", Narrow::Keep),
        ("NEXT", Narrow::Keep),
        ("LAST", Narrow::Drop(1)),
    ]);
    for schedule in schedules {
        table.row([
            schedule.project.as_str().into(),
            schedule.cron.as_deref().unwrap_or("never").into(),
            Cell::when(schedule.next),
            Cell::when(schedule.last),
        ]);
    }
    table
}

/// Pins a release, or unpins it.
pub async fn pin(session: &Session, args: &Pin, pinned: bool) -> Result<Exit, CliError> {
    let wish = PinRequest {
        pinned,
        reason: session.options.reason.clone(),
    };
    let client = session.client()?;
    client.pin(&args.project, &args.release, &wish).await?;
    let Pin { project, release } = args;
    let printer = &session.printer;
    let (verb, inverse) = if pinned {
        ("Pinned", "unpin")
    } else {
        ("Unpinned", "pin")
    };
    printer.say(Tone::Good, verb, &format!("{project} {release}"));
    printer.undo(&format!("pointsman {inverse} {project} {release}"));
    Ok(Exit::Ok)
}
