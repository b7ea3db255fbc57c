//! `lock`, `unlock`, `locks`, `stop`, and the `resume` that ends a stop.

use std::time::Duration;

use pointsman_shared::api::locks::{Lock, NewLock};
use pointsman_shared::name::TargetName;

use crate::args::{LockTarget, Stop, UnlockTarget};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Refuses new wishes for a target.
pub async fn lock(session: &Session, args: &LockTarget) -> Result<Exit, CliError> {
    let how = format!("pointsman lock {} --reason WHY", args.target);
    let reason = session.needed_reason("a lock", how)?;
    let locks = session
        .client()?
        .lock(&args.target, &wish(&reason, args.length))
        .await?;
    let printer = &session.printer;
    printer.say(Tone::Good, "Locked", &format!("{}: {reason}", args.target));
    printer.note("what is open goes on; only new wishes are refused");
    printer.undo(&format!("pointsman unlock {}", args.target));
    show(session, &locks)
}

/// Takes new wishes for a target again.
pub async fn unlock(session: &Session, args: &UnlockTarget) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let locks = session.client()?.unlock(&args.target).await?;
    let printer = &session.printer;
    printer.say(Tone::Good, "Unlocked", args.target.to_string().as_str());
    printer.undo(&format!("pointsman lock {} -m TEXT", args.target));
    show(session, &locks)
}

/// Lists what is locked.
pub async fn locks(session: &Session) -> Result<Exit, CliError> {
    let locks = session.client()?.locks().await?;
    let exit = show(session, &locks)?;
    if locks.is_empty() && session.printer.format() == Format::Table {
        session
            .printer
            .note("nothing is locked; pointsman lock PROJECT@ENVIRONMENT -m TEXT");
    }
    Ok(exit)
}

/// Refuses every new wish and every grant but those of rollbacks.
pub async fn stop(session: &Session, args: &Stop) -> Result<Exit, CliError> {
    let reason = session.needed_reason("a stop", "pointsman stop --reason WHY".to_owned())?;
    let locks = session.client()?.stop(&wish(&reason, args.length)).await?;
    let printer = &session.printer;
    printer.say(Tone::Warning, "Stopped", &format!("everything: {reason}"));
    printer.note("rollbacks, cancels and reading are still possible; what an agent has begun goes on");
    printer.undo("pointsman resume");
    show(session, &locks)
}

/// Says before a list what holds it up: the stop, and locks on what the list is about.
pub async fn warn(session: &Session, is_about: impl Fn(&TargetName) -> bool) -> Result<(), CliError> {
    for lock in session.client()?.locks().await? {
        let until = lock
            .expires_at
            .map_or_else(String::new, |at| format!(" until {}", at.format("%F %T UTC")));
        let Lock { owner, reason, .. } = &lock;
        match &lock.target {
            None => session.printer.warn(&format!(
                "everything is stopped by {owner}{until}: {reason}; pointsman resume ends it"
            )),
            Some(target) if is_about(target) => session.printer.warn(&format!(
                "{target} is locked by {owner}{until}: {reason}; pointsman unlock {target} ends it"
            )),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Ends the stop.
pub async fn go_on(session: &Session) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let locks = session.client()?.go_on().await?;
    let printer = &session.printer;
    printer.say(Tone::Good, "Resumed", "everything");
    printer.undo("pointsman stop -m TEXT");
    show(session, &locks)
}

fn wish(reason: &str, length: Option<Duration>) -> NewLock {
    NewLock {
        reason: reason.to_owned(),
        expires_in_s: length.map(|length| u32::try_from(length.as_secs()).unwrap_or(u32::MAX)),
    }
}

fn show(session: &Session, locks: &[Lock]) -> Result<Exit, CliError> {
    let mut table = Table::new([
        ("LOCKED", Narrow::Keep),
        ("BY", Narrow::Keep),
        ("SINCE", Narrow::Drop(1)),
        ("UNTIL", Narrow::Keep),
        ("REASON", Narrow::Cut(12)),
    ]);
    for lock in locks {
        table.row([
            lock.target
                .as_ref()
                .map_or_else(|| "everything".to_owned(), ToString::to_string)
                .into(),
            lock.owner.as_str().into(),
            Cell::At(lock.since),
            Cell::when(lock.expires_at),
            lock.reason.as_str().into(),
        ]);
    }
    session.printer.show(&locks, &table)?;
    Ok(Exit::Ok)
}
