//! `push ls | repeat | pause | resume`

use pointsman_shared::api::pushes::{NewPushPause, Push, PushAnswer, PushOutcome};
use pointsman_shared::name::TargetName;

use super::listing;
use crate::args::PushCommand;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn push(session: &Session, command: PushCommand) -> Result<Exit, CliError> {
    match command {
        PushCommand::Ls(args) => {
            let project = args.project.as_ref();
            let pushes = session.client()?.pushes(project, args.rows.most()).await?;
            let empty = "no pushes yet; pointsman webhook ls shows who may tell them";
            listing::show(session, &pushes, &table(&pushes.items), empty)
        }
        PushCommand::Repeat { number } => repeat(session, number).await,
        PushCommand::Pause { target } => pause(session, &target).await,
        PushCommand::Resume { target } => resume(session, &target).await,
    }
}

async fn repeat(session: &Session, number: i64) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let push = session.client()?.repeat_push(number).await?;
    let sentence = format!(
        "push #{number} of {}; pointsman push ls tells what comes of it",
        push.reference
    );
    session.printer.say(Tone::Good, "Repeated", &sentence);
    session
        .printer
        .undo("none; a deployment that comes of it can be cancelled");
    Ok(Exit::Ok)
}

async fn pause(session: &Session, target: &TargetName) -> Result<Exit, CliError> {
    let how = format!("pointsman push pause {target} --reason WHY");
    let reason = session.needed_reason("a pause", how)?;
    let sentence = format!("pushes to {target}: {reason}");
    session
        .client()?
        .pause_pushes(target, &NewPushPause { reason })
        .await?;
    session.printer.say(Tone::Good, "Paused", &sentence);
    session
        .printer
        .note("people deploy as before; pushes are told and held back");
    session.printer.undo(&format!("pointsman push resume {target}"));
    Ok(Exit::Ok)
}

async fn resume(session: &Session, target: &TargetName) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    session.client()?.resume_pushes(target).await?;
    let sentence = format!("pushes to {target}; what was held back: pointsman push repeat NUMBER");
    session.printer.say(Tone::Good, "Resumed", &sentence);
    session
        .printer
        .undo(&format!("pointsman push pause {target} -m TEXT"));
    Ok(Exit::Ok)
}

/// One line for each answer; a push that is not answered has one, too.
fn table(pushes: &[Push]) -> Table {
    let mut table = Table::new([
        ("PUSH", Narrow::Keep),
        ("REF", Narrow::Cut(8)),
        ("BY", Narrow::Drop(2)),
        ("WHEN", Narrow::Drop(1)),
        ("TARGET", Narrow::Keep),
        ("CAME OF IT", Narrow::Keep),
        ("WHY", Narrow::Cut(12)),
    ]);
    for push in pushes {
        let begin = || {
            let short = push.reference.trim_start_matches("refs/heads/");
            let name = short
                .strip_prefix("refs/tags/")
                .map_or_else(|| short.to_owned(), |tag| format!("tag {tag}"));
            [
                Cell::Text(format!("#{}", push.number)),
                Cell::Text(format!("{} {name}", push.project)),
                Cell::maybe(push.by.as_ref()),
                Cell::At(push.received_at),
            ]
        };
        if push.answers.is_empty() {
            let [number, reference, by, at] = begin();
            let waits = Cell::Toned(Tone::Busy, "waits".to_owned());
            table.row([number, reference, by, at, Cell::Nothing, waits, Cell::Nothing]);
        }
        for answer in &push.answers {
            let [number, reference, by, at] = begin();
            let target = Cell::maybe(answer.target.as_ref());
            table.row([
                number,
                reference,
                by,
                at,
                target,
                outcome(answer),
                answer.message.as_str().into(),
            ]);
        }
    }
    table
}

fn outcome(answer: &PushAnswer) -> Cell {
    let (tone, word) = match answer.outcome {
        PushOutcome::Requested => (Tone::Good, "deployed"),
        PushOutcome::Unchanged => (Tone::Good, "unchanged"),
        PushOutcome::Refused => (Tone::Bad, "refused"),
        PushOutcome::Paused => (Tone::Warning, "held back"),
        PushOutcome::Ignored => (Tone::Busy, "ignored"),
        PushOutcome::Waits => (Tone::Busy, "tried again"),
    };
    let number = answer
        .deployment
        .map(|number| format!(" #{number}"))
        .unwrap_or_default();
    Cell::Toned(tone, format!("{word}{number}"))
}
