//! `undo`: the newest own act that can be taken back, shown, asked about, taken back.
//!
//! Only acts of the very principal that asks are looked at, and only while what they did still stands: what somebody
//! else did in the meantime is never undone with them.

mod inverse;
mod keys;
mod notifying;

use pointsman_shared::api::tokens::AuditEntry;

use inverse::Way;

use super::audit;
use crate::client::AuditFilter;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Printer, Tone};
use crate::prompt;
use crate::session::Session;
use crate::text;

/// Own acts that are looked at, from the newest back.
const MOST: usize = 50;
/// Acts that are shown where none can be taken back.
const SHOWN: usize = 10;

/// Takes the newest act back.
pub async fn undo(session: &Session) -> Result<Exit, CliError> {
    let client = session.client()?;
    let me = client.whoami().await?.name;
    let mine = AuditFilter {
        mine: true,
        ..AuditFilter::default()
    };
    let mut acts = client.audit(mine, MOST).await?.items;
    acts.retain(|act| act.result == "done");
    for (passed, act) in acts.iter().enumerate() {
        if let Some(way) = inverse::of(&client, &me, act).await? {
            return take_back(session, &acts[..passed], act, way).await;
        }
    }
    let printer = &session.printer;
    acts.truncate(SHOWN);
    printer.show(&acts, &audit::table(&acts))?;
    for act in &acts {
        if let Some(why) = keys::why_not(act) {
            printer.note(&format!("#{}: {why}", act.number));
        }
    }
    Err(CliError::Outcome {
        exit: Exit::Refused,
        what: "none of your last acts can be taken back by this command".to_owned(),
        why: Some("it has no inverse, or what it did does not stand any more".to_owned()),
        help: Some(
            "every command printed how to undo it; pointsman audit --who NAME shows older acts".to_owned(),
        ),
    })
}

async fn take_back(
    session: &Session,
    passed: &[AuditEntry],
    act: &AuditEntry,
    way: Way,
) -> Result<Exit, CliError> {
    let printer = &session.printer;
    if !passed.is_empty() {
        let newer: Vec<String> = passed
            .iter()
            .map(|act| {
                let why = keys::why_not(act).map_or_else(String::new, |why| format!(" ({why})"));
                format!("{} {}{why}", act.action, act.object)
            })
            .collect();
        printer.note(&format!(
            "newer acts of yours have no way back: {}",
            newer.join(", ")
        ));
    }
    let age = text::age(act.at, session.clock.now());
    printer.say(
        Tone::Plain,
        "Act",
        &format!(
            "{} {}, {age} ago (#{} of the audit)",
            act.action, act.object, act.number
        ),
    );
    printer.say(Tone::Busy, "Inverse", &way.command);
    prompt::confirm(session, "Do it?")?;
    if !way.inverse.keeps_reason() {
        session.reason_is_not_kept();
    }
    let client = session.client()?;
    let answer = inverse::carry_out(&client, way.inverse, session.options.reason.clone()).await?;
    tell(printer, act, answer, &way.redo);
    Ok(Exit::Ok)
}

fn tell(printer: &Printer, act: &AuditEntry, follow: Option<i64>, redo: &str) {
    printer.say(Tone::Good, "Undone", &format!("{} {}", act.action, act.object));
    if let Some(number) = follow {
        printer.say(Tone::Busy, "Next", &format!("pointsman watch {number}"));
    }
    printer.undo(redo);
}
