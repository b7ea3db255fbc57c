//! `cause ls | add | change | rm`

use pointsman_shared::api::causes::{Cause, NewCause};

use super::listing;
use crate::args::{CauseCommand, SaidCause};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn cause(session: &Session, command: CauseCommand) -> Result<Exit, CliError> {
    match command {
        CauseCommand::Ls(rows) => {
            let causes = session.client()?.causes(rows.most()).await?;
            let empty = "no cause is known; pointsman cause add 'no space left' --means 'The disk is full.'";
            listing::show(session, &causes, &table(&causes.items), empty)
        }
        CauseCommand::Add(said) => {
            session.reason_is_not_kept();
            let cause = session.client()?.add_cause(&wish(said)).await?;
            let undo = format!("pointsman cause rm {}", cause.number);
            say(session, "Added", &cause, &undo);
            Ok(Exit::Ok)
        }
        CauseCommand::Change { number, cause } => {
            session.reason_is_not_kept();
            let client = session.client()?;
            let known = client.causes(usize::MAX).await?.items;
            let before = known.into_iter().find(|cause| cause.number == number);
            let cause = client.change_cause(number, &wish(cause)).await?;
            let undo = before.map_or_else(String::new, |before| {
                format!("pointsman cause change {number} {}", typed(&before))
            });
            say(session, "Changed", &cause, &undo);
            Ok(Exit::Ok)
        }
        CauseCommand::Rm { number } => {
            session.reason_is_not_kept();
            let cause = session.client()?.remove_cause(number).await?;
            let undo = format!("pointsman cause add {}", typed(&cause));
            say(session, "Removed", &cause, &undo);
            Ok(Exit::Ok)
        }
    }
}

fn wish(said: SaidCause) -> NewCause {
    NewCause {
        pattern: said.pattern,
        sentence: said.means,
        action: said.action,
    }
}

fn say(session: &Session, done: &str, cause: &Cause, undo: &str) {
    let printer = &session.printer;
    let what = format!(
        "cause {}: {} means: {}",
        cause.number, cause.pattern, cause.sentence
    );
    printer.say(Tone::Good, done, &what);
    if !undo.is_empty() {
        printer.undo(undo);
    }
}

/// What is typed to say it again.
fn typed(cause: &Cause) -> String {
    let action = cause.action.as_ref();
    let action = action.map_or_else(String::new, |action| format!(" --do {}", quoted(action)));
    format!(
        "{} --means {}{action}",
        quoted(&cause.pattern),
        quoted(&cause.sentence)
    )
}

/// A word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn table(causes: &[Cause]) -> Table {
    let mut table = Table::new([
        ("CAUSE", Narrow::Keep),
        ("PATTERN", Narrow::Cut(16)),
        ("MEANS", Narrow::Cut(24)),
        ("DO", Narrow::Cut(16)),
        ("BY", Narrow::Drop(1)),
    ]);
    for cause in causes {
        table.row([
            Cell::Number(cause.number),
            cause.pattern.as_str().into(),
            cause.sentence.as_str().into(),
            Cell::maybe(cause.action.as_ref()),
            Cell::maybe(cause.created_by.as_ref()),
        ]);
    }
    table
}
